"""Starting one nodeos, with a simulated process and chain."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.errors import (
    DamagedBlocks,
    DiskFull,
    FolderInUse,
    NodeFault,
    OtherChain,
    PortTaken,
    Unfinished,
)
from agent.nodeos.spec import NodeSpec
from agent.nodes import launch as launching
from agent.nodes.folder import NodeFolder
from agent.nodes.launch import Launch, check_room, halt, start
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
    return Launch(folder, ("nodeos", "--config-dir", "x"), SPEC, CHAIN)


@dataclass
class Chain:
    """A node's answers, and the process that gives them."""

    chain_id: str = CHAIN
    head: int = 100
    peers: tuple[int, ...] = (100,)
    silent: int = 0
    """This many questions fail at first."""
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

    def stop_node(self, folder: Path) -> None:
        """Stops the process."""
        if self.stubborn:
            raise StillRunningError("process 4711 is still there")
        self.stopped.append(4711)
        self.alive = False


@dataclass(frozen=True)
class Played:
    """A process that lives as long as its chain says."""

    chain: Chain
    pid: int = 4711

    ended: int | None = None

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
    monkeypatch.setattr(launching, "processes", SimpleNamespace(start=lambda *_, **__: Played(chain)))
    monkeypatch.setattr(
        launching,
        "node_processes",
        SimpleNamespace(stop_node=chain.stop_node, family=lambda _: (), HERE="/proc/self/cwd"),
    )
    monkeypatch.setattr(launching, "nodelogs", SimpleNamespace(ensure=lambda _: None))
    monkeypatch.setattr(launching, "NodeClient", lambda *_, **__: chain)
    return chain


async def test_it_is_started_when_it_answers_for_the_sealed_chain(launch: Launch, chain: Chain) -> None:
    """A slow node is waited for, and is on record from its first moment."""
    chain.silent = 3
    await start(launch)
    assert launch.folder.process == PROCESS
    assert "bootcoord starts nodeos" in launch.folder.log.path.read_text()
    assert chain.stopped == []


async def test_a_chain_that_lost_blocks_is_not_started(launch: Launch, chain: Chain) -> None:
    """A node that has fewer irreversible blocks than it once had is damaged, even if nodeos itself starts."""
    launch.folder.lower_reached(101)
    with pytest.raises(DamagedBlocks, match="only 100 of its 101 blocks"):
        await start(launch)
    assert chain.stopped == [4711]
    launch.folder.lower_reached(100)
    chain.alive = True
    await start(launch)


async def test_what_a_first_start_left_half_made_is_removed(launch: Launch, chain: Chain) -> None:
    """The leftovers of a failed first start are removed; a folder with a chain in it is not touched."""
    chain.alive = False
    with pytest.raises(NodeFault):
        await start(launch)
    assert not launch.folder.data.exists()
    launch.folder.blocks.mkdir(parents=True)
    (launch.folder.blocks / "blocks.index").write_bytes(bytes(16))
    with pytest.raises(NodeFault):
        await start(launch)
    assert (launch.folder.blocks / "blocks.index").exists()


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
    """A node on another chain, a silent or a dead one is stopped; its record stays only if it had one before."""
    for name, value in change.items():
        setattr(chain, name, value)
    with pytest.raises(fault, match=words):
        await start(replace(launch, meant=meant), deadline)
    assert chain.stopped == [4711]
    assert (launch.folder.process == PROCESS) is meant


async def test_a_process_that_does_not_end_is_a_fault(launch: Launch, chain: Chain) -> None:
    """It is not killed, and the message names the node."""
    chain.stubborn = True
    with pytest.raises(NodeFault, match="node prod-a: process 4711 is still there"):
        await halt(launch.folder)


def test_a_taken_port_is_named_before_anything_is_written(launch: Launch) -> None:
    """The message names whichever of the two ports is taken."""
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
    """The message says what to do; with enough space, and with the folder unused, the node may start."""
    check_room(roomy)
    monkeypatch.setattr(
        "agent.nodes.launch.shutil.disk_usage", lambda _: SimpleNamespace(free=launching.LEAST_SPACE - 1)
    )
    with pytest.raises(DiskFull, match=r"299 MB are free at .*, 300 MB needed"):
        check_room(roomy)
    monkeypatch.setattr(NodeFolder, "owned", lambda _: True)
    with pytest.raises(FolderInUse, match="another process has"):
        check_room(roomy)
