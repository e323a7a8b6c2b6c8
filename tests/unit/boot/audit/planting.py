"""Plants differences in a chain that is as planned, for the audit to find."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.unit.boot.audit.fake_chain import FakeChain, user
from tests.unit.boot.audit.planned import key

OTHER = key("somebody else")
"""A public key that the plan does not have."""

Plant = Callable[[FakeChain], object]
"""Makes a chain differ from the plan."""


def row_of(chain: FakeChain, table: str, owner: str) -> dict[str, Any]:
    """An account's row in a table of the system contract."""
    return next(row for row in chain.tables["eosio", "eosio", table] if row["owner"] == owner)


def add_user(chain: FakeChain, name: str) -> None:
    """An account that the system contract knows, with keys of its own."""
    chain.accounts[name] = user(name, OTHER, OTHER, 0, 0)
    chain.resources.add(name)


def change(target: Any, **values: Any) -> None:
    """Other values; unlike an assignment it can stand in a lambda."""
    target.update(values)


def set_authority(chain: FakeChain, name: str, wanted: str, required: dict[str, Any]) -> None:
    """Another authority for a permission of an account."""
    for entry in chain.accounts[name]["permissions"]:
        if entry["perm_name"] == wanted:
            entry["required_auth"] = required


def transfer(chain: FakeChain, source: str, target: str, amount: int) -> None:
    """Moves liquid tokens, in the smallest unit."""
    chain.balances[source] = chain.balances.get(source, 0) - amount
    chain.balances[target] = chain.balances.get(target, 0) + amount


def approve(chain: FakeChain, actor: str, invalidated: str = "", *, expired: bool = False) -> None:
    """An approval of a proposal, given at noon; invalidated: when the actor took back all that it had given."""
    given = {"level": {"actor": actor, "permission": "active"}, "time": "2026-11-22T12:00:00.000"}
    row = {"version": 1, "proposal_name": "back", "requested_approvals": [], "provided_approvals": [given]}
    chain.tables["eosio.msig", "useraaaaaaaa", "approvals2"] = [row]
    expiration = 0 if expired else 2**32 - 1
    proposal = {"proposal_name": "back", "packed_transaction": expiration.to_bytes(4, "little").hex() + "00" * 9}
    chain.tables["eosio.msig", "useraaaaaaaa", "proposal"] = [proposal]
    if invalidated:
        taken_back = {"account": actor, "last_invalidation_time": f"2026-11-22T{invalidated}:00:00.000"}
        chain.tables["eosio.msig", "eosio.msig", "invals"] = [taken_back]


def delayed(actor: str, sender: str = "") -> dict[str, Any]:
    """An entry of get_scheduled_transactions; sender: the contract that deferred it."""
    action = {"account": "eosio", "name": "updateauth", "authorization": [{"actor": actor, "permission": "active"}]}
    return {"trx_id": "dd", "sender": sender, "payer": "useraaaaaaaa", "transaction": {"actions": [action]}}


def add_producer(chain: FakeChain) -> None:
    """A producer that nobody planned, `stranger`, with an account and a registration."""
    add_user(chain, "stranger")
    row = row_of(chain, "producers", "proda") | {"owner": "stranger"}
    chain.tables["eosio", "eosio", "producers"].append(row)


def all_of(*plants: Plant) -> Plant:
    """Several differences as one."""

    def all_of_them(chain: FakeChain) -> None:
        for plant in plants:
            plant(chain)

    return all_of_them
