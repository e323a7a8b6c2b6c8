"""Repairing a node's chain, with simulated starts: what is tried, in which order, and what happens to its files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.errors import (
    BadConfiguration,
    Crashed,
    DamagedBlocks,
    DamagedFeatures,
    DamagedForks,
    DamagedState,
    NodeFault,
    NotAnswering,
    Unfinished,
)
from agent.nodeos.config import STALE_PRODUCTION
from agent.nodeos.spec import NodeSpec
from agent.nodes import recovery, remedies
from agent.nodes.folder import NodeFolder
from agent.nodes.launch import HARD_REPLAY, READY_SECONDS, Launch
from agent.nodes.recovery import bring_up, choose
from agent.nodes.remedies import Remedy
from antelope.answers import Info, PeerLink
from inventory.network import Role
from support.processes import Process

SPEC = NodeSpec("prod-a", Role.PRODUCER, "prod", "127.0.0.1:9876", "127.0.0.1:9876", 8888, peers=("127.0.0.1:9877",))
PROCESS = Process(4711, 1, "boot")


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    """A producer's node with one peer and 90 blocks."""
    folder = NodeFolder(tmp_path / "nodes" / SPEC.name)
    folder.make()
    (folder.blocks / "reversible").mkdir(parents=True)
    folder.state.mkdir()
    for name in ("blocks.log", "blocks.index", "reversible/fork_db.dat"):
        (folder.blocks / name).write_bytes(b"only one")
    (folder.state / "shared_memory.bin").write_bytes(b"state")
    folder.note_reached(90)
    return Launch(folder, ("nodeos", "--config-dir", "x"), SPEC, "c" * 64)


