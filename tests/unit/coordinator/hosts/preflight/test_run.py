"""Looking at several hosts at once: an unreachable one is a problem of its own, and all others dial each other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from coordinator.hosts.deploy.errors import DeployError
from coordinator.hosts.preflight import run
from coordinator.hosts.preflight.checks import Clock
from coordinator.hosts.preflight.model import Preflight
from inventory.load import load
from inventory.network import Host, Network
from tests.unit.coordinator.hosts.preflight.test_checks import GOOD

NAMES = ("h1", "h2", "h3")
INVENTORY = "[network]\nname = 'net'\n[producers]\ncount = 3\n" + "".join(
    f"[[hosts]]\nname = '{name}'\naddress = '192.0.2.{at}'\nnodeos = '/usr/bin/nodeos'\n"
    for at, name in enumerate(NAMES, 1)
)


class Machine:
    """A far host that is well, but for what a test changes."""

    sudo = ""

    def __init__(self, name: str) -> None:
        self.name = name
        self.facts: Any = GOOD | {"root": True, "ports": {}}
        self.unreached: set[str] = set()
        """Endpoints that it cannot dial."""
        self.closed = False
        self.listens: list[int] = []
        self.deaf = False

    def clock(self) -> Clock:
        return Clock(0.0, 0.01)

    def run(self, request: dict[str, Any]) -> Any:
        if request["verb"] == "look":
            return self.facts
        return {point: "refused" if point in self.unreached else "" for point in request["endpoints"]}

    @contextmanager
    def listening(self, request: dict[str, Any]) -> Iterator[None]:
        if self.deaf:
            raise DeployError("no listener could be started")
        self.listens = request["ports"]
        yield

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> dict[str, Machine | DeployError]:
    """What is reached under each name."""
    machines: dict[str, Machine | DeployError] = {name: Machine(name) for name in NAMES}

    def reach(host: Host, ask: object) -> Machine:
        found = machines[host.name]
        if isinstance(found, DeployError):
            raise found
        return found

    monkeypatch.setattr(run, "reach", reach)
    monkeypatch.setattr(run, "_contracts", lambda *_: iter(()))
    return machines


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """A producer on each."""
    (path := tmp_path / "net.toml").write_text(INVENTORY)
    return load(path)


def looked(network: Network, said: list[str] | None = None, stop: threading.Event | None = None) -> Preflight:
    """The whole preflight."""

    def report(host: str, text: str) -> None:
        if said is not None:
            said.append(f"{host}: {text}")

    return run.preflight(network, network.source.parent / "state", lambda host: "", report, stop or threading.Event())


def found(seen: Preflight) -> set[tuple[str, str, bool]]:
    """Host, check and whether it is fatal, of each problem."""
    return {(problem.host, problem.check, problem.fatal) for problem in seen.problems}


Machines = dict[str, Any]


def test_every_host_dials_every_other(network: Network, machines: Machines) -> None:
    """Each listens on its nodes' p2p ports meanwhile; every connection is closed at the end."""
    seen = looked(network)
    assert not seen.fatal, seen.fatal
    assert {(dial.dialler, dial.host) for dial in seen.dials} == {(a, b) for a in NAMES for b in NAMES if a != b}
    assert all(dial.error == "" for dial in seen.dials)
    assert all(machine.closed and machine.listens for machine in machines.values())


def test_an_endpoint_that_nobody_reaches_is_fatal(network: Network, machines: Machines) -> None:
    """If some hosts reach it, it is a warning that names the others."""
    (node,) = [node for node in network.nodes if node.host == "h2"][:1]
    machines["h1"].unreached = {network.p2p(node)}
    seen = looked(network)
    assert ("h2", "p2p", False) in found(seen)
    (problem,) = [problem for problem in seen.problems if problem.check == "p2p"]
    assert f"{network.p2p(node)} cannot be reached from h1 (refused)" in problem.message
    machines["h3"].unreached = {network.p2p(node)}
    assert ("h2", "p2p", True) in found(looked(network))


def test_a_host_that_cannot_be_reached_spoils_no_other(network: Network, machines: Machines) -> None:
    """Its reason is reported; the other hosts are checked, and dial each other."""
    machines["h3"] = DeployError("no route to it")
    seen = looked(network)
    assert [problem.message for problem in seen.fatal if problem.host == "h3"]
    assert {dial.host for dial in seen.dials} == {"h1", "h2"}
    assert seen.hosts_in_trouble() == {"h3"}


def test_an_answer_of_another_shape_is_that_hosts_trouble(
    network: Network, machines: Machines, caplog: pytest.LogCaptureFixture
) -> None:
    """The operator reads one line; the log has the fault."""
    machines["h2"].facts = {}
    seen = looked(network)
    assert "it gave an answer that coord does not understand" in str(seen.fatal[0])
    assert machines["h2"].closed
    assert caplog.records[0].exc_info


def test_a_host_without_a_listener_is_not_called_unreached(network: Network, machines: Machines) -> None:
    """Nobody could answer there, and the message says that instead."""
    machines["h2"].deaf = True
    said: list[str] = []
    seen = looked(network, said)
    assert "h2" not in {dial.host for dial in seen.dials}
    assert "h2: no listener could be started" in said


def test_nodes_that_run_already_are_dialled_as_they_are(network: Network, machines: Machines) -> None:
    """No listener is started on their ports."""
    ports = {str(node.p2p_port): "own" for node in network.nodes if node.host == "h2"}
    machines["h2"].facts = machines["h2"].facts | {"ports": ports}
    seen = looked(network)
    assert machines["h2"].listens == []
    assert "h2" in {dial.host for dial in seen.dials}


def test_no_host_is_looked_at_after_an_interruption(network: Network, machines: Machines) -> None:
    """Each is reported as interrupted."""
    stop = threading.Event()
    stop.set()
    seen = looked(network, stop=stop)
    assert seen.hosts_in_trouble() == set(NAMES)
    assert not any(machine.closed for machine in machines.values())
