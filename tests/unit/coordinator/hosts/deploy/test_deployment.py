"""Agents on SSH hosts, over a simulated connection: what a host is asked to do, in which order, and its reports."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import paramiko
import pytest

from coordinator.agents.ca import CertificateAuthority
from coordinator.hosts.deploy import connection, deployment, installer, tunnels
from coordinator.hosts.deploy.bundle import Archive, Bundle
from coordinator.hosts.deploy.deployment import SshDeployment
from coordinator.hosts.deploy.errors import DeployError, LoginRefused
from coordinator.hosts.deploy.installer import Installed
from coordinator.hosts.deploy.onhost.base import UPLOADS
from coordinator.hosts.deploy.tunnels import Tunnels
from coordinator.state.folder import StateFolder
from inventory.load import load
from inventory.network import Host, Network
from support.tls import load_or_make_key, make_csr
from tests.waiting import until

INVENTORY = """
[network]
name = "net"
[[hosts]]
name = "h1"
address = "192.0.2.1"
ssh = { user = "op", sudo = "password" }
nodeos = "/usr/bin/nodeos"
"""
FACTS: dict[str, Any] = {
    "root": True, "python": {"problem": "", "path": "/usr/bin/python3", "version": [3, 11]}, "machine": "x86_64",
    "certificate": "", "config": "", "systemd": True, "held": [], "record": None, "unit": "", "active": False,
    "enabled": False,
}  # fmt: skip


class Machine:
    """The far host: answers root's requests, takes files, and shows its logs."""

    sent = 0

    def __init__(self, folder: Path) -> None:
        self.facts = dict(FACTS)
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.commands: list[Sequence[str]] = []
        self.uploads: list[str] = []
        self.csr = make_csr(load_or_make_key(folder / "agent.key"), "h1").decode()
        self.temporary = f"{UPLOADS}.net.0123456789"
        self.ssh = SimpleNamespace(user="op")

    def request(self, verb: str, **arguments: Any) -> dict[str, Any]:
        self.requests.append((verb, arguments))
        return {"facts": self.facts, "configure": {"csr": self.csr}}.get(verb, {"known": True})

    def sudo(self) -> tuple[list[str], str]:
        return ["sudo", "-n"], ""

    def command(self, command: Sequence[str], seconds: float = 0) -> Any:
        self.commands.append(command)
        made = self.temporary if command[0] == "mktemp" else ""
        return SimpleNamespace(status=0, stdout=made.encode(), stderr=b"no space left")

    def upload(self, path: Path, place: str) -> None:
        self.uploads.append(place)
        self.sent += path.stat().st_size

    def stream(self, command: Sequence[str], password: str) -> Iterator[bytes]:
        self.commands.append(command)
        yield b"a line\n"

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @property
    def verbs(self) -> list[str]:
        """What was asked of root."""
        return [verb for verb, _ in self.requests]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """In the place of every connection, and of root on it."""
    machine = Machine(tmp_path)
    monkeypatch.setattr(connection, "HostConnection", lambda ssh: machine)
    monkeypatch.setattr(deployment, "HostConnection", lambda ssh: machine)
    monkeypatch.setattr(installer, "Privileged", lambda connection, ask: machine)
    return machine


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """One far host, with a nodeos of its own."""
    (path := tmp_path / "net.toml").write_text(INVENTORY)
    return load(path)


@pytest.fixture
def ssh(tmp_path: Path, network: Network) -> Iterator[tuple[SshDeployment, list[str]]]:
    """A deployment with a small bundle, and what it tells."""
    state, said = StateFolder(tmp_path / "state", "net"), list[str]()
    archives = []
    for name in ("code", "libraries"):
        (path := tmp_path / name).write_bytes(name.encode())
        archives.append(Archive(path, name[0] * 64))
    authority = CertificateAuthority(state.folder / "ca", "net")
    asked: list[str] = []

    def password(host: str) -> str:
        asked.append(host)
        return f"secret {len(asked)}"

    made = SshDeployment(
        state, network, authority, "192.0.2.9:4711", password, lambda host, text: said.append(f"{host}: {text}"),
        lambda target: Bundle(tuple(archives)),
    )  # fmt: skip
    yield made, said
    state.close()


Ssh = tuple[SshDeployment, list[str]]


def test_a_bare_host_is_installed_and_enrolled(ssh: Ssh, machine: Machine, network: Network) -> None:
    """First the files, into a temporary folder with a random name; then the agent, whose key is signed here."""
    results = ssh[0].install(network.hosts)
    assert results == {"h1": Installed(13, ("agent installed", "agent enrolled"))}
    assert machine.verbs == ["facts", "clear", "place", "configure", "start"]
    assert machine.uploads == [f"{machine.temporary}/{name * 64}.tar.gz" for name in "cl"]
    assert machine.commands[-1] == ["rm", "-rf", "--", machine.temporary]
    asked = dict(machine.requests)
    assert asked["configure"]["enrol"][-2:] == ("192.0.2.9:4711", "--remote")
    assert "BEGIN CERTIFICATE" in asked["start"]["admit"]
    assert asked["start"]["changed"]
    assert ssh[1] == [
        f"h1: {what}" for what in ("looking", "sending 0.0 MB", "sending 0.0 MB", "unpacking", "setting up", "starting")
    ]