@dataclass
class Nodeos:
    """The outcome of each start, in order; how each was requested; which files were there; and the running node's
    answers.
    """

    outcomes: list[NodeFault | None]
    asked: list[tuple[tuple[str, ...], float]] = field(default_factory=list)
    there: list[set[str]] = field(default_factory=list)
    head: int = 100
    peers: tuple[int, ...] = (100,)

    async def start(self, launch: Launch, deadline: float = READY_SECONDS) -> Process:
        """One start."""
        self.asked.append((launch.command[3:], deadline))
        data = launch.folder.data
        self.there.append({str(path.relative_to(data)) for path in data.rglob("*") if path.is_file()})
        outcome = self.outcomes.pop(0)
        if HARD_REPLAY in launch.command:  # as nodeos does
            launch.folder.blocks.rename(data / "blocks-2026")
            launch.folder.blocks.mkdir()
        if outcome:
            raise outcome
        return PROCESS

    async def __aenter__(self) -> Nodeos:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing to close."""

    async def get_info(self) -> Info:
        """The head."""
        return Info("c" * 64, self.head, "00" * 32, datetime.now(UTC), "x", 90, "00" * 32, None, "v5")

    async def connections(self) -> list[PeerLink]:
        """Its peers."""
        return [PeerLink("p:1", False, False, True, "p:1", head, None) for head in self.peers]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Nodeos]:
    """Sets the outcomes of the next starts."""

    def play(*outcomes: NodeFault | None) -> Nodeos:
        nodeos = Nodeos(list(outcomes))

        async def halt(_: NodeFolder) -> None:
            """It ends."""

        monkeypatch.setattr(recovery, "start", nodeos.start)
        monkeypatch.setattr(remedies, "start", nodeos.start)
        monkeypatch.setattr(remedies, "halt", halt)
        monkeypatch.setattr(remedies, "NodeClient", lambda *_, **__: nodeos)
        monkeypatch.setattr(remedies, "PEERS_SECONDS", 0.05)
        return nodeos

    return play


@pytest.mark.parametrize(
    ("fault", "tried", "peers", "remedy"),
    [
        (DamagedState("x"), (), True, Remedy.REPLAY),
        (Crashed("x"), (), True, Remedy.REPLAY),
        (DamagedForks("x"), (), False, Remedy.FORKS),
        (DamagedFeatures("x"), (), False, Remedy.FEATURES),
        (DamagedBlocks("x"), (), False, Remedy.HARD_REPLAY),
        (DamagedBlocks("x"), (Remedy.REPLAY,), False, Remedy.HARD_REPLAY),
        (DamagedState("x"), (Remedy.REPLAY,), True, Remedy.HARD_REPLAY),
        (NotAnswering("x"), (Remedy.HARD_REPLAY,), True, Remedy.FETCH),
        (DamagedBlocks("x"), (Remedy.HARD_REPLAY,), False, Remedy.STATE),
        (DamagedFeatures("x"), (Remedy.REPLAY,), False, Remedy.FEATURES),
        (DamagedBlocks("x"), (Remedy.HARD_REPLAY, Remedy.STATE), False, None),
    ],
)
def test_what_is_tried_next(fault: NodeFault, tried: tuple[Remedy, ...], peers: bool, remedy: Remedy | None) -> None:
    """First the remedy that fits the fault, then the next costlier one; none twice, and no peers if there are none."""
    assert choose(fault, tried, peers=peers) is remedy


async def test_a_sound_node_is_started_once(launch: Launch, play: Callable[..., Nodeos]) -> None:
    """Nothing of it is touched."""
    nodeos = play(None)
    assert await bring_up(launch) == PROCESS
    assert nodeos.asked == [((), READY_SECONDS)]
    assert launch.folder.recovering is None


async def test_after_a_crash_it_replays_its_blocks(launch: Launch, play: Callable[..., Nodeos]) -> None:
    """The state is put aside, and a replay gets the time it needs; if that helped, the old state is removed."""
    nodeos = play(DamagedState("dirty"), None, None)
    await bring_up(launch)
    assert nodeos.asked[1] == ((), remedies.REPLAY_SECONDS)
    assert nodeos.there[1] == {"blocks/blocks.log", "blocks/blocks.index", "blocks/reversible/fork_db.dat"}
    assert launch.folder.recovering is None
    assert list(launch.folder.path.glob("set-aside/*")) == []


async def test_a_recovery_that_was_cut_off_is_done_again(launch: Launch, play: Callable[..., Nodeos]) -> None:
    """The agent died during a recovery: the half-built state is not trusted, and the blocks are restored."""
    launch.folder.begin_recovery("node prod-a: dirty")
    launch.folder.blocks.rename(launch.folder.data / "blocks-2026")
    launch.folder.blocks.mkdir()
    nodeos = play(None, None)
    await bring_up(launch)
    assert nodeos.there[0] == {"blocks/blocks.log", "blocks/blocks.index", "blocks/reversible/fork_db.dat"}
    assert launch.folder.recovering is None


async def test_what_was_put_aside_when_the_agent_was_killed_comes_back(
    launch: Launch, play: Callable[..., Nodeos]
) -> None:
    """Killed while it asked peers for the chain: the next start works with the node's own files, not with an empty
    chain beside them.
    """
    folder = launch.folder
    before = {path: path.read_bytes() for path in folder.data.rglob("*") if path.is_file()}
    folder.begin_recovery("node prod-a: cut off")
    folder.set_aside(folder.data, provisional=True)
    (folder.blocks / "reversible").mkdir(parents=True)
    (folder.blocks / "blocks.log").write_bytes(b"one block")
    lost = play(*[DamagedBlocks("cut off")] * 3)
    lost.peers = ()
    with pytest.raises(NodeFault, match="cut off"):
        await bring_up(replace(launch, spec=replace(SPEC, peers=())))
    assert lost.there[0] == {str(path.relative_to(folder.data)) for path in before if "state" not in path.parts}
    assert {path: path.read_bytes() for path in folder.data.rglob("*") if path.is_file()} == before
    assert not list(folder.path.glob("set-aside/*"))


async def test_a_hard_replay_that_leaves_nothing_is_none(launch: Launch, play: Callable[..., Nodeos]) -> None:
    """A chain with only its first block, which every node makes, does not count as repaired: the blocks stay."""
    before = {path: path.read_bytes() for path in launch.folder.data.rglob("*") if path.is_file()}
    nodeos = play(DamagedBlocks("node prod-a: cut off"), None, None)
    nodeos.head, nodeos.peers = 1, (1,)
    with pytest.raises(Unfinished, match="none of its peers answers that has its blocks"):
        await bring_up(launch)
    assert {path: path.read_bytes() for path in launch.folder.data.rglob("*") if path.is_file()} == before
    assert launch.folder.reached == 90


async def test_a_hard_replay_keeps_the_blocks_as_they_were(launch: Launch, play: Callable[..., Nodeos]) -> None:
    """Blocks that nodeos could not read may be the only copy, so they are kept."""
    nodeos = play(DamagedBlocks("cut off"), None, None)
    await bring_up(launch)
    assert nodeos.asked[1] == ((HARD_REPLAY,), remedies.REPLAY_SECONDS)
    (kept,) = launch.folder.path.glob("set-aside/*/blocks-2026/blocks.log")
    assert kept.read_bytes() == b"only one"


async def test_blocks_that_cannot_be_read_come_from_its_peers(launch: Launch, play: Callable[..., Nodeos]) -> None:
    """Everything is put aside once a peer proves that it has the blocks; the node then starts as a fresh one."""
    nodeos = play(DamagedBlocks("cut off"), DamagedBlocks("empty"), None, None)
    await bring_up(launch)
    assert nodeos.there[2:] == [set(), set()]
    (kept,) = launch.folder.path.glob("set-aside/*/data/blocks/blocks.log")
    assert kept.read_bytes() == b"only one"
    assert launch.folder.reached == 1


@pytest.mark.parametrize("peers", [(), (1, 89)], ids=["no answer", "peers that lost theirs, too"])
async def test_blocks_that_no_peer_has_stay_where_they_are(
    launch: Launch, play: Callable[..., Nodeos], peers: tuple[int, ...]
) -> None:
    """Nodes that lost their files together do not accept each other's empty chains, and put nothing aside."""
    before = {path: path.read_bytes() for path in launch.folder.data.rglob("*") if path.is_file()}
    nodeos = play(DamagedBlocks("cut off"), DamagedBlocks("empty"), None)
    nodeos.peers = peers
    with pytest.raises(Unfinished, match="none of its peers answers that has its blocks: start them first"):
        await bring_up(launch)
    assert {path: path.read_bytes() for path in launch.folder.data.rglob("*") if path.is_file()} == before
    assert launch.folder.reached == 90


