"""Work on many hosts, with simulated connections."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from coordinator.hosts.deploy import connection
from coordinator.hosts.deploy.connection import HostConnection
from coordinator.hosts.deploy.errors import DeployError
from coordinator.hosts.deploy.parallel import Interrupted, on_each
from inventory.network import Host, Ssh


class NoConnection(HostConnection):
    """Opens nothing; `close` ends whoever waits for it."""

    def __init__(self, ssh: Ssh) -> None:
        self.ssh = ssh
        self.ended = threading.Event()

    def open(self) -> None:
        """At once."""

    def close(self) -> None:
        """As when the connection is cut."""
        self.ended.set()


def hosts(count: int) -> list[Host]:
    """h0, h1, …"""
    return [Host(f"h{number}", f"10.0.0.{number}", Ssh(f"10.0.0.{number}")) for number in range(count)]


@pytest.fixture
def unconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    """No SSH."""
    monkeypatch.setattr(connection, "HostConnection", NoConnection)


def test_no_more_than_so_many_at_once_and_none_spoils_the_rest(unconnected: None) -> None:
    """Failures are reported beside the other hosts' results."""
    at_work, most = 0, 0
    counting, three = threading.Lock(), threading.Barrier(3, timeout=30)

    def work(host: Host, _connection: HostConnection) -> str:
        nonlocal at_work, most
        with counting:
            at_work += 1
            most = max(most, at_work)
        three.wait()  # fewer at once would wait for ever
        with counting:
            at_work -= 1
        if host.name == "h3":
            raise DeployError("bad")
        if host.name == "h4":
            raise OSError("no space left")
        return host.name.upper()

    results = on_each(hosts(9), work, at_once=3)
    assert most == 3
    assert {name: result for name, result in results.items() if isinstance(result, str)} == {
        f"h{number}": f"H{number}" for number in (0, 1, 2, 5, 6, 7, 8)
    }
    assert (str(results["h3"]), str(results["h4"])) == ("bad", "no space left")


def test_a_host_that_takes_too_long_is_cut_off(unconnected: None) -> None:
    """Its connection is closed, and the limit is named."""

    def work(host: Host, cut: HostConnection) -> str:
        assert isinstance(cut, NoConnection)
        if host.name == "h0":
            cut.ended.wait(10)
            raise DeployError("the connection broke")
        return "done"

    results = on_each(hosts(2), work, seconds=0.1)
    assert str(results["h0"]) == "not done within 0.1 s; last: the connection broke"
    assert results["h1"] == "done"


def test_an_interruption_ends_what_is_under_way(unconnected: None) -> None:
    """When another thread says stop, it closes the connections, starts no further host, and reports no failure."""
    stop, began, told = threading.Event(), [], []

    def work(host: Host, cut: HostConnection) -> str:
        assert isinstance(cut, NoConnection)
        began.append(host.name)
        stop.set()
        assert cut.ended.wait(10)
        raise DeployError("the connection broke")

    with pytest.raises(Interrupted):
        on_each(hosts(3), work, at_once=1, stop=stop, ended=lambda host, _result: told.append(host))
    assert (began, told) == (["h0"], [])


def test_an_interruption_ends_who_still_logs_in(tmp_path: Path) -> None:
    """A server that has not greeted yet is not dialled again, and nothing is done there afterwards."""
    stop, done = threading.Event(), []
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = Host("slow", "127.0.0.1", Ssh("127.0.0.1", server.getsockname()[1], known_hosts=tmp_path / "none"))

        def interrupt() -> None:
            with server.accept()[0]:
                stop.set()

        threading.Thread(target=interrupt, daemon=True).start()
        with pytest.raises(Interrupted):
            on_each([host], lambda *_: done.append("work"), stop=stop)
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()
    assert done == []


@pytest.fixture
def garbage() -> Iterator[int]:
    """A port whose server speaks something else than SSH."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client = server.accept()[0]
                except OSError:
                    return
                with client:
                    client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 50)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def test_what_is_no_ssh_server_is_told_in_a_line(garbage: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever answers on the port."""
    monkeypatch.setattr(connection, "ATTEMPTS", 1)
    host = Host("web", "127.0.0.1", Ssh("127.0.0.1", garbage, known_hosts=tmp_path / "none"))
    error = on_each([host], lambda _host, _connection: "done")["web"]
    assert isinstance(error, DeployError)
    assert f"[127.0.0.1]:{garbage} closed the connection before the login" in str(error)
    assert "\n" not in str(error)
