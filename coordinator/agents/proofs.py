"""Proofs of possession: an agent shows that it has the private key."""

from __future__ import annotations

from antelope.errors import AntelopeError
from antelope.keys import PublicKey, Signature
from protos import coordination_pb2 as pb
from support.possession import Challenge


def proves(key: pb.Key, challenge: Challenge) -> bool:
    """Whether a key comes with a valid proof of possession."""
    try:
        signer = Signature.parse(key.proof).recover(challenge.digest(key.account))
        return signer == PublicKey.parse(key.public_key)
    except AntelopeError:
        return False