async def test_what_does_not_help_changes_nothing(launch: Launch, play: Callable[..., Nodeos]) -> None:
    """A lone node that no remedy helps: all files are back in place, and the first reason is reported."""
    lone = replace(launch, spec=replace(SPEC, peers=()))
    before = {path: path.read_bytes() for path in launch.folder.data.rglob("*") if path.is_file()}
    play(DamagedBlocks("node prod-a: first"), DamagedBlocks("second"), DamagedState("third"))
    with pytest.raises(
        NodeFault, match=r"^node prod-a: first; neither a hard replay nor continuing from its state alone"
    ):
        await bring_up(lone)
    assert {path: path.read_bytes() for path in launch.folder.data.rglob("*") if path.is_file()} == before
    assert launch.folder.recovering == "node prod-a: first"


async def test_a_replay_that_did_not_end_says_nothing_of_the_blocks(
    launch: Launch, play: Callable[..., Nodeos]
) -> None:
    """A replay that was stopped or took too long is repeated, and nothing is removed."""
    play(DamagedState("dirty"), Unfinished("too slow"))
    with pytest.raises(Unfinished):
        await bring_up(launch)
    assert (launch.folder.state / "shared_memory.bin").exists()
    assert launch.folder.recovering == "dirty"


async def test_another_fault_is_no_damage(launch: Launch, play: Callable[..., Nodeos]) -> None:
    """A replay does not mend a wrong option, so none is tried."""
    nodeos = play(BadConfiguration("unknown option"))
    with pytest.raises(BadConfiguration):
        await bring_up(launch)
    assert len(nodeos.asked) == 1
    assert launch.folder.recovering is None


async def test_a_node_that_makes_blocks_alone_first_takes_its_peers_blocks(
    launch: Launch, play: Callable[..., Nodeos]
) -> None:
    """A crash lost blocks that the peers have; new blocks at the same heights would be a fork. So the node runs without
    -e until it has them, is stopped, and is then started with -e.
    """
    nodeos = play(DamagedState("dirty"), None, None)
    await bring_up(replace(launch, command=(*launch.command, STALE_PRODUCTION)))
    assert [command for command, _ in nodeos.asked] == [(STALE_PRODUCTION,), (), (STALE_PRODUCTION,)]


async def test_a_node_without_peers_that_answer_starts_with_what_it_has(
    launch: Launch, play: Callable[..., Nodeos]
) -> None:
    """If no peer has later blocks, waiting longer would only stall the chain."""
    play(DamagedState("dirty"), None, None).peers = ()
    await bring_up(replace(launch, command=(*launch.command, STALE_PRODUCTION)))
    assert launch.folder.recovering is None


@pytest.mark.parametrize("peers", [(), (1,)])
async def test_it_never_begins_its_chain_again(
    launch: Launch, play: Callable[..., Nodeos], peers: tuple[int, ...]
) -> None:
    """All blocks are lost and no peer has them: the node waits for one, and its files are unchanged."""
    nodeos = play(DamagedState("dirty"), None, DamagedBlocks("empty"), None)
    nodeos.head, nodeos.peers = 1, peers
    with pytest.raises(Unfinished, match="none of its peers answers that has"):
        await bring_up(replace(launch, command=(*launch.command, STALE_PRODUCTION)))
    assert STALE_PRODUCTION not in [part for command, _ in nodeos.asked[1:] for part in command]
    assert (launch.folder.blocks / "blocks.log").read_bytes() == b"only one"


async def test_the_first_reason_stays(launch: Launch) -> None:
    """The first reason stays on record through all further tries, until the node runs."""
    folder = launch.folder
    assert folder.blame("first") == "first"
    assert folder.blame("first") == "first"
    assert folder.blame("second") == "first; then: second"
    folder.forgive()
    assert folder.blame("second") == "second"
