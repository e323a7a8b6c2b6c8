"""The nodes of a host under supervision, on a simulated machine where tests start and end processes."""

from __future__ import annotations

import itertools
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from agent.errors import AgentError, BadConfiguration, DiskFull, NodeFault, PortTaken, UnknownNode
from agent.keys.keosd import KeosdKey
from agent.memory import Memory
from agent.nodeos.probe import Capabilities
from agent.nodeos.spec import NodeSpec
from agent.nodes import launch as launching
from agent.nodes import relaunching, state, supervisor, tracked, watching
from agent.nodes.folder import NodeFolder, NodeRecord
from agent.nodes.launch import Launch
from agent.nodes.leases import Leases
from agent.nodes.state import NodeStatus
from agent.nodes.supervisor import Nodes
from antelope.keys import PrivateKey
from boot.step import NodeMode
from inventory.network import Role
from protos.states import UNTOUCHED, NodeState
from support.journal import Journal
from support.locks import LockedError
from support.processes import Process
from support.retry import poll

CHAIN = "c" * 64
GENESIS = b'{"initial_key": "x"}'
SPEC = NodeSpec("prod-a", Role.PRODUCER, "prod", "127.0.0.1:9876", "127.0.0.1:9876", 8888, peers=("h:1", "h:2"))
KEY = PrivateKey(bytes(31) + b"\x07")


@dataclass
class Client:
    """A node's HTTP API."""

    calls: list[tuple[str, str]] = field(default_factory=list)

    async def connect(self, peer: str) -> None:
        """Dials it."""
        self.calls.append(("connect", peer))

    async def disconnect(self, peer: str) -> None:
        """Hangs up."""
        self.calls.append(("disconnect", peer))

    async def call(self, path: str, body: object) -> None:
        """Any other call."""
        self.calls.append(("call", path))

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Machine:
    """Processes by pid, and the outcome of each start."""

    living: dict[int, Path] = field(default_factory=dict)
    """The folders of their nodes."""
    launched: list[Launch] = field(default_factory=list)
    halted: list[int] = field(default_factory=list)
    faults: list[AgentError] = field(default_factory=list)
    """The outcomes of the next starts."""
    client: Client = field(default_factory=Client)
    pids: itertools.count[int] = field(default_factory=lambda: itertools.count(4711))

    async def bring_up(self, launch: Launch) -> Process:
        """A process begins."""
        self.launched.append(launch)
        if self.faults:
            raise self.faults.pop(0)
        process = Process(next(self.pids), 1, "boot")
        self.living[process.pid] = launch.folder.path
        launch.folder.remember(process)
        return process

    async def halt(self, folder: NodeFolder) -> None:
        """Ends a process, if it lives."""
        for pid in [pid for pid, path in self.living.items() if path == folder.path]:
            del self.living[pid]
            self.halted.append(pid)

    def running(self, folder: Path) -> Process | None:
        """The process of a node's folder, whatever is on record."""
        return next((Process(pid, 1, "boot") for pid, path in self.living.items() if path == folder), None)

    def crash(self) -> None:
        """All processes die at once."""
        self.living.clear()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """No other process runs; looks are frequent, and pauses short."""
    machine = Machine()

    async def probe(*_: object) -> Capabilities:
        return Capabilities("5" * 64, "v5", frozenset({"max-clients"}), ())

    async def unused(folder: NodeFolder) -> None:
        """Nobody else has it open."""

    async def look(record: NodeRecord, pid: int, client: object) -> NodeStatus:
        return NodeStatus(record.spec.name, NodeState.RUNNING, record.mode, pid)

    monkeypatch.setattr(Process, "alive", property(lambda process: process.pid in machine.living))
    monkeypatch.setattr("agent.nodes.supervisor.node_processes.running", machine.running)
    monkeypatch.setattr("agent.nodes.watching.nodelogs.ensure", lambda _: None)
    monkeypatch.setattr(relaunching, "probe", probe)
    monkeypatch.setattr(tracked, "look", look)
    monkeypatch.setattr(relaunching, "bring_up", machine.bring_up)
    monkeypatch.setattr(supervisor, "halt", machine.halt)
    monkeypatch.setattr(relaunching, "halt", machine.halt)
    monkeypatch.setattr(relaunching, "check_room", lambda _: None)
    monkeypatch.setattr(supervisor, "check_unused", unused)
    monkeypatch.setattr(relaunching, "command_of", lambda *_: ("nodeos",))
    monkeypatch.setattr(relaunching, "NodeClient", lambda _: machine.client)
    monkeypatch.setattr(watching, "WATCH_SECONDS", 0.01)
    monkeypatch.setattr(state, "PAUSES", (0.0, 0.01, 0.01))
    return machine


