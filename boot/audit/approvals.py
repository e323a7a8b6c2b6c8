"""Approvals that outlive the keys that gave them: eosio.msig keeps them, and executes by them, until they are revoked.

The holder of eosio's key may have approved, before it resigned, a proposal that takes eosio back. eosio.msig counts an
approval unless its account has called `invalidate` since: get_approvals_and_adjust_table of eosio.msig.cpp
(eosio.contracts 1.9). A transaction that was signed with a delay is checked when it is signed, not when it runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from boot.audit.chain import Chain, Json

MSIG = "eosio.msig"
_TABLES = ("approvals2", "approvals")
"""The tables of the present contract, whose approvals have a time, and of the one before."""


@dataclass(frozen=True)
class Approval:
    """An approval that eosio.msig still counts."""

    proposal: str
    """PROPOSER/NAME."""
    actor: str


async def read_approvals(chain: Chain, now: str) -> tuple[Approval, ...]:
    """All that are in force, of proposals that have not expired. now: the head block's time. Raises AuditError."""
    invalidated = {
        str(row["account"]): str(row["last_invalidation_time"]) for row in await chain.rows(MSIG, MSIG, "invals")
    }
    found: list[Approval] = []
    for table in _TABLES:
        proposers = sorted(await chain.scopes(MSIG, table))
        listed = await chain.all(partial(chain.rows, MSIG, proposer, table) for proposer in proposers)
        proposed = await chain.all(partial(chain.rows, MSIG, proposer, "proposal") for proposer in proposers)
        for proposer, rows, proposals in zip(proposers, listed, proposed, strict=True):
            spent = {str(one["proposal_name"]) for one in proposals if _expired(str(one["packed_transaction"]), now)}
            current = (row for row in rows if row["proposal_name"] not in spent)
            found += (one for row in current for one in _given(proposer, row, invalidated))
    return tuple(found)


async def read_delayed(chain: Chain) -> tuple[tuple[str, frozenset[str]], ...]:
    """Transactions that were signed with a delay and still wait, in contrast to those deferred by contracts, which have
    a sender. Raises AuditError.
    """
    return tuple(
        (str(one["trx_id"]), frozenset(_actors(one["transaction"])))
        for one in await chain.scheduled()
        if not one["sender"]
    )


def _expired(packed: str, now: str) -> bool:
    expiration = int.from_bytes(bytes.fromhex(packed[:8]), "little")
    return expiration < datetime.fromisoformat(now).replace(tzinfo=UTC).timestamp()


def _actors(transaction: Json) -> Iterator[str]:
    for action in (*transaction.get("context_free_actions", ()), *transaction["actions"]):
        yield from (str(level["actor"]) for level in action["authorization"])


def _given(proposer: str, row: Json, invalidated: dict[str, str]) -> Iterator[Approval]:
    for one in row["provided_approvals"]:
        actor = str(one.get("level", one)["actor"])
        if actor not in invalidated or str(one.get("time", "")) > invalidated[actor]:
            yield Approval(f"{proposer}/{row['proposal_name']}", actor)
