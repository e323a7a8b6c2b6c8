"""Starting one nodeos, and building its state again after a crash, with a process and a chain that are played."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.errors import (
    BadConfiguration,
    DirtyDatabase,
    DiskFull,
    FolderInUse,
    NodeFault,
    NotAnswering,
    OtherChain,
    PortTaken,
    Unfinished,
)
from agent.nodeos.config import STALE_PRODUCTION
from agent.nodeos.spec import NodeSpec
from agent.nodes import launch as launching
from agent.nodes.folder import NodeFolder
from agent.nodes.launch import Launch, bring_up, check_room, halt, start
from antelope.answers import Info, PeerLink
from antelope.errors import Unreachable
from inventory.network import Role
from support.processes import Process, StillRunningError

CHAIN = "c" * 64
SPEC = NodeSpec("prod-a", Role.PRODUCER, "prod", "127.0.0.1:9876", "127.0.0.1:9876", 8888, peers=("127.0.0.1:9877",))
PROCESS = Process(4711, 1, "boot")


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    """A producer's node with one peer."""
    folder = NodeFolder(tmp_path / "nodes" / SPEC.name)
    folder.make()
    (folder.data / "state").mkdir(parents=True)
    (folder.data / "blocks").mkdir()
    return Launch(folder, ("nodeos", "--config-dir", "x"), SPEC, CHAIN, keep_blocks=False)


@dataclass
class Starts:
    """What each start comes to, in order; and how each was asked for."""

    outcomes: list[NodeFault | None]
    asked: list[tuple[tuple[str, ...], float]] = field(default_factory=list)
    state: list[bool] = field(default_factory=list)
    """Whether the node's state was there."""

    async def __call__(self, launch: Launch, deadline: float = launching.READY_SECONDS) -> Process:
        self.asked.append((launch.command, deadline))
        self.state.append((launch.folder.data / "state").exists())
        outcome = self.outcomes.pop(0)
        if outcome:
            raise outcome
        launch.folder.remember(PROCESS)
        return PROCESS


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Starts]:
    """Lets the starts come to this."""

    def play(*outcomes: NodeFault | None) -> Starts:
        starts = Starts(list(outcomes))
        monkeypatch.setattr(launching, "start", starts)
        return starts

    return play


async def test_a_sound_node_is_started_once(launch: Launch, play: Callable[..., Starts]) -> None:
    """Nothing of it is touched."""
    starts = play(None)
    assert await bring_up(launch) == PROCESS
    assert starts.state == [True]
    assert not launch.folder.recovering


async def test_after_a_crash_it_replays_its_blocks(launch: Launch, play: Callable[..., Starts]) -> None:
    """Without its state, and with the time that a replay takes; its blocks stay."""
    starts = play(DirtyDatabase("dirty"), None)
    await bring_up(launch)
    assert starts.state == [True, False]
    assert [deadline for _, deadline in starts.asked] == [launching.READY_SECONDS, launching.REPLAY_SECONDS]
    assert (launch.folder.data / "blocks").exists()
    assert not launch.folder.recovering


async def test_a_recovery_that_was_cut_off_is_done_again(launch: Launch, play: Callable[..., Starts]) -> None:
    """The agent died in between: what is there of its state is not trusted."""
    launch.folder.begin_recovery()
    starts = play(None)
    await bring_up(launch)
    assert starts.state == [False]
    assert not launch.folder.recovering


async def test_blocks_that_cannot_be_replayed_come_from_its_peers(launch: Launch, play: Callable[..., Starts]) -> None:
    """Everything is removed then, and the node starts as a fresh one."""
    play(DirtyDatabase("dirty"), DirtyDatabase("dirty"), None)
    await bring_up(launch)
    assert not launch.folder.data.exists()
    assert not launch.folder.recovering


@pytest.mark.parametrize("fault", [DirtyDatabase("dirty"), NotAnswering("crashed")])
@pytest.mark.parametrize("change", [{"keep_blocks": True}, {"spec": replace(SPEC, peers=())}])
async def test_the_only_blocks_are_never_removed(
    launch: Launch, play: Callable[..., Starts], fault: NodeFault, change: dict[str, Any]
) -> None:
    """The genesis node's, or a lone node's: the error says where they are, and the next start replays."""
    play(DirtyDatabase("dirty"), fault)
    with pytest.raises(NodeFault, match="they are kept in"):
        await bring_up(replace(launch, **change))
    assert (launch.folder.data / "blocks").exists()
    assert launch.folder.recovering


async def test_a_replay_that_did_not_end_says_nothing_of_the_blocks(
    launch: Launch, play: Callable[..., Starts]
) -> None:
    """It took too long, or was stopped: it is replayed again, and nothing is removed."""
    play(DirtyDatabase("dirty"), Unfinished("too slow"))
    with pytest.raises(Unfinished):
        await bring_up(launch)
    assert (launch.folder.data / "blocks").exists()
    assert launch.folder.recovering


async def test_another_fault_is_no_crash(launch: Launch, play: Callable[..., Starts]) -> None:
    """A wrong option is not mended by a replay."""
    starts = play(BadConfiguration("unknown option"))
    with pytest.raises(BadConfiguration):
        await bring_up(launch)
    assert len(starts.asked) == 1
    assert not launch.folder.recovering


