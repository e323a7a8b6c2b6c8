"""When producers may claim."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from boot.blueprint import Blueprint
from boot.claims import ELSEWHERE, chain_time, claims, through_vaulta
from boot.steps.claim import STEP
from tests.unit.boot.conftest import FakeChain


@pytest.mark.parametrize("text", ["2026-01-02T03:04:05.500", 1767323045500000, "1767323045500000"])
def test_both_forms_of_a_time(text: str | int) -> None:
    """ISO text of current nodeos and microseconds of older contracts give the same time."""
    assert chain_time(text) == datetime(2026, 1, 2, 3, 4, 5, 500_000, UTC)


def test_a_day_after_the_last_claim() -> None:
    """Only active producers, by name; a claim is due more than 24 hours after the last."""
    rows = [
        {"owner": "b", "is_active": True, "last_claim_time": "2026-01-02T00:00:00.000"},
        {"owner": "a", "is_active": True, "last_claim_time": "2026-01-02T12:00:00.000"},
        {"owner": "c", "is_active": False, "last_claim_time": "2026-01-02T00:00:00.000"},
    ]
    found = claims(rows)
    assert [one.producer for one in found] == ["a", "b"]
    midnight = datetime(2026, 1, 3, tzinfo=UTC)
    assert found[1].due == midnight
    assert not found[1].is_due(midnight)
    assert found[1].is_due(midnight.replace(microsecond=1))


def test_claims_that_another_contract_takes(chain: FakeChain, blueprint: Blueprint) -> None:
    """If eosio.system takes claims only from core.vaulta, the step does nothing, and says so."""
    code = b"\0asm ... EOS has been rebranded to Vaulta. This action must now be called from core.vaulta"
    digest = hashlib.sha256(code).hexdigest()
    held = {digest: code}
    system = replace(blueprint.sealed.contracts[1], wasm=digest)
    sealed = replace(blueprint.sealed, contracts=(blueprint.sealed.contracts[0], system))
    newer = Blueprint(sealed, lambda sha256: held.get(sha256) or blueprint.artifact(sha256))
    assert (through_vaulta(blueprint), through_vaulta(newer)) == (False, True)
    verdict = chain.verdict(STEP.evidence(newer))
    assert (verdict.missing, verdict.detail) == ((), ELSEWHERE)
    assert not chain.asked