def test_a_bare_machine_is_not_taken_for_the_one_that_has_producers_keys(
    ssh: Ssh, machine: Machine, network: Network
) -> None:
    """Nothing is done there, so the enrolled machine's access stays as it is; one with an installation is mended."""
    keyed = {"h1": ["defproducera", "defproducerb"]}
    assert isinstance(ssh[0].install(network.hosts, producers=keyed)["h1"], Installed)  # nobody is enrolled as h1 yet
    machine.requests.clear()
    (result,) = ssh[0].install(network.hosts, producers=keyed).values()
    assert str(result) == (
        "nothing is installed on this machine, but another one is enrolled as h1 and has the keys of defproducera, "
        "defproducerb; for this one to take its place: coord host INVENTORY replace h1"
    )
    assert machine.verbs == ["facts"]
    assert isinstance(ssh[0].install(network.hosts)["h1"], Installed)
    machine.facts |= {"record": {"data": "/var/lib/bootcoord/net", "bundles": [], "runtime": "", "taken": True}}
    assert isinstance(ssh[0].install(network.hosts, producers=keyed)["h1"], Installed)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"root": False}, "op is not root there: write sudo"),
        ({"python": {"problem": "it is Python 3.5"}}, "none of its Pythons can run the agent (it is Python 3.5"),
    ],
)
def test_a_host_that_cannot_have_an_agent(
    facts: dict[str, Any], reason: str, ssh: Ssh, machine: Machine, network: Network
) -> None:
    """The reason is reported, and nothing was sent."""
    machine.facts |= facts
    (result,) = ssh[0].install(network.hosts).values()
    assert isinstance(result, DeployError)
    assert reason in str(result)
    assert machine.uploads == []


def test_a_temporary_folder_that_is_another_is_not_used(ssh: Ssh, machine: Machine, network: Network) -> None:
    """The host's answer is not trusted."""
    machine.temporary = "/etc"
    (result,) = ssh[0].install(network.hosts).values()
    assert "no temporary folder" in str(result)
    assert machine.uploads == []


def test_agents_are_stopped_and_removed(ssh: Ssh, machine: Machine, network: Network) -> None:
    """Only this coordinator's, unless another's is named."""
    assert ssh[0].down(network.hosts) == {"h1": True}
    assert machine.verbs == ["facts", "down"]
    assert ssh[0].down(network.hosts, purge=True, foreign=True) == {"h1": True}
    assert machine.verbs[2:] == ["purge"]
    assert ssh[1] == ["h1: stopped", "h1: removed"]


@pytest.mark.parametrize(
    ("node", "systemd", "follow", "command"),
    [
        ("genesis", True, False, "tail -n 7 /var/lib/bootcoord/net/nodes/genesis/log/nodeos.log"),
        ("genesis", True, True, "tail -n 7 -F /var/lib/bootcoord/net/nodes/genesis/log/nodeos.log"),
        ("", True, True, "journalctl --no-pager -o cat -n 7 -f -u bootcoord-net.service"),
        ("", False, False, "tail -n 7 /var/lib/bootcoord/net/agent.log"),
    ],
)
def test_logs_are_read_where_they_are(
    node: str, systemd: bool, follow: bool, command: str, ssh: Ssh, machine: Machine, network: Network
) -> None:
    """A node's file; the agent's journal, or its file if there is no systemd."""
    machine.facts["systemd"] = systemd
    assert list(ssh[0].logs(network.hosts[0], node, lines=7, follow=follow)) == [b"a line\n"]
    assert " ".join(machine.commands[-1]) == f"sudo -n {command}"


def test_a_password_is_asked_for_once(ssh: Ssh, network: Network) -> None:
    """It is kept in memory."""
    assert ssh[0].ask(network.hosts[0]) == ssh[0].ask(network.hosts[0]) == "secret 1"


def test_this_machine_is_reached_without_ssh(ssh: Ssh) -> None:
    """Reading its logs over SSH is an error of its own."""
    with pytest.raises(DeployError, match="the operator's own machine"):
        list(ssh[0].logs(Host("here", "127.0.0.1", None)))


class Way:
    """A connection with a tunnel through it, as it is told."""

    faults: list[Exception]
    denials: list[Exception]
    alive = True

    def __init__(self, ssh: Any) -> None:
        self.login = self

    def __enter__(self) -> Way:
        if Way.faults:
            raise Way.faults.pop(0)
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @contextmanager
    def forward_remote(self, port: int, local_host: str) -> Iterator[None]:
        assert (port, local_host) == (4711, "127.0.0.1")
        if Way.denials:
            raise Way.denials.pop(0)
        yield


@pytest.mark.parametrize("lasting", [False, True])
def test_a_tunnel_is_built_again_when_that_may_help(
    lasting: bool, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its trouble is reported once, and its return; a refused login is not retried."""
    fault = LoginRefused("the key is not known there") if lasting else DeployError("no route")
    Way.faults, Way.denials = [fault, fault], [paramiko.SSHException("denied")]
    monkeypatch.setattr(tunnels, "HostConnection", Way)
    monkeypatch.setattr(tunnels, "LONGEST_PAUSE", 0.01)
    said: list[str | None] = []
    told = threading.Event()

    def report(host: str, trouble: str | None) -> None:
        said.append(trouble)
        if trouble is None or lasting:
            told.set()

    with Tunnels(network.hosts, 4711, report) as held:
        assert told.wait(30)
        if lasting:
            until(lambda: not held._threads[0].is_alive(), "its end")
    if lasting:
        assert said == ["tunnel: the key is not known there"]
        assert Way.faults == [fault]
        return
    assert said[0] == "tunnel: no route"
    assert str(said[1]).startswith("tunnel: port 4711 of its loopback cannot be forwarded (denied)")
    assert said[2:] == [None]