@dataclass
class Chain:
    """A node's answers; and the process that gives them."""

    chain_id: str = CHAIN
    head: int = 100
    peers: tuple[int, ...] = (100,)
    silent: int = 0
    """So many questions are not answered at first."""
    alive: bool = True
    stopped: list[int] = field(default_factory=list)
    stubborn: bool = False

    async def __aenter__(self) -> Chain:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing to close."""

    async def get_info(self) -> Info:
        """The head."""
        if self.silent:
            self.silent -= 1
            raise Unreachable("connection refused")
        return Info(self.chain_id, self.head, "00" * 32, datetime.now(UTC), "x", 90, "00" * 32, None, "v5")

    async def connections(self) -> list[PeerLink]:
        """Its peers."""
        return [PeerLink("p:1", False, False, True, "p:1", head, None) for head in self.peers]

    def stop(self, process: Any) -> None:
        """Stops the process."""
        if self.stubborn:
            raise StillRunningError("process 4711 is still there")
        self.stopped.append(process.pid)
        self.alive = False


@dataclass(frozen=True)
class Played:
    """A process that lives as long as its chain says."""

    chain: Chain
    pid: int = 4711

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.chain.alive

    def write(self, path: Path) -> None:
        """As any other process."""
        PROCESS.write(path)


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch) -> Chain:
    """The node that every start gives."""
    chain = Chain()
    processes = SimpleNamespace(start=lambda *_, **__: Played(chain), stop=chain.stop)
    monkeypatch.setattr(launching, "processes", processes)
    monkeypatch.setattr(launching, "nodelogs", SimpleNamespace(ensure=lambda _: None))
    monkeypatch.setattr(launching, "NodeClient", lambda *_, **__: chain)
    return chain


async def test_it_is_started_when_it_answers_for_the_sealed_chain(launch: Launch, chain: Chain) -> None:
    """A node that needs a moment is waited for, and is on record from its first moment."""
    chain.silent = 3
    await start(launch)
    assert launch.folder.process == PROCESS
    assert "bootcoord starts nodeos" in launch.folder.log.read_text()
    assert chain.stopped == []


@pytest.mark.parametrize(
    ("change", "deadline", "fault", "words"),
    [
        ({"chain_id": "d" * 64}, 5.0, OtherChain, "the sealed one is cccc"),
        ({"silent": 10_000}, 0.1, Unfinished, "does not answer 0.1 s after its start"),
        ({"alive": False}, 5.0, NodeFault, "node prod-a"),
    ],
)
@pytest.mark.parametrize("meant", [False, True])
async def test_what_does_not_run_is_ended(
    launch: Launch,
    chain: Chain,
    change: dict[str, Any],
    deadline: float,
    fault: type[NodeFault],
    words: str,
    meant: bool,
) -> None:
    """Of another chain, silent, or dead: it is stopped, and is on record only where it was meant to run before."""
    for name, value in change.items():
        setattr(chain, name, value)
    with pytest.raises(fault, match=words):
        await start(replace(launch, meant=meant), deadline)
    assert chain.stopped == [4711]
    assert (launch.folder.process == PROCESS) is meant


async def test_a_node_that_makes_blocks_alone_first_takes_its_peers_blocks(
    launch: Launch, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash lost blocks that its peers have: others at the same heights would be a fork. It runs without -e until
    it has them, is stopped, and is then started with it.
    """
    commands: list[tuple[str, ...]] = []

    def begin(command: tuple[str, ...], **_: Any) -> Played:
        commands.append(command)
        chain.alive = True
        return Played(chain)

    monkeypatch.setattr("agent.nodes.launch.processes.start", begin)
    launch.folder.begin_recovery()
    chain.silent = 2
    await bring_up(replace(launch, command=("nodeos", STALE_PRODUCTION)))
    assert commands == [("nodeos",), ("nodeos", STALE_PRODUCTION)]
    assert chain.stopped == [4711]
    assert not launch.folder.recovering


async def test_a_node_without_peers_that_answer_starts_with_what_it_has(
    launch: Launch, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has later blocks, then: waiting longer would leave the chain standing."""
    monkeypatch.setattr(launching, "PEERS_SECONDS", 0.05)
    launch.folder.begin_recovery()
    chain.peers = ()
    monkeypatch.setattr("agent.nodes.launch.processes.stop", lambda process: chain.stopped.append(process.pid))
    await bring_up(replace(launch, command=("nodeos", STALE_PRODUCTION)))
    assert chain.stopped == [4711]
    assert not launch.folder.recovering


async def test_a_process_that_does_not_end_is_a_fault(chain: Chain) -> None:
    """It is not killed, and the line names the node."""
    chain.stubborn = True
    with pytest.raises(NodeFault, match="node prod-a: process 4711 is still there"):
        await halt("prod-a", PROCESS)


def test_a_taken_port_is_named_before_anything_is_written(launch: Launch) -> None:
    """Of the two, whichever it is."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
        for spec in (replace(SPEC, http_port=port), replace(SPEC, http_port=1024, p2p_bind=f"127.0.0.1:{port}")):
            with pytest.raises(PortTaken, match=f"node prod-a: port 127.0.0.1:{port} is taken"):
                check_room(replace(launch, spec=spec))


@pytest.fixture
def roomy(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> Launch:
    """Its ports are free, whatever runs on this machine."""
    monkeypatch.setattr(launching, "_free", lambda _: True)
    return launch


def test_a_full_disk_and_a_foreign_process_are_named(roomy: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do; with room, and alone, it may start."""
    check_room(roomy)
    monkeypatch.setattr(
        "agent.nodes.launch.shutil.disk_usage", lambda _: SimpleNamespace(free=launching.LEAST_SPACE - 1)
    )
    with pytest.raises(DiskFull, match=r"299 MB are free at .*, 300 MB needed"):
        check_room(roomy)
    monkeypatch.setattr(NodeFolder, "owned", lambda _: True)
    with pytest.raises(FolderInUse, match="another process has"):
        check_room(roomy)
