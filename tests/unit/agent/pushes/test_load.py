"""The fast path: transactions go over the p2p port, exactly once; those that it does not take go over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.errors import PushError
from agent.pushes.blocks import following
from agent.pushes.load import Dial
from agent.pushes.pusher import MANY, Pusher
from agent.pushes.records import PushRecords
from agent.reports import Pushed
from antelope.errors import AssertionFailed, PeerLost
from antelope.keys import PrivateKey
from antelope.peer import Peer
from antelope.transaction import Action, PermissionLevel, SignedTransaction
from boot.blueprint import Blueprint
from boot.step import ChainStep, Finality, Push, Reads, Turn, Verdict
from support.journal import Journal
from support.retry import poll
from tests.unit.agent.fake_chain import CHAIN_ID, FakeChain

KEY = PrivateKey(bytes(31) + b"\x07")


def _evidence(_: Blueprint) -> Reads:
    yield from ()
    return Verdict(())


STEP = ChainStep("work", "", (), lambda _: (), _evidence, Finality.IRREVERSIBLE, parallel=True)


def _push(key: str, turn: Turn = Turn.ANY) -> Push:
    return Push(key, (Action("eosio", "act", (PermissionLevel("eosio"),), key.encode()),), "eosio", turn=turn)


PUSHES = tuple(_push(f"{number:03}") for number in range(MANY + 60))


@dataclass
class Port:
    """A node's p2p port: transactions go to the chain, unless they are to be dropped. It gives no answers."""

    chain: FakeChain
    drops: Callable[[SignedTransaction], bool] = lambda _: False
    closed: bool = False
    """Takes no connection."""
    sent: list[str] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)

    async def dial(self) -> Peer:
        """As `Dial`."""
        if self.closed:
            raise PeerLost("nobody listens there")
        self.links.append(Link(self))
        return self.links[-1]


class Link(Peer):
    """One connection to it."""

    def __init__(self, port: Port) -> None:
        self.port = port
        self._why = ""

    async def send(self, transactions: Iterable[SignedTransaction]) -> None:
        """As a node: a duplicate is dropped."""
        if self._why:
            raise PeerLost(self._why)
        for one in transactions:
            self.port.sent.append(one.id)
            held = self.port.chain.holding(one.id) or any(other.id == one.id for other in self.port.chain.pending)
            if not held and not self.port.drops(one):
                self.port.chain.pending.append(one)

    async def close(self) -> None:
        """Nothing more is sent."""
        self._why = self._why or "closed"

    def lose(self) -> None:
        """The node ends it."""
        self._why = "the node ended the connection"


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake chain's blocks come fifty times as fast as real ones."""
    monkeypatch.setattr("agent.pushes.load.LOOK_SECONDS", 0.05)


@pytest.fixture
def records(tmp_path: Path) -> PushRecords:
    """Records in a fresh journal."""
    return PushRecords(Journal(tmp_path / "journal.sqlite"), CHAIN_ID)


async def _run(
    chain: FakeChain,
    records: PushRecords,
    dial: Dial,
    pushes: Sequence[Push] = PUSHES,
    done: list[Pushed] | None = None,
) -> list[Pushed]:
    done = [] if done is None else done
    async with following(chain) as follower:
        await Pusher(chain, follower, records, lambda _: KEY, done.extend, dial=dial).run(STEP, pushes)
    return done


async def _until(true: Callable[[], bool]) -> None:
    async def look() -> bool:
        return true()

    await poll(look, what="the chain to get there", deadline=30, every=0.005)


def _check_once(chain: FakeChain, records: PushRecords, done: Sequence[Pushed]) -> None:
    """Each piece of work is in exactly one block, by the one transaction on record, and was reported once."""
    assert sorted(one.key for one in done) == [push.key for push in PUSHES]
    held = [transaction.id for block in chain.blocks for transaction in block.transactions]
    assert sorted(held) == sorted(record.id for record in records.of_step("work"))
    assert {one.transaction for one in done} == set(held)
    assert all(record.final for record in records.of_step("work"))


async def test_many_go_over_the_port_alone(records: PushRecords) -> None:
    """With many, none over HTTP; a few, or without a port, all over HTTP."""
    async with FakeChain().running() as chain:
        port = Port(chain)
        _check_once(chain, records, await _run(chain, records, port.dial))
        assert len(port.sent) == len(PUSHES)
        assert chain.pushes == []
        await _run(chain, records, port.dial, [_push("one more")])
        assert len(chain.pushes) == 1


@pytest.mark.parametrize("close", [1000, -1])
async def test_the_last_block_is_looked_for_more_often(
    records: PushRecords, monkeypatch: pytest.MonkeyPatch, close: int
) -> None:
    """Once all are in blocks and the LIB is close. With many producers it is far, and nobody looks as often."""
    monkeypatch.setattr("agent.pushes.load.CLOSE_BLOCKS", close)
    monkeypatch.setattr("agent.pushes.load.LAST_LOOK_SECONDS", 0.003)
    paces: list[float] = []
    async with FakeChain(lag=20).running() as chain, following(chain) as follower:
        look, follower.pace = follower.look, 0.005

        async def looked() -> None:
            paces.append(follower.pace)
            await look()

        monkeypatch.setattr(follower, "look", looked)
        await Pusher(chain, follower, records, lambda _: KEY, lambda _: None, dial=Port(chain).dial).run(STEP, PUSHES)
        usual = follower.pace
    assert (0.003 in paces, usual) == (close > 0, 0.005)


