"""What is a party's own: its node as its agent alone describes it, and its account's standing on the chain. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.errors import DutyError
from agent.nodeos.spec import NodeSpec, SpecError
from agent.party.settings import PartySettings
from antelope.answers import Account
from antelope.keys import PublicKey
from boot.reads import is_key
from inventory.network import Role


def node_spec(settings: PartySettings, http_port: int, peers: tuple[str, ...]) -> NodeSpec:
    """The node, with that port for its HTTP API. Raises DutyError."""
    try:
        return NodeSpec(
            name=settings.account,
            role=Role.PRODUCER,
            account=settings.account,
            p2p_bind=settings.listen,
            p2p_endpoint=settings.p2p,
            http_port=http_port,
            peers=peers,
            options=settings.options,
            nodeos=settings.nodeos,
        )
    except SpecError as error:
        raise DutyError(str(error)) from error


def check_account(name: str, account: Account | None, own: PublicKey) -> None:
    """Raises DutyError when the account is not there, or cannot be used with the party's own key."""
    if account is None:
        raise DutyError(f"account {name} is not there yet", retryable=True)
    active = account.permissions["active"].authority
    if sum(weight for key, weight in active.keys if key == own) < active.threshold:
        raise DutyError(
            f"account {name} exists with other keys than this agent's: let it take this one (cleos set account "
            f"permission {name} active {own}), if it is yours"
        )


def registered(row: Mapping[str, Any] | None, key: PublicKey, url: str) -> bool:
    """Whether a row of `producers` is this producer's, as it wants to be registered."""
    if not row or not row["is_active"]:  # of one that is unregistered the key is none any more
        return False
    return is_key(row["producer_key"], key) and bool(row["url"] == url)
