"""What the operator's nodes say of the chain, as far as parties depend on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from antelope.errors import Unreachable
from boot.step import Query
from coordinator.engine.access import NodeAccess
from coordinator.parties.chain_view import asker, find_account, look
from coordinator.parties.progress import AccountState, ChainView
from coordinator.state.folder import StateFolder
from inventory.network import Node, Role
from inventory.sealed import Sealed
from tests.unit.boot.conftest import FakeChain, account, authority
from tests.unit.coordinator.parties.crowd import make_network, make_sealed
from tests.unit.inventory.material import key

GENESIS = Node("genesis", "h1", Role.GENESIS, "eosio", 9876, 8888)
AUDITED = Node("alpha", "h1", Role.PRODUCER, "alpha", 9877, 8889)


class Access:
    """Two nodes over one chain."""

    def __init__(self, chain: FakeChain) -> None:
        self.chain = chain
        self.network = SimpleNamespace(nodes=(GENESIS, AUDITED))
        self.stopped: set[str] = set()
        self.asked: set[str | None] = set()
        self.gone = False

    def running(self, node: Node) -> bool:
        return node.name not in self.stopped

    @property
    def reader(self) -> Node:
        return GENESIS

    async def ask(self, query: Query) -> Any:
        self.asked.add(query.node)
        if self.gone:
            raise Unreachable("no node is running")
        answer = self.chain(Query(query.path, query.body))
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def access() -> Access:
    """A chain after the handover, with two producers."""
    producers = [
        {"owner": "alpha", "producer_key": key("alpha"), "is_active": 1},
        {"owner": "beta", "producer_key": "PUB_WA_strange", "is_active": 1},
        {"owner": "left", "producer_key": key("left"), "is_active": 0},
    ]
    chain = FakeChain(tables={("eosio", "eosio", "producers"): producers, ("eosio", "eosio", "voters"): []})
    chain.answers[None, "/v1/chain/get_info"] = {"head_block_num": 90, "head_block_producer": "alpha"}
    schedule = {"active": {"producers": [{"producer_name": "alpha"}]}}
    chain.answers[None, "/v1/chain/get_producer_schedule"] = schedule
    return Access(chain)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateFolder]:
    """Of a network whose boot is behind it."""
    state = StateFolder(tmp_path / "state", "net")
    make_sealed(make_network(tmp_path), state)
    yield state
    state.close()


async def looked(access: Access, state: StateFolder, sealed: Sealed | None) -> ChainView:
    return await look(cast(NodeAccess, access), state, sealed)


async def test_nothing_is_read_before_the_allocation(access: Access, state: StateFolder, tmp_path: Path) -> None:
    """Parties wait for it; nor is anything known where no node answers."""
    assert await looked(access, state, None) == ChainView()
    fresh = StateFolder(tmp_path / "other", "net")
    assert await looked(access, fresh, state.sealed) == ChainView()
    fresh.close()
    assert access.asked == set()
    access.gone = True
    assert await looked(access, state, state.sealed) == ChainView()


async def test_the_chain_as_parties_depend_on_it(access: Access, state: StateFolder) -> None:
    """Who is registered with which key, who signs, for whom the operator's stake votes, whether the boot is over."""
    sealed = state.sealed
    assert sealed
    voter = next(vote.voter for vote in sealed.votes if vote.producers)
    access.chain.tables["eosio", "eosio", "voters"] = [{"owner": voter, "producers": ["alpha", "beta"]}]
    seen = await looked(access, state, sealed)
    assert (seen.follows, seen.head, seen.signer, seen.settled, seen.sponsor) == (True, 90, "alpha", True, "")
    assert seen.registered == {"alpha": key("alpha"), "beta": "PUB_WA_strange"}
    assert seen.schedule == {"alpha"}
    assert seen.voted == {"alpha", "beta"}


async def test_a_node_that_follows_the_head_is_asked(access: Access) -> None:
    """The retired genesis node shows irreversible blocks only: it is asked where no other runs."""
    ask = asker(cast(NodeAccess, access))
    await ask(Query("/v1/chain/get_info"))
    access.stopped = {"alpha"}
    await asker(cast(NodeAccess, access))(Query("/v1/chain/get_info"))
    assert access.asked == {"alpha", "genesis"}


async def test_whose_account_it_is(access: Access) -> None:
    """Absent, the party's own, somebody else's, or unknown while no node answers; whatever shape it has."""
    chain, mine = access.chain, key("alice")

    async def what() -> AccountState:
        return await find_account(cast(NodeAccess, access), "alice1111111", mine)

    assert await what() is AccountState.ABSENT
    own = {"perm_name": "active", "required_auth": authority(key=mine)}
    chain.accounts["alice1111111"] = {"permissions": [own]}
    assert await what() is AccountState.THERE
    chain.accounts["alice1111111"] = account("eosio")
    assert await what() is AccountState.FOREIGN
    own["required_auth"] = authority(key=mine) | {"threshold": 2}
    chain.accounts["alice1111111"] = {"permissions": [own]}
    assert await what() is AccountState.FOREIGN
    chain.accounts["alice1111111"] = {"permissions": [{"perm_name": "active", "required_auth": {"keys": 7}}]}
    assert await what() is AccountState.FOREIGN
    access.gone = True
    assert await what() is AccountState.UNKNOWN
