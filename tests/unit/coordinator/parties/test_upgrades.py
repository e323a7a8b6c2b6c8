"""A proposal that can no longer be executed is replaced by another for the same contract."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from antelope.names import name_to_int
from boot.canary import PRODUCERS
from boot.step import Query
from coordinator.agents.link import RevokedError
from coordinator.errors import OperationFailed, UsageProblem
from coordinator.parties import upgrades
from coordinator.parties.upgrades import Contract, _Upgrade, from_request
from protos import coordination_pb2 as pb
from tests.unit.inventory.material import ABI, wasm

CONTRACT = Contract("eosio", wasm("activate"), ABI)
FIRST, SECOND = CONTRACT.proposal(), CONTRACT.proposal(1)


class Chain:
    """Its proposals by name: when each expires, and who was asked; who produces now."""

    def __init__(self, producers: str, **proposals: tuple[float, str]) -> None:
        self.producers = producers.split()
        self.approved: dict[str, list[str]] = {}
        self.asked: list[str] = []
        self.deployed = "", ""
        self.proposals = {name: (int(until), asked.split()) for name, (until, asked) in proposals.items()}

    async def __call__(self, query: Query) -> Any:
        """A node's answer."""
        body = query.body or {}
        if query.path.endswith("get_account"):
            members = [{"permission": {"actor": name, "permission": "active"}, "weight": 1} for name in self.producers]
            auth = {"threshold": len(self.producers) * 2 // 3 + 1, "keys": [], "accounts": members}
            assert body["account_name"] == PRODUCERS
            return {"permissions": [{"perm_name": "active", "required_auth": auth}]}
        if query.path.endswith("get_raw_abi"):
            return dict(zip(("code_hash", "abi_hash"), self.deployed, strict=True))
        if query.path.endswith("get_producer_schedule"):
            return {"active": {"producers": [{"producer_name": name} for name in self.producers]}}
        rows = [
            self._row(body["table"], name) for name in self.proposals if str(name_to_int(name)) == body["lower_bound"]
        ]
        return {"rows": rows, "more": False}

    def _row(self, table: str, name: str) -> Any:
        until, asked = self.proposals[name]
        if table == "proposal":
            return {"packed_transaction": CONTRACT.packed(until).hex()}
        given = self.approved.get(name, [])
        return {
            "requested_approvals": [{"level": {"actor": one}} for one in asked if one not in given],
            "provided_approvals": [{"level": {"actor": one}} for one in given],
        }

    async def take(self, body: pb.Propose) -> None:
        """The sponsor proposes."""
        self.proposals[body.proposal] = body.expiration, list(body.requested)


def upgrading(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> tuple[_Upgrade, list[str]]:
    """An upgrade on that chain, and what it says."""
    said: list[str] = []
    session: Any = SimpleNamespace(access=None, network=SimpleNamespace(genesis_node=SimpleNamespace(host="local")))
    work = _Upgrade(session, None, "sponsor", CONTRACT, said.append)  # type: ignore[arg-type]
    monkeypatch.setattr(upgrades, "asker", lambda access: chain)
    monkeypatch.setattr(work, "_task", lambda host, body: chain.take(body))
    return work, said


async def proposed(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> tuple[str, list[str]]:
    """The proposal that is gone on with, and what was said."""
    work, said = upgrading(chain, monkeypatch)
    await work.propose()
    return work._proposal, said


async def test_one_that_is_open_is_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the command is given; the first time it is proposed."""
    chain = Chain("a b c d")
    assert (await proposed(chain, monkeypatch))[0] == FIRST
    assert (await proposed(chain, monkeypatch))[0] == FIRST
    assert list(chain.proposals) == [FIRST]


async def test_one_that_has_expired_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """eosio.msig no longer executes it, and accepts no second one of that name."""
    chain = Chain("a b c d", **{FIRST: (time.time() - 1, "a b c d")})
    name, said = await proposed(chain, monkeypatch)
    assert name == SECOND
    assert "has expired" in said[0]
    assert (await proposed(chain, monkeypatch))[0] == SECOND


async def test_one_that_asks_those_of_yesterday_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three of four must approve, but the proposal asks only two of them, and nobody else can approve it."""
    chain = Chain("a b c d", **{FIRST: (time.time() + 9999, "a b e")})
    name, said = await proposed(chain, monkeypatch)
    assert name == SECOND
    assert "asks too few" in said[0]
    assert chain.proposals[SECOND][1] == ["a", "b", "c", "d"]


async def test_approvals_of_former_producers_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are three approvals, one by an account that left eosio.prods: the fourth producer is asked."""
    chain = Chain("a b c d", **{FIRST: (time.time() + 9999, "a b c d e")})
    chain.approved[FIRST] = ["a", "b", "e"]
    work, said = upgrading(chain, monkeypatch)

    async def ask(missing: Sequence[str]) -> None:
        chain.asked = list(missing)
        chain.approved[FIRST].append("d")

    monkeypatch.setattr(work, "_ask", ask)
    await work.propose()
    assert await work.collect(5)
    assert chain.asked == ["c", "d"]
    assert said[-1] == "3 approvals, 3 needed: a, b, d"


async def test_a_schedule_that_changes_while_approvals_come_in_asks_for_another_proposal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The current producers were not asked by the first one, so it is not waited for."""
    chain = Chain("a b c d")
    work, _ = upgrading(chain, monkeypatch)

    async def ask(missing: Sequence[str]) -> None:
        chain.producers = ["a", "w", "x", "y"]

    monkeypatch.setattr(work, "_ask", ask)
    await work.propose()
    assert not await work.collect(5)
    await work.propose()
    assert work._proposal == SECOND
    assert chain.proposals[SECOND][1] == ["a", "w", "x", "y"]


async def test_every_agent_is_asked_and_who_did_not_approve_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the end of the wait, each with its agent's reason; those of one host are asked together."""
    chain = Chain("a b c d")
    work, said = upgrading(chain, monkeypatch)
    monkeypatch.setattr(upgrades, "AGAIN_SECONDS", 0.0)

    class Link:
        def __init__(self, host: str) -> None:
            self.host = host
            self.connected = host != "h-d"

        async def task(self, body: pb.Endorse, deadline: float) -> pb.Result:
            assert (body.proposer, body.proposal, body.hash) == ("sponsor", FIRST, work._hash)
            if self.host == "h-a" and "a" not in chain.approved.setdefault(FIRST, []):
                chain.approved[FIRST].append("a")
            if self.host == "h-c":
                raise RevokedError("party-c was revoked")
            return pb.Result(ok=self.host == "h-a", error="" if self.host == "h-a" else "its policy says no")

    holders: Any = work._opened
    holders.network.holder = lambda name: f"h-{name}"
    holders.parties = SimpleNamespace(parties=lambda: ())
    holders.access = SimpleNamespace(link=Link)
    await work.propose()
    with pytest.raises(OperationFailed) as failed:
        await work.collect(0.3)
    text = str(failed.value)
    assert "1 approvals after 0.3 s, 3 are needed" in text
    for reason in ("b: its policy says no", "c: party-c was revoked", "d: its agent is away"):
        assert reason in text
        assert reason in said


@pytest.mark.parametrize("abi_hash", ["ee" * 32, CONTRACT.packed_abi_hash])
async def test_code_that_the_chain_has_is_not_proposed_again(monkeypatch: pytest.MonkeyPatch, abi_hash: str) -> None:
    """nodeos refuses to set it, so a proposal of it with another ABI could never be executed: nothing is proposed."""
    chain = Chain("a b c d")
    work, _ = upgrading(chain, monkeypatch)
    chain.deployed = CONTRACT.code_hash, abi_hash
    monkeypatch.setattr(upgrades, "_Upgrade", lambda *_: work)
    opened: Any = SimpleNamespace(sealed=SimpleNamespace(sponsor=SimpleNamespace(account="sponsor")))
    if abi_hash == CONTRACT.packed_abi_hash:
        assert "has this code already" in await upgrades.upgrade(opened, CONTRACT, 1, print)
    else:
        with pytest.raises(OperationFailed, match="with another ABI: the chain refuses to set the same code again"):
            await upgrades.upgrade(opened, CONTRACT, 1, print)
    assert not chain.proposals


def test_the_files_of_another_terminal_are_found_by_their_hashes() -> None:
    """Files that are not in the store, or not a contract, are refused."""
    store = {CONTRACT.code_hash: CONTRACT.wasm, CONTRACT.abi_hash: CONTRACT.abi}
    request = {"account": "eosio", "wasm": CONTRACT.code_hash, "abi": CONTRACT.abi_hash}
    assert from_request(request, store.__getitem__) == CONTRACT
    with pytest.raises(UsageProblem, match="the files are not in the artifact store"):
        from_request(request | {"wasm": "ff"}, store.__getitem__)
    with pytest.raises(UsageProblem, match="--wasm: "):
        from_request(request | {"wasm": CONTRACT.abi_hash}, store.__getitem__)
