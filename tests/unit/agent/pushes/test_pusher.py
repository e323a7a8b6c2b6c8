"""Exactly once, against a chain that loses answers, drops transactions, forks and stalls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import PushError
from agent.pushes.blocks import following
from agent.pushes.pusher import Pusher
from agent.pushes.records import PushRecords
from agent.reports import Pushed
from antelope.errors import AssertionFailed, Busy, ResourceExceeded, Unreachable
from antelope.keys import PrivateKey
from antelope.transaction import Action, PermissionLevel, SignedTransaction
from boot.blueprint import Blueprint
from boot.step import ChainStep, Finality, Preactivate, Push, Reads, Verdict, Work
from support.journal import Journal
from support.retry import poll
from tests.unit.agent.fake_chain import CHAIN_ID, FakeChain

KEY = PrivateKey(bytes(31) + b"\x07")


def _step(finality: Finality = Finality.BLOCK, parallel: bool = False) -> ChainStep:
    def evidence(_: Blueprint) -> Reads:
        yield from ()
        return Verdict(())

    return ChainStep("work", "", (), lambda _: (), evidence, finality, parallel)


def _push(key: str, actor: str = "eosio") -> Push:
    return Push(key, (Action("eosio", "act", (PermissionLevel(actor),), key.encode()),), actor)


@pytest.fixture
def records(tmp_path: Path) -> PushRecords:
    """Records in a fresh journal."""
    return PushRecords(Journal(tmp_path / "journal.sqlite"), CHAIN_ID)


async def _run(chain: FakeChain, records: PushRecords, step: ChainStep, *work: Work, seen: int = 0) -> list[Pushed]:
    done: list[Pushed] = []

    def key_of(account: str) -> PrivateKey:
        return {"eosio": KEY}[account]

    async with following(chain) as follower:
        await Pusher(chain, follower, records, key_of, done.extend, seen).run(step, work)
    return done


async def _until(true: Callable[[], bool]) -> None:
    async def look() -> bool:
        return true()

    await poll(look, what="the chain to get there", deadline=30, every=0.005)


def _raises(error: Exception) -> Callable[[SignedTransaction], None]:
    def send(_: SignedTransaction) -> None:
        raise error

    return send


async def test_work_is_pushed_in_order_one_in_a_block_before_the_next(records: PushRecords) -> None:
    """A dependent transaction is signed after its predecessor is in a block."""
    async with FakeChain().running() as chain:
        done = await _run(chain, records, _step(), _push("a"), _push("b"), _push("c"))
    assert [one.key for one in done] == ["a", "b", "c"]
    assert done[0].block < done[1].block < done[2].block
    assert len(chain.pushes) == 3


async def test_parallel_work_shares_blocks(records: PushRecords) -> None:
    """Transactions of a parallel step do not wait for each other's blocks."""
    async with FakeChain().running() as chain:
        done = await _run(
            chain, records, _step(Finality.IRREVERSIBLE, parallel=True), *(_push(f"k{n}") for n in range(60))
        )
    assert len({one.transaction for one in done}) == 60
    assert len({one.block for one in done}) < 30
    assert all(chain.holding(one.transaction) == 1 for one in done)


async def test_a_lost_answer_leads_to_the_same_bytes(records: PushRecords) -> None:
    """After timeouts, 503 and slow nodes it is pushed again, but signed once; a duplicate counts as success."""
    lost = [
        Unreachable("no answer"),
        Busy(503, None, "", "busy"),
        ResourceExceeded(500, 3080004, "tx_cpu_usage_exceeded", "took too long"),
    ]
    chain = FakeChain(on_send=[_raises(error) for error in lost])

    def lose() -> None:
        raise Unreachable("taken, but the answer was lost")

    chain.after_send = [lose]
    async with chain.running():
        (done,) = await _run(chain, records, _step(), _push("a"))
    assert len(chain.pushes) == 2
    assert {one.id for one in chain.pushes} == {done.transaction}
    assert chain.holding(done.transaction) == 1


async def test_a_record_of_an_earlier_run_is_taken_up(records: PushRecords) -> None:
    """A transaction that is in a block already is reported with its id, and nothing is pushed."""
    async with FakeChain().running() as chain:
        first = await _run(chain, records, _step(), _push("a"))
        second = await _run(chain, records, _step(), _push("a"))
    assert first == second
    assert len(chain.pushes) == 1


async def test_a_crash_between_signing_and_pushing_loses_nothing(records: PushRecords) -> None:
    """The next run pushes the recorded bytes, and signs nothing."""

    async with FakeChain(deaf=True).running() as chain:
        task = asyncio.create_task(_run(chain, records, _step(), _push("a")))
        await _until(lambda: bool(chain.pushes))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        chain.deaf = False
        (done,) = await _run(chain, records, _step(), _push("a"))
    assert {one.id for one in chain.pushes} == {done.transaction}


async def test_only_what_never_came_into_a_block_is_signed_anew(records: PushRecords) -> None:
    """A replacement is signed after the expiration is irreversible, and not before."""
    chain = FakeChain(deaf=True, lag=20)
    async with chain.running():
        task = asyncio.create_task(_run(chain, records, _step(), _push("a")))
        await _until(lambda: bool(chain.pushes))
        expiration = chain.pushes[0].transaction.expiration
        await _until(lambda: chain.blocks[-1].time > expiration)
        chain.deaf = False
        assert len({one.id for one in chain.pushes}) == 1
        await _until(lambda: len({one.id for one in chain.pushes}) == 2)
        assert chain.blocks[len(chain.blocks) - 1 - chain.lag].time > expiration
        (done,) = await task
    assert done.transaction != chain.pushes[0].id
    assert chain.holding(chain.pushes[0].id) == 0
    assert chain.holding(done.transaction) == 1


