"""Proofs of possession: an agent shows that it has the private key."""

from __future__ import annotations

from collections.abc import Iterable

from antelope.errors import AntelopeError
from antelope.keys import PublicKey, Signature
from coordinator.errors import OperationFailed
from protos import coordination_pb2 as pb
from support.possession import Challenge


def proves(key: pb.Key, challenge: Challenge) -> bool:
    """Whether a key comes with a valid proof of possession."""
    try:
        signer = Signature.parse(key.proof).recover(challenge.digest(key.account))
        return signer == PublicKey.parse(key.public_key)
    except AntelopeError:
        return False


def check_proofs(challenge: Challenge, host: str, keys: Iterable[pb.Key]) -> None:
    """Raises OperationFailed if a key lacks a valid proof of possession."""
    for key in keys:
        if not proves(key, challenge):
            raise OperationFailed(f"{host}: its key for {key.account} has no valid proof; see the agent's log")
