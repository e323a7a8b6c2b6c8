"""What an agent does when another node signs with the key of its own producer, or no longer does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.errors import DiskFull
from agent.memory import Memory
from agent.nodes import signers
from agent.nodes.folder import NodeFolder, Withheld
from agent.nodes.leases import Leases, Standing
from agent.nodes.signers import watch_signers
from agent.nodes.supervisor import Nodes
from antelope.answers import Schedule, ScheduledProducer, Schedules
from antelope.keys import PrivateKey, PublicKey
from boot.step import NodeMode
from inventory.network import Role
from support.journal import Journal
from support.retry import poll

NAME = "prod"
OWN, OTHER = (PrivateKey(bytes(31) + bytes((number,))).public for number in (1, 2))
BEGAN = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
LINE = (
    "info  x nodeos net.cpp:1 on_block ] Received block {id}... #{num} @ 2026-01-01T00:00:{second:02}.000 "
    "signed by prod\n"
)


class Watched:
    """One node of a producer, and what the agent did with it."""

    def __init__(self, folder: Path, key: PublicKey = OWN) -> None:
        self.files = NodeFolder(folder / NAME)
        self.files.make()
        self.files.log.begin(["nodeos"])
        self.leases = Leases(Memory(Journal(folder / "journal.sqlite")))
        self.doubles: list[str] = []
        self.done: list[str] = []
        self.schedules = Schedules(Schedule(7, (ScheduledProducer(NAME, (key,)),)), None, None)

    names = (NAME,)

    def running(self, name: str) -> bool:
        return True

    def record(self, name: str) -> Any:
        return SimpleNamespace(spec=SimpleNamespace(account=NAME, role=Role.PRODUCER), mode=NodeMode.NORMAL)

    def folder(self, name: str) -> NodeFolder:
        return self.files

    def since(self, name: str) -> float:
        return BEGAN

    def signing_keys(self, name: str) -> tuple[PublicKey, ...]:
        return (OWN,)

    def client(self, name: str) -> Any:
        async def schedules() -> Schedules:
            return self.schedules

        async def block(num: int) -> Any:
            return SimpleNamespace(schedule_version=self.schedules.active.version)

        return SimpleNamespace(get_producer_schedule=schedules, get_block_info=block)

    def note_double(self, name: str, text: str) -> None:
        self.doubles.append(text)

    async def withhold(self, name: str) -> None:
        self.done.append("withheld")
        self.files.withhold(Withheld("its lease was taken", None))

    async def release(self, name: str) -> None:
        self.done.append("released")
        self.files.withhold(None)

    async def watched(self, until: Callable[[], object]) -> None:
        """Watches until that is true."""
        watch = asyncio.create_task(watch_signers(cast(Nodes, self), self.leases))

        async def reached() -> bool:
            return bool(until())

        try:
            await poll(reached, what="the watch to act", deadline=30)
        finally:
            watch.cancel()


async def test_a_node_whose_lease_was_taken_continues_without_its_key(tmp_path: Path) -> None:
    """It gets its key back once a connected coordinator says that this host holds the lease."""
    node = Watched(tmp_path)
    node.leases.told(NAME, 2, ours=False, host="h2", look=False)
    await node.watched(lambda: node.done)
    assert node.done == ["withheld"]
    node.leases.given(NAME, 3, look=False)
    await node.watched(lambda: len(node.done) == 2)
    assert node.done == ["withheld", "released"]


async def test_what_keeps_a_node_from_its_key_is_logged_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is tried with each look, and a full disk stays full for hours. Another reason is another line."""
    monkeypatch.setattr(signers, "LOOK_SECONDS", 0.01)
    node = Watched(tmp_path)
    node.files.withhold(Withheld("it looks first", None))
    node.leases.given(NAME, 1, look=False)
    tries: list[str] = []

    async def release(name: str) -> None:
        tries.append(name)
        raise DiskFull("its disk is full" if len(tries) < 5 else "its disk is fuller")

    monkeypatch.setattr(node, "release", release)
    await node.watched(lambda: len(tries) > 8)
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "node prod: its disk is full",
        "node prod: its disk is fuller",
    ]


async def test_the_node_that_started_later_gives_way(tmp_path: Path) -> None:
    """A foreign block of its own producer, soon after its start, is reported once, and takes the lease from it."""
    node = Watched(tmp_path)
    with node.files.log.path.open("a") as log:
        log.write(LINE.format(id="0000000a" * 2, num=10, second=5) * 2)
    await node.watched(lambda: node.done)
    assert node.done == ["withheld"]
    assert len(node.doubles) == 1
    assert "is signed by prod, and not by this node" in node.doubles[0]
    lease = node.leases.of(NAME)
    assert lease.standing is Standing.TAKEN
    assert "another node signed as prod before this one" in lease.why


async def test_a_producer_that_moves_has_two_signers_with_two_keys(tmp_path: Path) -> None:
    """Blocks under a schedule with the other host's key are not a double; a conflicting pair of blocks is."""
    node = Watched(tmp_path, key=OTHER)
    with node.files.log.path.open("a") as log:
        log.write(LINE.format(id="0000000a" * 2, num=10, second=5))
        log.write(LINE.format(id="0000000b" * 2, num=11, second=6) + LINE.format(id="0000000c" * 2, num=12, second=6))
    await node.watched(lambda: node.doubles)
    assert [text.startswith("prod signed two blocks for ") for text in node.doubles] == [True]
