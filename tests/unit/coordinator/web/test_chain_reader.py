"""What is read of a chain, and how often: headers once each, also over forks, nodes that lag, and long gaps."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from antelope.errors import Unreachable
from boot.step import Query
from coordinator.parties.open_network import OpenNetwork
from coordinator.report.rounds import EPOCH, SeatState, slot_at
from coordinator.web.chain_reader import AT_ONCE, PageChainReader

ABC = ("alice", "bob", "carol")


@dataclass
class Chain:
    """One chain, as two nodes have it."""

    slots: dict[int, int] = field(default_factory=dict)
    """Block number → slot."""
    behind: dict[str, int] = field(default_factory=dict)
    """By node: blocks that it lacks."""
    gone: set[str] = field(default_factory=set)
    asked: list[int] = field(default_factory=list)
    proposed: Any = None
    producers: dict[int, str] = field(default_factory=dict)

    def make(self, blocks: int, *, until: int, absent: str = "") -> None:
        """That many slots up to this one, each with a block unless its producer is absent."""
        number = max(self.slots, default=0)
        for slot in range(until - blocks + 1, until + 1):
            if (producer := ABC[slot // 12 % 3]) != absent:
                number += 1
                self.slots[number], self.producers[number] = slot, producer

    def head(self, node: str) -> int:
        """The node's."""
        return max(self.slots) - self.behind.get(node, 0)

    async def ask(self, query: Query) -> Any:
        """As nodeos."""
        assert query.node
        if query.node in self.gone:
            raise Unreachable(query.node)
        match query.path.rpartition("/")[2]:
            case "get_info":
                head = self.head(query.node)
                return {"head_block_num": head, "last_irreversible_block_num": head - 5,
                        "head_block_time": stamp(self.slots[head])}  # fmt: skip
            case "get_producer_schedule":
                active = {"version": 1, "producers": [{"producer_name": name} for name in ABC]}
                return {"active": active, "pending": None, "proposed": self.proposed}
            case "get_block_info":
                number = int(query.body["block_num"])
                self.asked.append(number)
                return {"block_num": number, "timestamp": stamp(self.slots[number]), "schedule_version": 1,
                        "producer": self.producers[number]}  # fmt: skip
        raise AssertionError(query)

    def reader(self) -> PageChainReader:
        """One of this chain."""
        nodes = tuple(SimpleNamespace(name=name, host="one", party=False) for name in ("n1", "n2"))
        access = SimpleNamespace(
            running=lambda node: True, status=lambda node: SimpleNamespace(head=self.head(node.name)), ask=self.ask
        )
        opened = SimpleNamespace(
            network=SimpleNamespace(nodes=nodes), access=access, hub=SimpleNamespace(links={}),
            state=SimpleNamespace(sealed=None),
        )  # fmt: skip
        return PageChainReader(cast(OpenNetwork, opened))


def stamp(slot: int) -> str:
    """As nodeos writes times."""
    return datetime.fromtimestamp(EPOCH + slot / 2, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> int:
    """A slot at the beginning of a turn of alice's, at which time stands still."""
    slot = slot_at(time.time()) // 36 * 36 + 2
    monkeypatch.setattr("coordinator.report.chain.time", SimpleNamespace(time=lambda: EPOCH + slot / 2))
    return slot


async def test_two_rounds_are_read_in_parts_and_each_header_once(now: int) -> None:
    """Newest first, so that the latest turn is known at once; then one look at the newest is all that repeats."""
    chain = Chain()
    chain.make(200, until=now)
    reader = chain.reader()
    first = await reader.look()
    assert len(chain.asked) <= AT_ONCE
    assert [seat.state for seat in first.seats] == [SeatState.NOW, SeatState.SIGNED, SeatState.SIGNED]
    assert not first.seats[0].absent
    for _ in range(3):
        found = await reader.look()
    assert [seat.state for seat in found.seats] == [SeatState.NOW, SeatState.SIGNED, SeatState.SIGNED]
    assert set(chain.asked) == set(range(129, 201))
    assert len(chain.asked) == 72 + 3
    assert found.view.schedule == ABC
    assert (found.view.head, found.view.lib, found.view.moves, found.view.silent) == (200, 195, True, ())


async def test_who_is_absent(now: int) -> None:
    """bob makes no blocks: he is reported, and nobody else."""
    chain = Chain()
    chain.make(200, until=now, absent="bob")
    reader = chain.reader()
    for _ in range(4):
        found = await reader.look()
    assert found.view.silent == ("bob",)
    assert [seat.absent for seat in found.seats] == [False, True, False]


async def test_a_fork_is_read_again(now: int) -> None:
    """The latest block was replaced by one of a later slot: the latest two turns are read anew, once."""
    chain = Chain()
    chain.make(120, until=now)
    reader = chain.reader()
    for _ in range(4):
        await reader.look()
    assert (await reader.look()).seats[0].made == 3
    chain.slots[120] = now + 9
    chain.asked.clear()
    assert (await reader.look()).seats[0].made == 3
    assert set(chain.asked) == set(range(97, 121))
    chain.asked.clear()
    await reader.look()
    assert chain.asked == [120]


async def test_the_next_best_node_answers(now: int) -> None:
    """Also one that lags a little: what was read stays, as far as that node has it."""
    chain = Chain(behind={"n2": 3})
    chain.make(120, until=now)
    reader = chain.reader()
    for _ in range(4):
        await reader.look()
    chain.gone = {"n1"}
    chain.asked.clear()
    found = await reader.look()
    assert found.view.head == 117
    assert len(chain.asked) < 5
    chain.gone = {"n1", "n2"}
    nobody = await reader.look()
    assert (nobody.view.age, nobody.seats) == (None, ())


async def test_after_a_long_gap_only_the_newest_are_read(now: int) -> None:
    """Nobody watched for a while: no burst of thousands of queries."""
    chain = Chain()
    chain.make(60, until=now - 600)
    reader = chain.reader()
    await reader.look()
    chain.make(600, until=now)
    chain.asked.clear()
    await reader.look()
    assert len(chain.asked) <= AT_ONCE + 1
    assert min(chain.asked[1:]) > 600


async def test_a_schedule_that_comes(now: int) -> None:
    """The next schedule is reported while it is proposed, unless it equals the active one."""
    chain = Chain(proposed={"version": 2, "producers": [{"producer_name": "dave"}]})
    chain.make(30, until=now)
    assert (await chain.reader().look()).next == ("dave",)
    chain.proposed = {"version": 2, "producers": []}
    assert (await chain.reader().look()).next == ()


async def test_a_wrong_clock_is_no_stalled_chain(now: int) -> None:
    """Blocks look old, but come: the chain moves. When they no longer come, it does not."""
    chain = Chain()
    chain.make(60, until=now - 1000)
    reader = chain.reader()
    assert (await reader.look()).view.moves is False
    chain.make(2, until=now - 998)
    assert (await reader.look()).view.moves is True
