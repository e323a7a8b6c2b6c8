"""A snapshot that an agent fetches: in parts, from where it was cut off, and never one that was altered."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from agent.duties.snapshots import TRIES, HostSnapshots
from agent.duties.tools import Tools
from agent.errors import SessionEnded
from agent.nodes.first_start import Source
from agent.session import TakePart
from protos import coordination_pb2 as pb
from support.snapshots import SnapshotStore

WHOLE = bytes(range(256)) * 100
WANTED = pb.Snapshot(sha256=hashlib.sha256(WHOLE).hexdigest(), size=len(WHOLE), block=8, block_id="00000008" + "0" * 56)
CHAIN = "c" * 64


@dataclass
class Coordinator:
    """Sends parts of 1000 bytes; as many as it is let, each time."""

    store: SnapshotStore
    let: list[int]
    alter: Callable[[bytes], bytes] = lambda data: data
    asked: list[int] = field(default_factory=list)

    async def fetch_parts(self, sha256: str, offset: int, take: TakePart) -> None:
        """From the offset on."""
        self.asked.append(offset)
        parts = range(offset, len(WHOLE), 1000)
        let = self.let.pop(0)
        for start in parts[:let]:
            await take(self.alter(WHOLE[start : start + 1000]))
        if let < len(parts):
            raise SessionEnded("the connection to the coordinator ended")

    def agent(self) -> HostSnapshots:
        """An agent of this data folder."""
        return HostSnapshots(
            cast(Tools, SimpleNamespace(nodes=None, fetch_parts=self.fetch_parts, snapshots=self.store))
        )


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    """An agent's, empty."""
    return SnapshotStore(tmp_path / "snapshots")


async def test_a_fetch_that_was_cut_off_goes_on(store: SnapshotStore) -> None:
    """By the agent that was killed and started again, too; and what is here is not fetched again."""
    coordinator = Coordinator(store, [7, 100])
    cut = await coordinator.agent().source(WANTED, CHAIN)
    assert cut == f"the snapshot {WANTED.sha256[:16]}… of block 8 is not here: the connection to the coordinator ended"
    for _ in range(2):
        found = await coordinator.agent().source(WANTED, CHAIN)
        assert isinstance(found, Source)
        assert found.path.read_bytes() == WHOLE
    assert coordinator.asked == [0, 7000]


async def test_an_altered_one_is_thrown_away(store: SnapshotStore) -> None:
    """It is asked for again a few times; then the node has to do without."""
    coordinator = Coordinator(store, [100] * 9, alter=lambda data: data.replace(b"\x07", b"\x08"))
    told = await coordinator.agent().source(WANTED, CHAIN)
    assert isinstance(told, str)
    assert "it was changed on its way, or cut off" in told
    assert coordinator.asked == [0] * TRIES
    assert not list(store.folder.iterdir())


@pytest.mark.parametrize("size", [0, 1 << 50], ids=["empty", "huge"])
async def test_one_that_cannot_be_kept_is_not_fetched(store: SnapshotStore, size: int) -> None:
    """Nothing is asked for."""
    coordinator = Coordinator(store, [])
    wanted = pb.Snapshot(sha256=WANTED.sha256, size=size, block=8, block_id=WANTED.block_id)
    assert f"a snapshot of {size} bytes is not fetched" in str(await coordinator.agent().source(wanted, CHAIN))
    assert coordinator.asked == []
