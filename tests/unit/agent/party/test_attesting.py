"""What a party's agent attests of an upgraded chain, and how the coordinator reads it."""

from __future__ import annotations

import json

import pytest

from agent.party.attesting import document, verdict
from tests.unit.boot.audit.fake_chain import FakeChain, authority, permission
from tests.unit.boot.audit.planned import blueprint, key, sha

CODE = "c" * 64


@pytest.fixture
def chain() -> FakeChain:
    """As planned, except for the system contract's code."""
    chain = FakeChain(blueprint())
    chain.contracts["eosio"] = (CODE, chain.contracts["eosio"][1])
    return chain


async def test_what_the_producers_replaced_is_named_and_no_difference(chain: FakeChain) -> None:
    """A replacement is listed with the code on the chain; one that is not there, or not planned, is ignored."""
    abi = sha(chain.contracts["eosio"][1])
    told = {("eosio", CODE, abi), ("eosio", "d" * 64, abi), ("eosio.token", CODE, abi), ("mallory", CODE, abi)}
    said = await document(chain, blueprint(), told)
    found = json.loads(said)
    assert (found["ok"], found["differences"]) == (True, [])
    assert found["replaced"] == [{"account": "eosio", "code": CODE, "abi": abi}]
    assert verdict(said).endswith(f"is as sealed, or as the producers replaced it: eosio (now {CODE})")


async def test_what_nobody_told_of_is_a_difference(chain: FakeChain) -> None:
    """Code that is neither the sealed one nor the announced one is named as a difference."""
    for told in (set(), {("eosio", "d" * 64, sha(chain.contracts["eosio"][1]))}):
        found = json.loads(await document(chain, blueprint(), told))
        assert (found["ok"], found["replaced"]) == (False, [])
        assert CODE in found["differences"][0]


async def test_a_replacement_by_others_than_the_producers_does_not_pass(chain: FakeChain) -> None:
    """While a key governs eosio, a replacement is a difference, whatever the coordinator says."""
    chain.accounts["eosio"]["permissions"] = [
        permission("active", "owner", authority((key("operator"),))),
        permission("owner", "", authority((key("operator"),))),
    ]
    abi = sha(chain.contracts["eosio"][1])
    found = json.loads(await document(chain, blueprint(), {("eosio", CODE, abi)}))
    assert found["ok"] is False
    assert any("eosio" in difference for difference in found["differences"])
