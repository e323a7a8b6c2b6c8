"""Approvals that outlive the keys that gave them: eosio.msig keeps them, and executes by them, until they are revoked.

Who held eosio's key before it resigned may have approved a proposal then that takes eosio back. eosio.msig counts an
approval unless its account has called `invalidate` since: get_approvals_and_adjust_table of eosio.msig.cpp
(eosio.contracts 1.9).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from boot.audit.chain import Chain, Json

MSIG = "eosio.msig"
_TABLES = ("approvals2", "approvals")
"""Of today's contract, whose approvals have a time; and of the one before."""


@dataclass(frozen=True)
class Approval:
    """One that eosio.msig still counts."""

    proposal: str
    """PROPOSER/NAME."""
    actor: str


async def read_approvals(chain: Chain) -> tuple[Approval, ...]:
    """All that are in force. Raises AuditError."""
    invalidated = {
        str(row["account"]): str(row["last_invalidation_time"]) for row in await chain.rows(MSIG, MSIG, "invals")
    }
    found: list[Approval] = []
    for table in _TABLES:
        proposers = sorted(await chain.scopes(MSIG, table))
        listed = await chain.all(partial(chain.rows, MSIG, proposer, table) for proposer in proposers)
        for proposer, rows in zip(proposers, listed, strict=True):
            found += (one for row in rows for one in _given(proposer, row, invalidated))
    return tuple(found)


def _given(proposer: str, row: Json, invalidated: dict[str, str]) -> Iterator[Approval]:
    for one in row["provided_approvals"]:
        actor = str(one.get("level", one)["actor"])
        if actor not in invalidated or str(one.get("time", "")) > invalidated[actor]:
            yield Approval(f"{proposer}/{row['proposal_name']}", actor)
