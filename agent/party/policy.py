"""What a party's agent signs: a short list of actions of its own account, each of which the operator can switch off.

Pure. Everything that the agent signs for the party is checked by `objection`, no matter who asks.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.errors import ConfigError
from antelope.errors import AntelopeError
from antelope.layouts import MSIG, SYSTEM, unpack_data
from antelope.transaction import Action, PermissionLevel
from boot.upgrade import LASTING, Replacement

_ENTRY = r"[a-z1-5.]{1,13}=[0-9a-f]{64}/[0-9a-f]{64}"
_CODE = re.compile(f"code:{_ENTRY}(,{_ENTRY})*")
LATEST = LASTING + 3600
"""A proposal that stays executable for longer always needs the operator's yes: approval given in advance is meant for
now. The extra hour allows for clock differences.
"""

ASK, CANARY, NEVER = "ask", "canary", "never"


@dataclass(frozen=True)
class Policy:
    """[policy] of party.toml. Constructing it checks it: raises ConfigError."""

    regproducer: bool = True
    unregprod: bool = True
    voteproducer: bool = True
    claimrewards: bool = True
    approve: str = ASK
    """ask: the canary that the agent derives itself, and what its operator said yes to (`agent approve`). canary:
    nothing but that canary. code:ACCOUNT=CODE/ABI,…: as ask, and what sets nothing but these contracts. never.
    """
    unapprove: bool = True

    def __post_init__(self) -> None:
        if self.approve not in (ASK, CANARY, NEVER) and not _CODE.fullmatch(self.approve):
            raise ConfigError(
                f"policy.approve is ask, canary, never or code:ACCOUNT=CODE/ABI: not {self.approve[:100]!r} (CODE and "
                "ABI are sha256 of the code and of the packed ABI, as `coord upgrade` prints them)"
            )

    @property
    def codes(self) -> frozenset[str]:
        """The contracts that may be set without asking: ACCOUNT=CODE/ABI each."""
        return (
            frozenset(self.approve.removeprefix("code:").split(","))
            if self.approve.startswith("code:")
            else frozenset()
        )


Subject = Callable[[Mapping[str, Any], str], bool]
"""Whether an action's data concerns this account alone."""

_SUBJECTS: dict[tuple[str, str], Subject] = {
    (SYSTEM, "regproducer"): lambda data, own: data["producer"] == own,
    (SYSTEM, "unregprod"): lambda data, own: data["producer"] == own,
    (SYSTEM, "voteproducer"): lambda data, own: data["voter"] == own,
    (SYSTEM, "claimrewards"): lambda data, own: data["owner"] == own,
    (MSIG, "approve"): lambda data, own: _level(data) == own and bool(data.get("proposal_hash")),
    (MSIG, "unapprove"): lambda data, own: _level(data) == own,
}


def _level(data: Mapping[str, Any]) -> str:
    return str(data["level"]["actor"]) if data["level"]["permission"] == "active" else ""


def objection(policy: Policy, account: str, actions: Sequence[Action], signing_keys: Collection[str] = ()) -> str:
    """Why the agent does not sign these actions for its account; empty if it does.

    signing_keys: the only block-signing keys (EOS…) that it registers. For proposals see also `decide`.
    """
    if not actions:
        return "there is nothing to sign"
    for action in actions:
        what = f"{action.account}::{action.name}"
        subject = _SUBJECTS.get((action.account, action.name))
        if subject is None:
            return f"{what} is not among the actions that a party's agent signs"
        if action.authorization != (PermissionLevel(account),):
            levels = ", ".join(map(str, action.authorization)) or "nobody"
            return f"{what} is to be authorised by {levels}: this agent signs as {account}@active alone"
        try:
            data = unpack_data(action.account, action.name, action.data)
            if not subject(data, account):
                return f"{what} is not about {account}, or not bound to a proposal's hash"
        except (AntelopeError, KeyError, TypeError) as error:
            return f"{what} cannot be read: {error}"
        allowed = getattr(policy, action.name)
        if allowed is False or allowed == NEVER:
            return f"{what} is switched off in this party's policy"
        if action.name == "regproducer" and signing_keys and data["producer_key"] not in signing_keys:
            return f"{what} names another signing key than this agent's"
    return ""


@dataclass(frozen=True)
class Decision:
    """The decision about a proposal that the agent is asked to approve."""

    approve: bool
    ask: bool = False
    """Its operator must decide."""
    reason: str = ""


def decide(
    policy: Policy, *, canary: bool, sets: Replacement | None, agreed: bool, now: float | None = None
) -> Decision:
    """Whether to approve a proposal whose bytes were seen on the agent's own node.

    canary: it is, byte for byte, the canary that the agent derives. sets: the contracts that it sets, when it does
    nothing else; None: it does. agreed: the operator said yes to these very bytes. now: Unix seconds.
    """
    if policy.approve == NEVER:
        return Decision(False, reason="this party's policy approves nothing")
    if canary:
        return Decision(True, reason="it is the canary, as this agent derives it")
    if policy.approve == CANARY:
        return Decision(False, reason="this party's policy approves the canary alone")
    if agreed:
        return Decision(True, reason="its operator said yes")
    if sets and sets.contracts <= policy.codes:
        if sets.expiration <= (time.time() if now is None else now) + LATEST:
            return Decision(True, reason="it sets contracts that this party's policy names")
        days = LASTING // 86_400
        return Decision(False, ask=True, reason=f"it can be executed for more than {days} days: ask its operator")
    return Decision(False, ask=True, reason="this party's operator has not said yes yet")
