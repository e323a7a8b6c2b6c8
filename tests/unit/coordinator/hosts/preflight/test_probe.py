"""The program that looks at a host, run here: ports and their owners, folders, and connections to other hosts."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from coordinator.hosts.preflight import probe
from coordinator.hosts.preflight.places import missing_libraries, room, troubles
from tests.ports import free_port


@contextmanager
def taken() -> Iterator[int]:
    """A port that this process holds."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def looked(folder: Path, **changes: Any) -> dict[str, Any]:
    """The facts of this machine."""
    request: dict[str, Any] = {
        "data": str(folder), "user": "", "own": False, "drop": False, "ports": [], "places": {},
        "installed": "/nowhere", "room": {}, "libraries": [], "trials": [], "bundled": "/nowhere/*", "nodeos": "",
    }  # fmt: skip
    return probe.look(request | changes)


def test_the_facts_of_this_machine(tmp_path: Path) -> None:
    """They are the system's own."""
    facts = looked(tmp_path)
    assert facts["system"] == "Linux"
    assert facts["root"] is (os.geteuid() == 0)
    assert facts["machine"] == os.uname().machine
    assert facts["memory"] > 1 << 20
    assert 0 <= facts["disk_used"] <= 1
    assert facts["python"]["problem"] == ""
    assert (facts["nodeos"], facts["ports"], facts["places"]) == ({}, {}, {})


def test_who_has_a_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody, a node of this network, which runs in its folder, or another program, by name."""
    (elsewhere := tmp_path / "elsewhere").mkdir()
    (mine := tmp_path / "mine" / "node").mkdir(parents=True)
    with taken() as port:
        ports = [["127.0.0.1", port], ["127.0.0.1", free := free_port()]]
        monkeypatch.chdir(elsewhere)
        found = looked(tmp_path / "mine", ports=ports)["ports"]
        assert found[str(free)] == ""
        assert found[str(port)].startswith(f"process {os.getpid()} (")
        monkeypatch.chdir(mine)
        assert looked(tmp_path / "mine", ports=ports)["ports"][str(port)] == "own"
        monkeypatch.setattr(probe, "_open_files", lambda pid: [])  # as for who is not root
        me = probe._user(os.geteuid())
        assert looked(tmp_path, ports=ports)["ports"][str(port)] == f"user {me}"
        assert looked(tmp_path, ports=ports, user=me)["ports"][str(port)] == "own"
    assert "takes root" in looked(tmp_path, ports=[["127.0.0.1", 1]], drop=True)["ports"]["1"]
    assert looked(tmp_path, ports=[["192.0.2.77", free]])["ports"][str(free)] != ""
    assert probe._user(4_000_000) == "4000000"


def test_one_look_at_the_processes_finds_who_has_all_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of this network's processes are read first and once, those of others only while an owner is missing."""
    read: list[str] = []
    real = probe._open_files

    def counted(pid: str) -> list[str]:
        read.append(pid)
        return real(pid)

    monkeypatch.setattr(probe, "_open_files", counted)
    monkeypatch.chdir(tmp_path)
    with taken() as one, taken() as two, taken() as three:
        found = looked(tmp_path, ports=[["127.0.0.1", port] for port in (one, two, three)])["ports"]
    assert set(found.values()) == {"own"}
    assert read == [str(os.getpid())]


def test_the_agent_of_this_machine_runs_on_the_same_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is known to work, so no other is started."""
    monkeypatch.setattr(probe, "best_python", lambda user: pytest.fail("tried others"))
    found = looked(tmp_path, own=True)["python"]
    assert (found["path"], found["version"], found["problem"]) == (sys.executable, list(sys.version_info[:2]), "")


def test_folders_that_cannot_hold_an_installation(tmp_path: Path) -> None:
    """A good folder passes; the trial leaves nothing; a disk that is too small says how much is free."""
    assert troubles({str(tmp_path): True, str(tmp_path / "later"): False}, "") == {}
    assert list(tmp_path.iterdir()) == []
    if os.geteuid() == 0:  # others cannot try it there at all
        assert "nothing can be written in /proc" in troubles({"/proc": True}, "")["/proc"]
    assert room({str(tmp_path): 1}) == {}
    assert room({str(tmp_path): 1 << 62})[str(tmp_path)] > 0
    assert missing_libraries(["libc.so.6", "libnowhere.so.9"]) == ["libnowhere.so.9"]


def test_ways_to_other_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reached, refused, or answered by another machine; the listener ends with its reader."""
    reading, writing = os.pipe()
    port = free_port()
    with os.fdopen(writing, "w") as output:
        monkeypatch.setattr(sys, "stdout", output)
        request = json.dumps({"verb": "listen", "ports": [port], "name": "h2", "seconds": 60})
        listener = threading.Thread(target=probe.main, args=(request,), daemon=True)
        listener.start()
        assert os.read(reading, 100) == b"listening\n"
        with taken() as silent:
            names = {f"127.0.0.1:{port}": "h2", f"localhost:{port}": "h3", f"127.0.0.1:{silent}": ""}
            said = probe.dial({"endpoints": names | {f"127.0.0.1:{free_port()}": "h4"}})
        assert list(said.values())[:3] == ["", "another machine answers", ""]
        assert list(said.values())[3] != ""
        os.close(reading)
        listener.join(20)
        assert not listener.is_alive()
        monkeypatch.undo()


def test_one_request_one_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON; a refusal of the system is an answer as well."""
    probe.main(json.dumps({"verb": "dial", "endpoints": {}}))
    assert json.loads(capsys.readouterr().out) == {"done": {}}
    with taken() as port:
        probe.main(json.dumps({"verb": "listen", "ports": [port], "name": "x", "seconds": 0}))
    assert "error" in json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_port_that_a_connection_has_is_nobodys() -> None:
    """An outgoing connection may have any port above 32767: no program is blamed that does not listen."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        assert probe._owners({port}, "/nowhere", "nobody")[port].startswith("a connection of this machine has it")
