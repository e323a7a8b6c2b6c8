"""Whose signatures let a party begin with a snapshot, and everything that does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent.party.vouching import objection, sign
from antelope.keys import PrivateKey
from protos import coordination_pb2 as pb

SEALED = ("net", "c" * 64)
SHA, FORGED = "a" * 64, "b" * 64
KEYS = {name: PrivateKey.generate() for name in ("bob", "carol", "dave")}
TRUST = {name: str(key.public) for name, key in KEYS.items() if name != "dave"}
SNAPSHOT = pb.Snapshot(sha256=SHA, size=9, block=70, block_id="00000046" + "0" * 56)


def _voucher(name: str, key: str = "", **other: Any) -> pb.Voucher:
    content = {
        "network": "net", "chain_id": "c" * 64, "block": 70, "block_id": SNAPSHOT.block_id, "sha256": SHA, "size": 9,
        "nodeos": "v5",
    }  # fmt: skip
    return sign(name, KEYS[key or name], json.dumps(content | other))


def _objection(*vouchers: pb.Voucher, trust: dict[str, str] | None = None, quorum: int = 2) -> str:
    offered = pb.Follow(snapshot=SNAPSHOT, vouchers=vouchers)
    return objection(TRUST if trust is None else trust, quorum, offered, SEALED)


def test_as_many_as_needed_of_the_trusted_have_signed_it() -> None:
    """Their own signatures, over this file."""
    assert _objection(_voucher("bob"), _voucher("carol")) == ""
    assert _objection(_voucher("bob"), quorum=1) == ""


@pytest.mark.parametrize(
    "second",
    [
        _voucher("bob"),
        _voucher("dave"),
        _voucher("carol", key="dave"),
        _voucher("carol", network="other"),
        _voucher("carol", chain_id="d" * 64),
        _voucher("carol", block=71),
        pb.Voucher(account="carol", document="{", signature="SIG_K1_x"),
        pb.Voucher(account="carol", document=_voucher("carol").document, signature=_voucher("bob").signature),
    ],
    ids=["twice", "stranger", "forged-key", "network", "chain", "block", "garbage", "other-signature"],
)
def test_too_few_have_signed_it(second: pb.Voucher) -> None:
    """Strangers, the same one twice, forgeries and other matters do not count; how many do is said."""
    assert _objection(_voucher("bob"), second) == "1 of snapshot_trust have signed it, and snapshot_quorum is 2"


def test_one_key_under_two_names_counts_once() -> None:
    """A party is its key."""
    trust = {"bob": TRUST["bob"], "carol": TRUST["bob"]}
    assert "1 of snapshot_trust" in _objection(_voucher("bob"), _voucher("carol", key="bob"), trust=trust)


def test_another_state_of_the_same_block_refuses_it() -> None:
    """However many have signed the one that is offered."""
    told = _objection(_voucher("bob"), _voucher("carol", sha256=FORGED), quorum=1)
    assert told == f"carol has signed another state of block 70: sha256 {FORGED}"


def test_without_anybody_trusted_there_is_none() -> None:
    """The coordinator's word is not enough."""
    assert "names no party" in _objection(_voucher("bob"), _voucher("carol"), trust={})
