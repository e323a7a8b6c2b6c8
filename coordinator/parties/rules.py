"""A network's rules for newcomers: from the inventory before the seal, from the sealed network after it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from coordinator.parties.admission import Rules
from inventory.network import GENESIS_ACCOUNT, Network
from inventory.rows import Allocation
from inventory.sealed import Sealed


def rules(network: Network, sealed: Sealed | None, artifact: Callable[[str], bytes]) -> Rules:
    """The rules as of now. artifact: bytes by sha256 (hex), for the allocation."""
    awaited = set(network.parties.wait_for)
    own = {node.account: f"the account of node {node.name}" for node in network.nodes if node.account}
    producers = {
        producer.account: "one of the operator's producers" for producer in network.producers if not producer.party
    }
    key_of = _sealed_keys(sealed, artifact) if sealed else _planned_keys(network)
    registering = {producer.account for producer in network.producers}
    system = set(sealed.system_accounts) if sealed else set()
    sponsor = network.parties.sponsor

    def belongs(account: str) -> str:
        if account in own or account in producers:
            return own.get(account) or producers[account]
        if sponsor and account == sponsor.account:
            return "the sponsor's account"
        if network.users.generates(account):
            return "a user's, and the operator holds its key"
        if account in system or account == GENESIS_ACCOUNT:
            return "a system account"
        return ""

    return Rules(
        network=network.name,
        reach=network.parties.endpoints,
        manifest=sealed.manifest if sealed else "",
        chain_id=sealed.chain_id if sealed else "",
        belongs=belongs,
        owned=lambda account: "" if account in registering or belongs(account) else key_of(account),
        keys=_keys(sealed, awaited),
        endpoints={network.p2p(node).lower(): f"node {node.name}" for node in network.nodes},
        sealed={
            producer.account: (producer.account_key, producer.signing_key)
            for producer in (sealed.producers if sealed else ())
            if producer.account in awaited
        },
    )


def _sealed_keys(sealed: Sealed, artifact: Callable[[str], bytes]) -> Callable[[str], str]:
    """Looks up an account's key in the allocation, which is read on first use."""
    allocation = cache(lambda: Allocation(artifact(sealed.allocation)))

    def key_of(account: str) -> str:
        row = allocation().find(account)
        return str(row.key) if row else ""

    return key_of


def _planned_keys(network: Network) -> Callable[[str], str]:
    def key_of(account: str) -> str:
        row = network.users.rows.find(account)
        return row.key if row else ""

    return key_of


def _keys(sealed: Sealed | None, awaited: set[str]) -> dict[str, str]:
    if sealed is None:
        return {}
    found = {sealed.eosio_key: GENESIS_ACCOUNT}
    for producer in sealed.producers:
        if producer.account not in awaited:
            found |= {producer.signing_key: producer.account, producer.account_key: producer.account}
    return found


class RulesOf:
    """The rules of one network, recomputed only once it is sealed."""

    def __init__(self, network: Network, sealed: Callable[[], Sealed | None], artifact: Callable[[str], bytes]) -> None:
        """sealed: returns the sealed network, None before the seal."""
        self._network = network
        self._sealed = sealed
        self._artifact = artifact
        self._after: Rules | None = None

    def __call__(self) -> Rules:
        """The current rules."""
        if self._after is not None:
            return self._after
        sealed = self._sealed()
        found = rules(self._network, sealed, self._artifact)
        if sealed is not None:
            self._after = found
        return found