async def test_nothing_is_signed_while_the_fate_is_unknown(records: PushRecords) -> None:
    """While finality has stopped there is one signature, however far the head is past the expiration."""
    chain = FakeChain(deaf=True)
    async with chain.running():
        task = asyncio.create_task(_run(chain, records, _step(), _push("a")))
        await _until(lambda: bool(chain.pushes))
        chain.finality = False
        await _until(lambda: chain.blocks[-1].time > chain.pushes[0].transaction.expiration + 20)
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert len({one.id for one in chain.pushes}) == 1


async def test_a_fork_that_drops_it_leads_to_the_same_bytes(records: PushRecords) -> None:
    """Where irreversibility is asked for, a transaction that a fork drops is pushed again, not signed again."""
    chain = FakeChain(lag=12)
    async with chain.running():
        task = asyncio.create_task(_run(chain, records, _step(Finality.IRREVERSIBLE), _push("a")))
        await _until(lambda: (record := records.find("work", "a")) is not None and record.block > 0)
        found = records.find("work", "a")
        assert found is not None
        chain.fork(len(chain.blocks) - found.block + 1)
        assert chain.holding(found.id) == 0
        (done,) = await task
    assert done.transaction == found.id
    assert chain.holding(found.id) == 1
    kept = records.find("work", "a")
    assert kept is not None
    assert (kept.block, kept.final) == (done.block, True)


async def test_a_refusal_is_one_clear_error_and_ends_the_step(records: PushRecords) -> None:
    """A contract's assertion is not retried; its message is reported, and nothing after it is started."""
    chain = FakeChain(on_send=[_raises(AssertionFailed(500, 3050003, "eosio_assert", "overdrawn balance"))])
    async with chain.running():
        with pytest.raises(PushError, match="work a: overdrawn balance") as failed:
            await _run(chain, records, _step(), _push("a"), _push("b"))
    assert not failed.value.retryable
    assert chain.pushes == []
    assert records.find("work", "b") is None


async def test_what_is_under_way_is_carried_to_its_end(records: PushRecords) -> None:
    """A failure among parallel pushes does not lose the report of the others."""
    refusal = AssertionFailed(500, 3050003, "eosio_assert", "no")
    chain = FakeChain(on_send=[lambda _: None, _raises(refusal)])
    done: list[Pushed] = []
    async with chain.running(), following(chain) as follower:
        pusher = Pusher(chain, follower, records, lambda _: KEY, done.extend)
        with pytest.raises(PushError):
            await pusher.run(_step(parallel=True), [_push("a"), _push("b"), *(_push(f"k{n}") for n in range(50))])
    assert {one.transaction for one in done} == {one.id for one in chain.pushes}
    assert 0 < len(chain.pushes) < 10


async def test_a_node_that_is_always_too_slow_is_said_to_be(records: PushRecords) -> None:
    """Resource limits are retried a few times, then reported as retryable."""
    slow = ResourceExceeded(500, 3080004, "tx_cpu_usage_exceeded", "took too long")
    chain = FakeChain(on_send=[_raises(slow)] * 20)
    async with chain.running():
        with pytest.raises(PushError, match="took too long") as failed:
            await _run(chain, records, _step(), _push("a"))
    assert failed.value.retryable
    assert len(chain.on_send) == 20 - 8


async def test_without_the_key_nothing_is_signed(records: PushRecords) -> None:
    """The account whose key is missing is named."""
    async with FakeChain().running() as chain:
        with pytest.raises(PushError, match="no key of alice"):
            await _run(chain, records, _step(), _push("a", "alice"))
    assert records.find("work", "a") is None


async def test_work_that_is_due_again_is_made_anew(records: PushRecords) -> None:
    """Only a transaction that was irreversible before the chain lacked its effect: a claim is due again a day later."""
    async with FakeChain().running() as chain:
        (first,) = await _run(chain, records, _step(Finality.IRREVERSIBLE), _push("a"))
        (stale,) = await _run(chain, records, _step(Finality.IRREVERSIBLE), _push("a"), seen=first.block - 1)
        assert stale == first
        (second,) = await _run(chain, records, _step(Finality.IRREVERSIBLE), _push("a"), seen=first.block)
    assert second.transaction != first.transaction
    assert chain.holding(first.transaction) == chain.holding(second.transaction) == 1


async def test_large_transactions_travel_compressed(records: PushRecords) -> None:
    """The node gets fewer bytes, the id is that of the uncompressed ones."""
    sent: list[dict[str, object]] = []
    chain = FakeChain(on_send=[lambda signed: sent.append(signed.to_json())])
    large = Push("code", (Action("eosio", "setcode", (PermissionLevel("eosio"),), bytes(300_000)),), "eosio")
    async with chain.running():
        (done,) = await _run(chain, records, _step(), large)
    assert sent[0]["compression"] == "zlib"
    assert len(str(sent[0]["packed_trx"])) < 10_000
    assert chain.pushes[0].id == done.transaction


async def test_features_are_asked_for_until_they_are_active(records: PushRecords) -> None:
    """A node keeps the request in memory only."""
    async with FakeChain().running() as chain:
        (done,) = await _run(chain, records, _step(), Preactivate("PREACTIVATE_FEATURE", ("0e" * 32,)))
    assert chain.schedules == 2
    assert done.key == "PREACTIVATE_FEATURE"
