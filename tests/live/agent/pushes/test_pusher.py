"""Exactly once on a real nodeos: answers get lost, the node is killed, and every account is made once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.errors import PushError
from agent.nodes.supervisor import Nodes
from agent.pushes.blocks import following
from agent.pushes.pusher import Pusher
from agent.pushes.records import PushRecords
from agent.reports import Pushed
from antelope import actions
from antelope.answers import Receipt
from antelope.authority import Authority
from antelope.errors import Unreachable
from antelope.http import NodeClient
from antelope.keys import PrivateKey
from antelope.transaction import SignedTransaction
from boot.blueprint import Blueprint
from boot.step import ChainStep, Finality, Preactivate, Push, Reads, Verdict, Work
from support import node_processes, processes
from support.journal import Journal
from tests.live.agent.conftest import Bench, head

pytestmark = pytest.mark.live

PREACTIVATE = "0ec7e080177b2c02b278d5088611686b49d739925a92d9bfcacd7fc6b74053bd"


def _step(finality: Finality = Finality.BLOCK, parallel: bool = False) -> ChainStep:
    def evidence(_: Blueprint) -> Reads:
        yield from ()
        return Verdict(())

    return ChainStep("accounts", "", (), lambda _: (), evidence, finality, parallel)


@dataclass
class Site:
    """A genesis node that makes blocks, and the records of what was pushed to it."""

    bench: Bench
    nodes: Nodes
    records: PushRecords

    def account(self, name: str, creator: str = "eosio") -> Push:
        """Work that makes an account."""
        authority = Authority.key(self.bench.chain.key.public)
        return Push(name, (actions.newaccount(creator, name, authority, authority),), creator)

    async def run(self, step: ChainStep, *work: Work, node: NodeClient | None = None) -> list[Pushed]:
        """Carries work out. Raises PushError."""
        client = self.nodes.client("genesis")
        done: list[Pushed] = []
        async with following(client) as follower:
            pusher = Pusher(node or client, follower, self.records, self._key, done.extend)
            await pusher.run(step, work)
        return done

    def _key(self, account: str) -> PrivateKey:
        return self.bench.chain.key


@pytest.fixture
async def site(bench: Bench, tmp_path: Path) -> AsyncIterator[Site]:
    """Starts it and waits until it produces."""
    nodes = await bench.agent()
    await bench.start(nodes, bench.spec("genesis"))
    await head(nodes, "genesis", 3)
    journal = Journal(tmp_path / "journal.sqlite")
    yield Site(bench, nodes, PushRecords(journal, bench.chain.id))
    journal.close()


class Lossy(NodeClient):
    """Forwards every first push of a transaction, and loses the answer."""

    def __init__(self, node: NodeClient) -> None:
        super().__init__(node.base_url)
        self.lost: set[str] = set()

    async def send_transaction(self, transaction: SignedTransaction) -> Receipt:
        """As the method of NodeClient."""
        receipt = await super().send_transaction(transaction)
        if transaction.id not in self.lost:
            self.lost.add(transaction.id)
            raise Unreachable("the answer was lost")
        return receipt


async def test_work_comes_into_blocks_in_order_and_once(site: Site) -> None:
    """Dependent accounts are made one after the other; a second run pushes nothing."""
    work = [site.account("alice"), site.account("bob", "alice"), site.account("carol", "bob")]
    done = await site.run(_step(), *work)
    assert [one.key for one in done] == ["alice", "bob", "carol"]
    assert done[0].block < done[1].block < done[2].block
    assert await site.run(_step(Finality.IRREVERSIBLE), *work) == done


async def test_lost_answers_make_nothing_twice(site: Site) -> None:
    """Every answer is lost once; every account is made, by one transaction each."""
    names = [f"user{a}{b}" for a in "abcde" for b in "abcde"]
    async with Lossy(site.nodes.client("genesis")) as lossy:
        done = await site.run(_step(Finality.IRREVERSIBLE, parallel=True), *map(site.account, names), node=lossy)
        assert lossy.lost == {one.transaction for one in done}
    assert sorted(one.key for one in done) == names
    for name in names:
        assert await site.nodes.client("genesis").find_account(name)


async def test_a_killed_node_loses_no_transaction(site: Site) -> None:
    """kill -9 after a push drops the reversible blocks: the same bytes are pushed to the node that comes back."""
    running = asyncio.create_task(site.run(_step(Finality.IRREVERSIBLE, parallel=True), site.account("alice")))
    record = None
    async with asyncio.timeout(10):
        while record is None:
            await asyncio.sleep(0)
            record = site.records.find("accounts", "alice")
    process = processes.Process.read(site.bench.data / "nodes" / "genesis" / node_processes.RECORD)
    assert process
    processes.kill(process)
    (done,) = await asyncio.wait_for(running, 90)
    assert done.transaction == record.id
    assert await site.nodes.client("genesis").find_account("alice")


async def test_a_refusal_says_what_nodeos_said(site: Site) -> None:
    """A refusal is one line with nodeos' own words; the rest of the step is not begun."""
    with pytest.raises(PushError, match=r"accounts bob: .*nobody") as refused:
        await site.run(_step(), site.account("bob", "nobody"), site.account("carol"))
    assert not refused.value.retryable
    assert "\n" not in str(refused.value)
    assert site.records.find("accounts", "carol") is None


async def test_a_feature_is_activated(site: Site) -> None:
    """A feature is preactivated through the producer API until the chain shows it; a second run finds it active."""
    work = Preactivate("PREACTIVATE_FEATURE", (PREACTIVATE,))
    for _ in range(2):
        (done,) = await site.run(_step(), work)
        assert done.key == "PREACTIVATE_FEATURE"
        assert PREACTIVATE in await site.nodes.client("genesis").get_activated_protocol_features()
