"""Proof of possession: what a key signs to show that its sender holds the private key."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

_PURPOSE = b"bootcoord possession"
"""Prefix of what is signed, so that a proof cannot be a signature of anything else."""
_CHAIN_ID = re.compile(r"([0-9a-f]{64})?", re.ASCII)


@dataclass(frozen=True)
class Challenge:
    """What a proof covers. It is not valid in another network, on another chain, or a second time.

    The constructor checks the chain id and raises ValueError.
    """

    network: str
    chain_id: str
    """Hex; empty while the network is not sealed."""
    nonce: bytes
    """Made by the side that asks, for a single use."""

    def __post_init__(self) -> None:
        if not _CHAIN_ID.fullmatch(self.chain_id):
            raise ValueError(f"{self.chain_id[:80]!r} is not a chain id")

    def digest(self, account: str) -> bytes:
        """The sha256 that a key of this account signs (protos/coordination.proto, Key)."""
        fields = (self.network.encode(), self.chain_id.encode(), account.encode(), self.nonce)
        return hashlib.sha256(b"\0".join((_PURPOSE, *fields))).digest()
