"""What the coordinator makes of attestations."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from antelope.keys import PrivateKey
from coordinator.cli.parties import _said
from coordinator.parties.attestations import check, count
from coordinator.parties.store import Attested, Party, Standing
from inventory.sealed import Sealed
from tests.unit.agent.party.conftest import sealed_network
from tests.unit.hostile import mutated

KEY = PrivateKey(b"\1" * 32)
PARTY = Party("alice", "alice1111111", str(KEY.public), "EOSs", "", "v5", "", Standing.PRODUCING, "", 1.0, (), "")


def _attested(sealed: Sealed, **changes: Any) -> Attested:
    content = {"network": sealed.network, "chain_id": sealed.chain_id, "manifest": sealed.manifest}
    document = json.dumps(content | {"block": {"num": 7}, "ok": True, "differences": []} | changes)
    signature = KEY.sign(hashlib.sha256(document.encode()).digest())
    return Attested(PARTY.name, PARTY.account, document, str(signature), 1.0)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "block 7 is as sealed"),
        ({"replaced": []}, "block 7 is as sealed"),
        ({"replaced": [{"account": "eosio"}]}, "block 7 is as sealed, eosio as the producers replaced it"),
        ({"ok": False}, "block 7 DIFFERS from what was sealed"),
        ({"manifest": "00"}, "alice's attestation is about another network"),
        ({"replaced": [{"account": "\x1b[2J"}]}, "alice's attestation cannot be read"),
        ({"replaced": 5}, "alice's attestation cannot be read"),
        ({"replaced": [{"account": "mallory"}, {"account": "eosio"}] * 9},
         "block 7 is as sealed, eosio as the producers replaced it"),
        ({"block": {"num": float("inf")}}, "alice's attestation cannot be read"),
        ({"block": {"num": 10**4000}}, "alice's attestation cannot be read"),
        ({"block": {"num": -7}}, "alice's attestation cannot be read"),
    ],
)  # fmt: skip
def test_an_attestation_is_one_plain_line(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    """Of older agents too, which name no replaced contracts; nothing of a party's reaches the terminal unchecked."""
    sealed = sealed_network(tmp_path).sealed
    assert _said(check(_attested(sealed, **changes), PARTY, sealed)) == said


def test_parties_that_follow_the_chain_are_counted(tmp_path: Path) -> None:
    """A party that only registered, or left, does not count among those that could attest."""
    sealed = sealed_network(tmp_path).sealed
    endpoint = "8.8.8.8:9876"
    found = replace(PARTY, name="bob", endpoint=endpoint, dialled=endpoint)
    parties = [
        PARTY,
        found,
        replace(found, name="carol", state=Standing.LEFT),
        replace(found, name="mallory", dialled=""),
    ]
    assert count({"alice": check(_attested(sealed), PARTY, sealed)}, parties) == (1, 2)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mutated({"network": "net", "chain_id": "c", "manifest": "m", "block": {"num": 7}, "ok": True, "replaced": [
    {"account": "eosio"}]}))  # fmt: skip
def test_an_attestation_of_any_shape_is_judged(network: Sealed, text: str) -> None:
    """Signed by its party, whatever it says: a verdict, and no error."""
    document = text.replace('"c"', f'"{network.chain_id}"').replace('"m"', f'"{network.manifest}"')
    signature = KEY.sign(hashlib.sha256(document.encode("utf-8", "surrogatepass")).digest())
    found = check(Attested(PARTY.name, PARTY.account, document, str(signature), 1.0), PARTY, network)
    assert len(found.wrong) < 200


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    """What it is about."""
    return sealed_network(tmp_path_factory.mktemp("sealed")).sealed