def _signer(account: str) -> tuple[PrivateKey | KeosdKey, ...]:
    return ({"prod": KEY}[account],)


@pytest.fixture
async def nodes(tmp_path: Path, machine: Machine) -> AsyncIterator[Nodes]:
    """The machine's nodes, watched."""
    nodes = Nodes(tmp_path, _signer)
    await nodes.open()
    yield nodes
    await nodes.close()


async def _run(nodes: Nodes, spec: NodeSpec = SPEC, mode: NodeMode | None = NodeMode.NORMAL) -> None:
    await nodes.start(spec, mode, GENESIS, CHAIN)


async def _becomes(what: Callable[[], object]) -> None:
    async def so() -> bool:
        return bool(what())

    await poll(so, what="the watcher", deadline=10, every=0.01)


async def _seen(nodes: Nodes, what: Callable[[NodeStatus], object]) -> NodeStatus:
    """The only node's status, once it has this state."""

    async def so() -> NodeStatus | None:
        (status,) = await nodes.status()
        return status if what(status) else None

    return await poll(so, what="the node's status", deadline=10, every=0.01)


async def test_a_node_is_made_to_run_once(nodes: Nodes, machine: Machine) -> None:
    """A second identical request changes nothing; with another option the node is restarted."""
    await _run(nodes)
    await _run(nodes)
    assert (len(machine.launched), machine.halted) == (1, [])
    changed = replace(SPEC, options={"max-clients": "3"})
    await _run(nodes, changed)
    assert (len(machine.launched), machine.halted) == (2, [4711])
    assert nodes.record("prod-a") == NodeRecord(changed, NodeMode.NORMAL, CHAIN, (str(KEY.public),))
    config = machine.launched[-1].folder.config.read_text()
    assert "max-clients = 3\n" in config
    assert f"signature-provider = {KEY.public}=KEY:{KEY.wif}" in config