async def test_without_a_port_all_go_over_http(records: PushRecords) -> None:
    """A user's own node may listen for peers elsewhere, or accept none."""
    async with FakeChain().running() as chain:
        _check_once(chain, records, await _run(chain, records, Port(chain, closed=True).dial))
        assert len(chain.pushes) == len(PUSHES)


async def test_what_the_port_drops_goes_over_http(records: PushRecords) -> None:
    """They are sent again with the same bytes, once later ones are in blocks."""
    async with FakeChain().running() as chain:
        port = Port(chain, lambda signed: signed.transaction.actions[0].data in (b"005", b"050"))
        _check_once(chain, records, await _run(chain, records, port.dial))
    assert sorted(signed.transaction.actions[0].data for signed in chain.pushes) == [b"005", b"050"]


async def test_a_port_that_takes_nothing_is_left(records: PushRecords) -> None:
    """For example a node with p2p-accept-transactions = 0."""
    async with FakeChain().running() as chain:
        port = Port(chain, lambda _: True)
        _check_once(chain, records, await _run(chain, records, port.dial))
    assert len(chain.pushes) == len(PUSHES)


async def test_why_one_is_refused_is_told(records: PushRecords) -> None:
    """The reason is in nodeos' words, from HTTP; whatever else is under way is finished."""

    def refuse(signed: SignedTransaction) -> None:
        assert signed.transaction.actions[0].data == b"007"
        raise AssertionFailed(500, 3050003, "eosio_assert", "overdrawn balance")

    async with FakeChain(on_send=[refuse]).running() as chain:
        port = Port(chain, lambda signed: signed.transaction.actions[0].data == b"007")
        done: list[Pushed] = []
        with pytest.raises(PushError, match="work 007: overdrawn balance"):
            await _run(chain, records, port.dial, done=done)
        assert {one.transaction for one in done} == {one.id for block in chain.blocks for one in block.transactions}
        assert "007" not in {one.key for one in done}


async def test_a_lost_connection_is_made_again(records: PushRecords) -> None:
    """Transactions that the node had in memory and lost are sent again, with the same bytes."""
    async with FakeChain().running() as chain:
        port = Port(chain, lambda _: True)
        running = asyncio.create_task(_run(chain, records, port.dial))
        await _until(lambda: len(port.sent) == len(PUSHES))
        port.drops = lambda _: False
        port.links[0].lose()
        _check_once(chain, records, await running)
    assert len(port.links) == 2
    assert len(set(port.sent)) == len(PUSHES)
    assert chain.pushes == []


async def test_a_crash_in_the_middle_doubles_nothing(records: PushRecords) -> None:
    """The next run finds those in blocks, sends the others with the same bytes, and signs only the missing ones."""
    async with FakeChain(lag=3).running() as chain:
        port = Port(chain, lambda signed: signed.transaction.actions[0].data >= b"040")
        running = asyncio.create_task(_run(chain, records, port.dial))
        await _until(lambda: any(chain.holding(one) for one in port.sent))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        before = {record.id for record in records.of_step("work")}
        _check_once(chain, records, await _run(chain, records, Port(chain).dial))
        assert before <= {record.id for record in records.of_step("work")}


async def test_a_fork_doubles_nothing_and_loses_nothing(records: PushRecords) -> None:
    """A transaction that a fork drops gets into a block again, with the same bytes."""
    async with FakeChain(lag=12).running() as chain:
        port = Port(chain)
        running = asyncio.create_task(_run(chain, records, port.dial))
        await _until(lambda: any(chain.holding(one) for one in port.sent))
        chain.fork(3)
        _check_once(chain, records, await running)


async def test_the_last_is_done_whatever_happened(records: PushRecords) -> None:
    """First, then the others once the node has taken it, then last, after blocks hold those; last also when one of the
    others failed.
    """
    refusal = AssertionFailed(500, 3050003, "eosio_assert", "no")
    work = [_push("last", Turn.LAST), *PUSHES, _push("first", Turn.FIRST)]

    def refuse(signed: SignedTransaction) -> None:
        if signed.transaction.actions[0].data == b"020":
            raise refusal

    async with FakeChain(on_send=[refuse] * 5).running() as chain:
        port = Port(chain, lambda signed: signed.transaction.actions[0].data == b"020")
        done: list[Pushed] = []
        with pytest.raises(PushError, match="work 020"):
            await _run(chain, records, port.dial, work, done)
        blocks = {one.key: one.block for one in done}
        others = [block for key, block in blocks.items() if key not in ("first", "last")]
        assert blocks["first"] <= min(others)
        assert max(others) < blocks["last"]
