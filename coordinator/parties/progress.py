"""Decides what to do next for a party, from its own state and the chain's. Pure.

Nothing is remembered between two decisions. So a new coordinator continues where the last one stopped, and a party that
falls back is helped again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from coordinator.parties.store import Party, Standing
from protos.states import NodeState

BEHIND = 10
"""Blocks that a synced node may be behind: five seconds."""


class Act(StrEnum):
    """What the coordinator does for a party."""

    HOLD = "hold"
    """Has its agent fetch and hold the sealed network."""
    FOLLOW = "follow"
    """Tells its agent its node's peers."""
    DIAL = "dial"
    """Has one of the operator's nodes dial its endpoint."""
    SPONSOR = "sponsor"
    """Has its account created."""
    ENLIST = "enlist"
    """Has its agent register the account as a producer."""
    ATTEST = "attest"
    """Has its agent audit the chain and sign what it found."""


class AccountState(StrEnum):
    """What the chain has under the name of a party's account."""

    UNKNOWN = "unknown"
    ABSENT = "absent"
    FOREIGN = "foreign"
    """It exists, but with a key other than the party's."""
    THERE = "there"


@dataclass(frozen=True)
class ChainView:
    """The chain as the operator's own nodes report it."""

    follows: bool = False
    """Whether one of the operator's nodes runs and the allocation is applied, so that others may follow."""
    head: int = 0
    settled: bool = False
    """Whether eosio has resigned, so that elections are free."""
    registered: Mapping[str, str] = field(default_factory=dict)
    """Active producers and their signing keys (EOS…)."""
    signer: str = ""
    """The producer of the head block."""
    schedule: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    """Scheduled producers that miss their turns."""
    voted: frozenset[str] = frozenset()
    """Producers that the operator's voters vote for."""
    full: str = ""
    """Why no further party is voted for; empty if one may be."""
    sponsor: str = ""
    """Why no account can be sponsored; empty if one can be."""


@dataclass(frozen=True)
class Seen:
    """What is known of one party now."""

    party: Party
    connected: bool = False
    sealed: bool = False
    holds: bool = False
    """Whether its agent holds the sealed network."""
    peers: tuple[str, ...] = ()
    """The peers that it should have."""
    told: tuple[str, ...] | None = None
    """The peers that it was last told; None if it was told none."""
    node: str = ""
    """Its node's state, as its agent reports: running, starting, stopped or failed; empty if it has no node yet."""
    detail: str = ""
    head: int = 0
    account: AccountState = AccountState.UNKNOWN
    attested: bool = False
    trouble: Mapping[Act, str] = field(default_factory=dict)
    """Acts that failed when last tried, and why."""
    due: frozenset[Act] = frozenset()
    """Those of them that are to be tried again."""


@dataclass(frozen=True)
class Decision:
    """The party's state, what it waits for, and what to do."""

    standing: Standing
    why: str
    act: Act | None = None
    stuck: bool = False
    """Whether it is held up for a reason that the party cannot see for itself."""


def decide(seen: Seen, chain: ChainView) -> Decision:
    """The first thing that the party lacks, and how it gets it."""
    party = seen.party
    if not party.accepted:
        return Decision(party.state, party.why)
    if not seen.connected:
        return Decision(party.state, f"its agent is away{_silence(seen, chain)}")
    if not seen.sealed:
        return Decision(Standing.REGISTERED, "waits for the seal")
    if not seen.holds:
        return _do(seen, Act.HOLD, Standing.REGISTERED, "receives the sealed network")
    if not chain.follows:
        standing = party.state if party.found else Standing.REGISTERED
        return Decision(standing, "waits for the chain" if party.found else "waits for the chain's accounts")
    if not seen.node:
        return _do(seen, Act.FOLLOW, Standing.FOLLOWING, "starts its node")
    if seen.told != seen.peers and (Act.FOLLOW not in seen.trouble or Act.FOLLOW in seen.due):
        return replace(_with_node(seen, chain), act=Act.FOLLOW)
    return _with_node(seen, chain)


def _with_node(seen: Seen, chain: ChainView) -> Decision:
    party = seen.party
    if seen.node != NodeState.RUNNING:
        detail = f": {seen.detail}" if seen.detail else ""
        return Decision(Standing.FOLLOWING, f"its node is {seen.node}{detail}{_silence(seen, chain)}")
    if not party.found:
        return _do(seen, Act.DIAL, Standing.FOLLOWING, f"its endpoint {party.endpoint} is being dialled back")
    if seen.head + BEHIND < chain.head:
        return Decision(Standing.DIALLED, f"its node is at block {seen.head} of {chain.head}")
    if party.account not in chain.registered or chain.registered[party.account] != party.signing_key:
        return _registration(seen, chain)
    return _registered(seen, chain)


def _registration(seen: Seen, chain: ChainView) -> Decision:
    name = seen.party.account
    if seen.account is AccountState.UNKNOWN:
        return Decision(Standing.SYNCED, f"looks for account {name}")
    if seen.account is AccountState.FOREIGN:
        return Decision(Standing.SYNCED, f"account {name} exists with a key other than the party's own", stuck=True)
    if seen.account is AccountState.ABSENT:
        if chain.sponsor:
            return Decision(Standing.SYNCED, f"account {name} is not on the chain: {chain.sponsor}", stuck=True)
        if len(name) != 12 or "." in name:
            why = f"account {name} is not on the chain, and only names of 12 characters can be created"
            return Decision(Standing.SYNCED, why, stuck=True)
        return _do(seen, Act.SPONSOR, Standing.SYNCED, f"account {name} is being created")
    return _do(seen, Act.ENLIST, Standing.ACCOUNT, "registers as a producer")


def _registered(seen: Seen, chain: ChainView) -> Decision:
    name = seen.party.account
    if name in chain.schedule:
        standing, why = Standing.PRODUCING, f"in the active schedule{_silence(seen, chain)}"
    elif name in chain.voted:
        standing, why = Standing.VOTED, "the network's voters vote for it"
    else:
        standing, why = Standing.VOTABLE, "registered, in sync, dialled back"
        why += f"; not voted for: {chain.full}" if chain.full else ""
    if chain.settled and not seen.attested:
        return _do(seen, Act.ATTEST, standing, why, quiet=True)
    return Decision(standing, why)


def _silence(seen: Seen, chain: ChainView) -> str:
    return "; it is elected but signs no blocks" if seen.party.account in chain.silent else ""


def _do(seen: Seen, act: Act, standing: Standing, why: str, quiet: bool = False) -> Decision:
    """Decides on the act, unless it failed recently. The reason is that failure, until a later try goes well."""
    if act in seen.trouble:
        trouble = seen.trouble[act]
        again = act if act in seen.due else None
        return Decision(standing, f"{why}; {act}: {trouble}" if quiet else trouble, again, not (quiet or again))
    return Decision(standing, why, act)


def electable(parties: Mapping[str, Decision], seen: Mapping[str, Seen]) -> tuple[str, ...]:
    """Accounts of parties that may be voted for, in order of joining: registered, in sync, dialled back, connected."""
    ready = (Standing.VOTABLE, Standing.VOTED, Standing.PRODUCING)
    return tuple(
        seen[name].party.account
        for name, decision in parties.items()
        if decision.standing in ready and seen[name].connected
    )
