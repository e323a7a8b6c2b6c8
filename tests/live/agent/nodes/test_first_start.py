"""Nodes that begin with a snapshot, on real nodeos: taken, refused, killed, mended, and followed by peers' blocks."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from agent.nodeos.spec import NodeSpec
from agent.nodes import beginning
from agent.nodes.beginning import Beginning
from agent.nodes.first_start import Source
from agent.nodes.folder import NodeFolder
from agent.nodes.supervisor import Nodes
from antelope.errors import NodeError
from boot.step import NodeMode
from inventory.network import Role
from protos.states import NodeState
from support.artifacts import sha256_of
from support.retry import poll
from tests.live.agent.conftest import Bench, Chain, head, status


@dataclass
class Stage:
    """A genesis node that runs, a snapshot of it, and a follower that has never run."""

    bench: Bench
    nodes: Nodes
    follower: NodeSpec
    source: Source

    @property
    def folder(self) -> NodeFolder:
        """The follower's."""
        return NodeFolder(self.bench.data / "nodes" / "follower")

    async def start(self, source: Source | None = None) -> str:
        """Starts the follower."""
        chain = self.bench.chain
        return await self.nodes.start(self.follower, NodeMode.NORMAL, chain.genesis, chain.id, source)

    async def level(self) -> None:
        """Waits until the follower has the genesis node's newest blocks."""
        await head(self.nodes, "follower", (await status(self.nodes, "genesis")).head + 2)

    async def whole(self) -> bool:
        """Whether the follower has the chain's first blocks."""
        try:
            await self.nodes.client("follower").get_block_info(2)
        except NodeError:
            return False
        return True

    async def back(self, pid: int) -> None:
        """Waits until the follower runs as another process."""

        async def restarted() -> bool:
            found = await status(self.nodes, "follower")
            return found.state is NodeState.RUNNING and found.pid != pid

        await poll(restarted, what="the restart", deadline=30)


async def _snapshot(nodes: Nodes, place: Path) -> Source:
    path = Path(await nodes.client("genesis").create_snapshot())
    block_id = path.stem.removeprefix("snapshot-")
    kept = place / path.name
    shutil.move(path, kept)
    return Source(kept, Beginning(sha256_of(kept), int(block_id[:8], 16), block_id))


@pytest.fixture
async def stage(bench: Bench, tmp_path: Path) -> Stage:
    """Eight blocks are made before the snapshot."""
    nodes = await bench.agent()
    genesis = bench.spec("genesis")
    await bench.start(nodes, genesis)
    await head(nodes, "genesis", 8)
    source = await _snapshot(nodes, tmp_path)
    return Stage(bench, nodes, bench.spec("follower", Role.FULL, (genesis.p2p_endpoint,)), source)


async def test_a_node_begins_with_a_snapshot_and_goes_on_from_it(stage: Stage) -> None:
    """It has no block before the snapshot's, its peers' blocks follow, and a restart needs nothing of it again."""
    assert await stage.start(stage.source) == ""
    await stage.level()
    assert (await status(stage.nodes, "follower")).since == stage.source.beginning.block
    assert not await stage.whole()

    async def confirmed() -> bool:
        return bool(stage.folder.beginning and stage.folder.beginning.confirmed)

    await poll(confirmed, what="its peers' blocks to follow", deadline=20)
    await stage.nodes.stop("follower")
    stage.source.path.unlink()
    assert await stage.start() == ""
    await stage.level()


async def test_a_node_that_began_with_a_snapshot_is_mended_from_it(stage: Stage) -> None:
    """Killed; its state gone; its log cut; all its data gone; at last the snapshot, too, and it has every block."""
    await stage.start(stage.source)
    await stage.level()
    pid = (await status(stage.nodes, "follower")).pid
    os.kill(pid, signal.SIGKILL)
    await stage.back(pid)
    await stage.level()
    log = stage.folder.blocks / "blocks.log"
    tears: tuple[Callable[[], None], ...] = (
        lambda: shutil.rmtree(stage.folder.state),
        lambda: os.truncate(log, log.stat().st_size - 50),
        lambda: shutil.rmtree(stage.folder.data),
    )
    for tear in tears:
        await stage.nodes.stop("follower")
        tear()
        await stage.start()
        await stage.level()
        assert not await stage.whole()
        assert stage.folder.recovering is None
    await stage.nodes.stop("follower")
    shutil.rmtree(stage.folder.data)
    os.truncate(stage.folder.begun_from.file, 100)
    await stage.start()
    await stage.level()
    assert await stage.whole()
    assert (await status(stage.nodes, "follower")).since == 0


def _flip(source: Source) -> Source:
    with source.path.open("r+b") as file:
        file.seek(source.path.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
    return source


def _cut(source: Source) -> Source:
    os.truncate(source.path, source.path.stat().st_size // 2)
    return Source(source.path, Beginning(sha256_of(source.path), source.beginning.block, source.beginning.block_id))


def _other_block(source: Source) -> Source:
    return Source(source.path, Beginning(source.beginning.sha256, 9, "00000009" + "0" * 56))


async def test_a_wrong_snapshot_is_refused(bench: Bench, stage: Stage) -> None:
    """A half, another block's, another chain's, a bit flipped: told in a line, nothing is left, and the node syncs."""
    other = Bench(bench.data.with_name("other"), bench.nodeos, bench.bundled)
    nodes = await other.agent()
    bench.opened.append(nodes)
    try:
        await other.start(nodes, other.spec("genesis"))
        await head(nodes, "genesis", 4)
        foreign = await _snapshot(nodes, bench.data.parent)
    finally:
        await nodes.stop("genesis")
    half, flipped = bench.data.with_name("half"), bench.data.with_name("flipped")
    for copy in (half, flipped):
        shutil.copy(stage.source.path, copy)
    cases = (
        (_cut(replace(stage.source, path=half)), "is cut off"),
        (_other_block(stage.source), "of another block than 9"),
        (foreign, "it is of another chain than"),
        (_flip(replace(stage.source, path=flipped)), "its bytes are not those of its name"),
    )
    for source, why in cases:
        said = await stage.start(source)
        assert said.startswith("follower refuses the snapshot ")
        assert why in said
        assert said.endswith("it syncs from its peers")
        assert stage.folder.beginning is None
        if why != cases[-1][1]:
            await stage.nodes.stop("follower")
            shutil.rmtree(stage.folder.path)
    await stage.level()
    assert await stage.whole()


async def test_a_snapshot_that_peers_do_not_follow_is_given_up(
    bench: Bench, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same chain's id, and blocks that nobody else has: the node waits for a while, then syncs from its peers."""
    monkeypatch.setattr(beginning, "PATIENCE_SECONDS", 3.0)
    fork = Bench(bench.data.with_name("fork"), bench.nodeos, bench.bundled, Chain(bench.chain.key, bench.chain.started))
    nodes = await fork.agent()
    bench.opened.append(nodes)
    try:
        await fork.start(nodes, fork.spec("genesis"))
        await head(nodes, "genesis", 4)
        source = await _snapshot(nodes, bench.data.parent)
    finally:
        await nodes.stop("genesis")
    assert await stage.start(source) == ""
    await poll(stage.whole, what="the chain's first blocks", deadline=40)
    await stage.level()
    assert stage.folder.beginning is None