async def test_a_node_that_could_not_start_again_is_not_stopped(
    nodes: Nodes, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its disk is full, or another process has its new port: it runs on, and that is said."""
    await _run(nodes)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port 127.0.0.1:{port} is taken: .*; {UNTOUCHED}"):
            await _run(nodes, replace(SPEC, http_port=port))
    monkeypatch.setattr(launching, "LEAST_SPACE", 1 << 60)
    with pytest.raises(DiskFull, match=f"its disk is full: .*; {UNTOUCHED}"):
        await _run(nodes, replace(SPEC, options={"max-clients": "3"}))
    with pytest.raises(DiskFull, match=UNTOUCHED):
        await nodes.restart("prod-a")
    assert machine.halted == []
    assert nodes.record("prod-a").spec == SPEC
    (status,) = await nodes.status()
    assert (status.state, status.detail) == (NodeState.RUNNING, "")


async def test_its_own_port_is_free_at_another_address(nodes: Nodes, machine: Machine) -> None:
    """The first host elsewhere has a local network's nodes listen on every address: theirs are the ports already."""
    with socket.create_server(("127.0.0.1", 0)) as own:
        port = own.getsockname()[1]
        near = replace(SPEC, p2p_endpoint=f"127.0.0.1:{port}", p2p_bind=f"127.0.0.1:{port}")
        await _run(nodes, near)
        await _run(nodes, replace(near, p2p_bind=f"0.0.0.0:{port}"))
    assert machine.halted == [4711]


async def test_peers_change_while_it_runs(nodes: Nodes, machine: Machine) -> None:
    """Without a restart: the node drops and dials peers at once, and its files have the new ones."""
    await _run(nodes)
    await nodes.set_peers("prod-a", ["h:2", "h:3"])
    assert sorted(machine.client.calls) == [("connect", "h:3"), ("disconnect", "h:1")]
    assert len(machine.launched) == 1
    config = machine.launched[0].folder.config.read_text()
    assert [line for line in config.splitlines() if "peer-address" in line] == [
        "p2p-peer-address = h:2",
        "p2p-peer-address = h:3",
    ]
    folder = machine.launched[0].folder.record()
    assert folder
    assert folder.spec.peers == ("h:2", "h:3")


async def test_it_runs_again_as_it_ran_last(nodes: Nodes, machine: Machine) -> None:
    """Mode, genesis and chain are remembered; a node that never ran has none of these."""
    with pytest.raises(UnknownNode, match="has never run on this host"):
        await nodes.start(SPEC, None)
    await _run(nodes)
    await nodes.stop("prod-a")
    await nodes.start(SPEC, None)
    assert nodes.record("prod-a") == NodeRecord(SPEC, NodeMode.NORMAL, CHAIN, (str(KEY.public),))
    assert machine.launched[-1].folder.genesis.read_bytes() == GENESIS


async def test_two_nodes_never_sign_for_one_producer(nodes: Nodes, machine: Machine) -> None:
    """A second node would sign another block for the same slot; it may run once the first is stopped."""
    await _run(nodes)
    second = replace(SPEC, name="prod-b", http_port=8889, p2p_bind="127.0.0.1:9877", p2p_endpoint="127.0.0.1:9877")
    with pytest.raises(BadConfiguration, match="prod-a signs as prod already"):
        await _run(nodes, second)
    assert len(machine.launched) == 1
    await nodes.stop("prod-a")
    await _run(nodes, second)
    assert len(machine.launched) == 2


async def test_without_its_signing_key_it_does_not_start(nodes: Nodes, machine: Machine) -> None:
    """The message names the producer whose key is missing."""
    with pytest.raises(BadConfiguration, match="no signing key of other"):
        await _run(nodes, replace(SPEC, account="other"))
    assert machine.launched == []


@pytest.mark.parametrize(("fault", "lasting"), [(PortTaken("taken"), False), (BadConfiguration("wrong"), True)])
async def test_a_fault_stays_until_a_start_goes_well(
    nodes: Nodes, machine: Machine, fault: NodeFault, lasting: bool
) -> None:
    """Its status has the reason, and whether a person must repair it."""
    machine.faults = [fault]
    with pytest.raises(NodeFault):
        await _run(nodes)
    (status,) = await nodes.status()
    assert (status.state, status.detail, status.lasting) == (NodeState.FAILED, str(fault), lasting)
    await _run(nodes)
    (status,) = await nodes.status()
    assert (status.state, status.detail, status.lasting) == (NodeState.RUNNING, "", False)


async def test_what_died_is_started_again(nodes: Nodes, machine: Machine) -> None:
    """It starts as it ran before, and stays on record; stale production was for one start only."""
    await _run(nodes)
    nodes._nodes["prod-a"].record = NodeRecord(SPEC, NodeMode.STARTER, CHAIN)
    machine.crash()
    await _becomes(lambda: len(machine.launched) == 2)
    await _seen(nodes, lambda status: status.state is NodeState.RUNNING)
    assert machine.launched[-1].meant
    assert nodes.record("prod-a").mode is NodeMode.NORMAL


async def test_what_keeps_dying_is_given_up(nodes: Nodes, machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    """It is given up after the last pause; when a person starts it again, the count starts over."""
    await _run(nodes)
    machine.faults = [PortTaken("it ends at once") for _ in state.PAUSES]
    machine.crash()
    status = await _seen(nodes, lambda status: status.lasting)
    assert (status.state, status.detail) == (NodeState.FAILED, "it ends at once")
    assert len(machine.launched) == 1 + len(state.PAUSES)
    assert "it ends at once; given up" in caplog.messages
    await _run(nodes)
    machine.crash()
    await _becomes(lambda: len(machine.launched) == 3 + len(state.PAUSES))


async def test_what_was_stopped_stays_stopped(nodes: Nodes, machine: Machine) -> None:
    """It is recorded as stopped on purpose, and the watcher leaves it alone."""
    await _run(nodes)
    await nodes.stop("prod-a")
    (status,) = await nodes.status()
    assert status.state is NodeState.STOPPED
    assert machine.launched[0].folder.process is None
    with pytest.raises(UnknownNode, match="no node prod-x"):
        await nodes.stop("prod-x")


async def test_the_next_agent_adopts_what_runs(tmp_path: Path, machine: Machine) -> None:
    """Nodes outlive their agent, and the next agent finds them, even one whose process was not recorded yet."""
    before = Nodes(tmp_path, _signer)
    await before.open()
    await _run(before)
    with pytest.raises(LockedError):
        await Nodes(tmp_path, _signer).open()
    await before.close()
    folder = NodeFolder(tmp_path / "nodes" / "prod-a")
    folder.forget()
    after = Nodes(tmp_path, _signer)
    await after.open()
    (status,) = await after.status()
    assert (status.state, status.pid) == (NodeState.RUNNING, 4711)
    assert folder.process == Process(4711, 1, "boot")
    await _run(after)
    assert (len(machine.launched), machine.halted) == (1, [])
    await after.close()


async def test_a_recovery_that_an_agent_left_is_ended_first(tmp_path: Path, machine: Machine) -> None:
    """The agent died while the node ran with temporary options: the next agent restarts it with its own."""
    before = Nodes(tmp_path, _signer)
    await before.open()
    await _run(before)
    await before.close()
    NodeFolder(tmp_path / "nodes" / "prod-a").begin_recovery("dirty")
    after = Nodes(tmp_path, _signer)
    await after.open()
    assert machine.halted == [4711]
    await _becomes(lambda: len(machine.launched) == 2)
    await after.close()


async def test_a_watcher_that_fails_looks_again(
    nodes: Nodes, machine: Machine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault such as a full disk: the log has the cause, and the next look tries again."""
    failures = iter([OSError(28, "No space left on device")])

    def ensure(_: Any) -> None:
        for failure in failures:
            raise failure

    monkeypatch.setattr("agent.nodes.watching.nodelogs.ensure", ensure)
    await _run(nodes)
    await _becomes(lambda: caplog.records)
    machine.crash()
    await _becomes(lambda: len(machine.launched) == 2)
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == [
        "[Errno 28] No space left on device"
    ]


@pytest.fixture
def leases(tmp_path: Path) -> Leases:
    """Of the machine's agent."""
    return Leases(Memory(Journal(tmp_path / "journal.sqlite")))


async def _opened(tmp_path: Path, leases: Leases) -> Nodes:
    nodes = Nodes(tmp_path, _signer, leases=leases)
    await nodes.open()
    return nodes


async def test_a_node_gets_its_key_when_the_lease_is_given(tmp_path: Path, machine: Machine, leases: Leases) -> None:
    """Nobody knows when it signed last: it follows the chain without a key, says so, and signs once it may."""
    nodes = await _opened(tmp_path, leases)
    await _run(nodes)
    (status,) = await nodes.status()
    assert status.withheld == "it looks first whether another node signs as prod"
    folder = machine.launched[0].folder
    assert "signature-provider" not in folder.config.read_text()
    await nodes.set_peers("prod-a", ["h:9"])
    assert "signature-provider" not in folder.config.read_text()
    leases.given("prod", 1, look=False)
    await nodes.start(SPEC, None)
    (status,) = await nodes.status()
    assert status.withheld == ""
    assert "signature-provider" in folder.config.read_text()
    await nodes.close()


async def test_a_node_whose_lease_is_taken_goes_on_without_its_key(
    tmp_path: Path, machine: Machine, leases: Leases
) -> None:
    """It pauses at once and is started again; also after a crash, and by the next agent, it has no key."""
    leases.given("prod", 1, look=False)
    nodes = await _opened(tmp_path, leases)
    await _run(nodes)
    folder = machine.launched[0].folder
    leases.taken("prod", "another signs")
    await nodes.withhold("prod-a")
    assert ("call", "/v1/producer/pause") in machine.client.calls
    assert "signature-provider" not in folder.config.read_text()
    machine.crash()
    await _becomes(lambda: len(machine.launched) == 3)
    await nodes.close()
    again = await _opened(tmp_path, leases)
    (status,) = await again.status()
    assert status.withheld == "another signs"
    assert "signature-provider" not in folder.config.read_text()
    await again.close()


async def test_a_node_that_may_not_sign_is_stopped_even_if_it_could_not_start_again(
    tmp_path: Path, machine: Machine, leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its disk is full: better no node than two that sign for one producer."""
    leases.given("prod", 1, look=False)
    nodes = await _opened(tmp_path, leases)
    await _run(nodes)
    monkeypatch.setattr(launching, "LEAST_SPACE", 1 << 60)
    leases.taken("prod", "another signs")
    await nodes.withhold("prod-a")
    assert machine.halted == [4711]
    await nodes.close()


async def test_a_crash_costs_no_look(tmp_path: Path, machine: Machine, leases: Leases) -> None:
    """The agent saw it alive a moment ago: it signs again at once, without any coordinator."""
    leases.given("prod", 1, look=False)
    nodes = await _opened(tmp_path, leases)
    await _run(nodes)
    leases.parted()
    machine.crash()
    await _becomes(lambda: len(machine.launched) == 2)
    assert "signature-provider" in machine.launched[0].folder.config.read_text()
    await nodes.close()
