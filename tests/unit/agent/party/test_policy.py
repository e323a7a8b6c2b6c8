"""What a party's agent signs, and what it never signs."""

from __future__ import annotations

from typing import Any

import pytest

from agent.errors import ConfigError
from agent.party.policy import Policy, decide, objection
from antelope import actions
from antelope.asset import Asset
from antelope.authority import Authority
from antelope.keys import PrivateKey
from antelope.transaction import Action, PermissionLevel, Transaction
from boot.upgrade import LASTING, Replacement, entry

KEY = PrivateKey(bytes(31) + b"\x01").public
OTHER = PrivateKey(bytes(31) + b"\x02").public
OWN = "alice"
BY_OWN = PermissionLevel(OWN)
HASH = bytes(32)
NOW = 1_800_000_000

ALLOWED = {
    "regproducer": actions.regproducer(OWN, KEY, "https://x.example"),
    "unregprod": actions.unregprod(OWN),
    "voteproducer": actions.voteproducer(OWN, "", ["bob"]),
    "claimrewards": actions.claimrewards(OWN),
    "approve": actions.approve("eosio", "canary", BY_OWN, HASH),
    "unapprove": actions.unapprove("eosio", "canary", BY_OWN),
}


@pytest.mark.parametrize("action", ALLOWED.values(), ids=ALLOWED)
def test_the_short_list_is_signed(action: Action) -> None:
    """Each action of the list, for the own account, authorised by it alone."""
    assert objection(Policy(), OWN, [action], str(KEY)) == ""


@pytest.mark.parametrize("name", ALLOWED)
def test_each_can_be_switched_off(name: str) -> None:
    """A policy that says no is obeyed, for that action and for no other."""
    policy = Policy(**{name: "never" if name == "approve" else False})  # type: ignore[arg-type]
    refused = {other for other, action in ALLOWED.items() if objection(policy, OWN, [action], str(KEY))}
    assert refused == {name}


@pytest.mark.parametrize(
    "action",
    [
        actions.transfer(OWN, "mallory", Asset.parse("1.0000 SYS")),
        actions.updateauth(OWN, "active", "owner", Authority.key(OTHER)),
        actions.setcode(OWN, b"\0asm"),
        actions.newaccount(OWN, "mallory", Authority.key(OTHER), Authority.key(OTHER)),
        actions.delegatebw(OWN, "mallory", Asset.parse("1.0000 SYS"), Asset.parse("1.0000 SYS")),
        actions.propose(OWN, "x", [BY_OWN], Transaction(1, 0, 0, ())),
        actions.exec("eosio", "canary", OWN),
        actions.regproxy(OWN, True),
        Action("eosio.token", "approve", (BY_OWN,), ALLOWED["approve"].data),
        Action("mallory", "regproducer", (BY_OWN,), ALLOWED["regproducer"].data),
    ],
    ids=lambda action: f"{action.account}-{action.name}",
)
def test_nothing_else_is_signed(action: Action) -> None:
    """Transfers, permissions, code, other contracts' actions of the same name: refused in words."""
    assert "not among the actions" in objection(Policy(), OWN, [action])


@pytest.mark.parametrize(
    "action",
    [
        actions.regproducer("bob", KEY, auth=BY_OWN),
        actions.unregprod("bob", auth=BY_OWN),
        actions.voteproducer("bob", "", ["alice"], auth=BY_OWN),
        actions.claimrewards("bob", auth=BY_OWN),
        actions.approve("eosio", "canary", PermissionLevel("bob"), HASH, auth=BY_OWN),
        actions.approve("eosio", "canary", PermissionLevel(OWN, "owner"), HASH, auth=BY_OWN),
        actions.approve("eosio", "canary", BY_OWN),
        Action("eosio", "unregprod", (BY_OWN,), b"\x01"),
    ],
)
def test_only_for_the_own_account(action: Action) -> None:
    """Another account's row, another permission, an approval without a hash, unreadable data: refused."""
    assert objection(Policy(), OWN, [action])


@pytest.mark.parametrize("levels", [(), (PermissionLevel(OWN, "owner"),), (BY_OWN, PermissionLevel("bob"))])
def test_only_with_the_own_active_permission(levels: tuple[PermissionLevel, ...]) -> None:
    """No authorisation but alice@active, alone."""
    action = ALLOWED["unregprod"]
    assert "alice@active alone" in objection(Policy(), OWN, [Action(action.account, action.name, levels, action.data)])


def test_one_bad_action_spoils_a_transaction() -> None:
    """A transfer cannot hide behind a claim; an empty transaction is not signed."""
    transfer = actions.transfer(OWN, "mallory", Asset.parse("1.0000 SYS"))
    assert objection(Policy(), OWN, [ALLOWED["claimrewards"], transfer])
    assert objection(Policy(), OWN, [])


def test_another_signing_key_is_not_registered() -> None:
    """A coordinator cannot have blocks signed with a key that it chooses."""
    assert "another signing key" in objection(Policy(), OWN, [actions.regproducer(OWN, OTHER)], str(KEY))


def test_what_is_approved_without_asking() -> None:
    """By default the derived canary, and proposals that the operator approved; all others ask first."""
    nothing: dict[str, Any] = {"canary": False, "sets": None, "agreed": False}
    one, other = entry("eosio", "a" * 64, "b" * 64), entry("eosio.token", "c" * 64, "d" * 64)
    another_abi, another_account = entry("eosio", "a" * 64, "c" * 64), entry("eosio.token", "a" * 64, "b" * 64)

    def sets(*entries: str, lasting: int = LASTING) -> dict[str, Any]:
        return {"sets": Replacement(frozenset(entries), NOW + lasting)}

    cases: list[tuple[str, dict[str, Any], bool, bool]] = [
        ("ask", {"canary": True}, True, False),
        ("ask", {}, False, True),
        ("ask", sets(one), False, True),
        ("ask", {"agreed": True}, True, False),
        ("canary", {"canary": True}, True, False),
        ("canary", {"agreed": True}, False, False),
        ("never", {"canary": True, "agreed": True}, False, False),
        (f"code:{one}", sets(one), True, False),
        (f"code:{one}", sets(one, other), False, True),
        (f"code:{one}", sets(another_abi), False, True),
        (f"code:{one}", sets(another_account), False, True),
        (f"code:{one}", sets(one, lasting=30 * 86_400), False, True),
        (f"code:{one}", sets(one, lasting=2**32 - 1 - NOW), False, True),
        (f"code:{one}", {"agreed": True} | sets(one, lasting=30 * 86_400), True, False),
        (f"code:{one},{other}", sets(other), True, False),
    ]
    for policy, seen, approve, ask in cases:
        decision = decide(Policy(approve=policy), now=NOW, **{**nothing, **seen})
        assert (decision.approve, decision.ask) == (approve, ask), (policy, seen)


@pytest.mark.parametrize(
    "text",
    ["yes", "code:", "code:abc", f"code:{'a' * 64}", f"code:eosio={'a' * 64}", f"code:x={'a' * 64}/{'g' * 64}", ""],
)
def test_a_policy_that_says_nothing_clear_is_a_mistake(text: str) -> None:
    """A policy that is not understood is refused."""
    with pytest.raises(ConfigError, match=r"policy\.approve"):
        Policy(approve=text)
