"""For which chain a party proves that it has its keys."""

from __future__ import annotations

import pytest

from agent.errors import DutyError
from agent.party.proving import Proving
from boot.blueprint import Blueprint
from inventory.seal import SealedBundle
from protos import coordination_pb2 as pb
from support.possession import Challenge

OTHER = "d5" * 32


def proving(held: Blueprint | None) -> Proving:
    """Of a party that holds this network, or none."""
    return Proving("net", lambda: held)


def welcome(chain_id: str) -> pb.Welcome:
    """A coordinator's that is on this chain."""
    return pb.Welcome(epoch=1, chain_id=chain_id, nonce=b"n")


def test_a_newcomer_takes_the_chain_that_it_proved_its_keys_for(bundle: SealedBundle) -> None:
    """Before the seal any chain may follow; after it only the chain that the coordinator named."""
    newcomer = proving(None)
    assert newcomer.challenge(welcome("")) == Challenge("net", "", b"n")
    newcomer.check(OTHER)
    assert newcomer.challenge(welcome(bundle.sealed.chain_id)).chain_id == bundle.sealed.chain_id
    newcomer.check(bundle.sealed.chain_id)
    for told in ("", OTHER):
        with pytest.raises(DutyError, match="cannot be proved for another"):
            newcomer.challenge(welcome(told))
        with pytest.raises(DutyError, match="had the keys proved for chain"):
            newcomer.check(OTHER)


@pytest.mark.parametrize(("told", "said"), [(OTHER, "is on chain d5d5"), ("", "nothing is sealed yet")])
def test_who_holds_a_chain_proves_its_keys_for_no_other(bundle: SealedBundle, told: str, said: str) -> None:
    """So the coordinator of another chain cannot reuse the proofs there."""
    with pytest.raises(DutyError, match=said):
        proving(Blueprint(bundle.sealed, bundle.artifacts.__getitem__)).challenge(welcome(told))


@pytest.mark.parametrize("told", ["x", "D5" * 32, "d5" * 31, "\0", "d5" * 32 + "\n"])
def test_what_is_no_chain_id_is_not_signed(told: str) -> None:
    """Nothing can be smuggled into what a proof covers."""
    with pytest.raises(DutyError, match="names no chain"):
        proving(None).challenge(welcome(told))


def test_a_challenge_is_for_one_account_network_chain_and_moment() -> None:
    """Each of these changes what is signed."""
    one = Challenge("net", OTHER, b"n")
    others = [Challenge("net2", OTHER, b"n"), Challenge("net", "", b"n"), Challenge("net", OTHER, b"m")]
    assert len({one.digest("alice"), one.digest("bob"), *(other.digest("alice") for other in others)}) == 5
