"""Limits proofs of possession to one chain: the one that the party accepts."""

from __future__ import annotations

from collections.abc import Callable

from agent.errors import DutyError
from boot.blueprint import Blueprint
from protos import coordination_pb2 as pb
from support.possession import Challenge


class Proving:
    """The proofs of one party, and the chain that they are bound to."""

    def __init__(self, network: str, held: Callable[[], Blueprint | None]) -> None:
        """held: the sealed network that the agent holds; None if it holds none yet."""
        self._network = network
        self._held = held
        self._chain_id = ""

    def challenge(self, welcome: pb.Welcome) -> Challenge:
        """What this party's keys sign for the coordinator that sent this Welcome.

        Raises DutyError if its chain id is invalid, or not the one that the agent holds or proved its keys for.
        """
        held = self._held()
        if held and held.sealed.chain_id != welcome.chain_id:
            theirs = f"is on chain {welcome.chain_id[:16]}…" if welcome.chain_id else "says that nothing is sealed yet"
            raise DutyError(f"this party is on chain {held.sealed.chain_id[:16]}…, and the coordinator {theirs}")
        try:
            challenge = Challenge(self._network, welcome.chain_id, welcome.nonce)
        except ValueError as error:
            raise DutyError(f"the coordinator names no chain: {error}") from error
        if self._chain_id not in ("", challenge.chain_id):
            raise DutyError(f"the keys were proved for chain {self._chain_id[:16]}…, and cannot be proved for another")
        self._chain_id = challenge.chain_id
        return challenge

    def check(self, chain_id: str) -> None:
        """Whether a sealed network of that chain may be taken. Raises DutyError."""
        if self._chain_id and chain_id != self._chain_id:
            raise DutyError(
                f"refused: the sealed network is chain {chain_id[:16]}…, and the coordinator had the keys proved for "
                f"chain {self._chain_id[:16]}…"
            )
