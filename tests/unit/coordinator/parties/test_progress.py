"""What is done next for a party, from what is known of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coordinator.parties.progress import BEHIND, AccountState, Act, ChainView, Decision, Seen, decide, electable
from coordinator.parties.store import Party, Standing

PARTY = Party(
    "alice", "alice1111111", "EOSa", "EOSs", "8.8.8.8:9876", "v5", "", Standing.REGISTERED, "", 1.0, ("genesis",), ""
)
FOUND = replace(PARTY, dialled="8.8.8.8:9876")
CHAIN = ChainView(follows=True, head=100, settled=True, registered={"alice1111111": "EOSs"})
PEERS = ("10.0.0.1:9876",)
READY = Seen(
    FOUND, connected=True, sealed=True, holds=True, peers=PEERS, told=PEERS, node="running", head=100,
    account=AccountState.THERE, attested=True,
)  # fmt: skip
"""A party that lacks nothing."""
ABSENT = replace(CHAIN, schedule=frozenset({"alice1111111"}), silent=frozenset({"alice1111111"}))
"""A chain on which it lets its turns pass."""
NEW = replace(CHAIN, registered={})
"""A chain on which it is not registered."""


@pytest.mark.parametrize(
    ("seen", "chain", "standing", "act", "said"),
    [
        (replace(READY, party=replace(PARTY, account_key=None)), CHAIN, Standing.REGISTERED, None, ""),
        (replace(READY, connected=False), CHAIN, Standing.REGISTERED, None, "away"),
        (replace(READY, sealed=False), CHAIN, Standing.REGISTERED, None, "seal"),
        (replace(READY, holds=False), CHAIN, Standing.REGISTERED, Act.HOLD, ""),
        (replace(READY, party=PARTY), ChainView(), Standing.REGISTERED, None, "chain's accounts"),
        (replace(READY, node="", told=None), CHAIN, Standing.FOLLOWING, Act.FOLLOW, ""),
        (replace(READY, node="failed", detail="no room"), CHAIN, Standing.FOLLOWING, None, "failed: no room"),
        (replace(READY, party=PARTY), CHAIN, Standing.FOLLOWING, Act.DIAL, "8.8.8.8:9876"),
        (replace(READY, head=100 - BEHIND - 1), CHAIN, Standing.DIALLED, None, "block 89 of 100"),
        (replace(READY, account=AccountState.UNKNOWN), NEW, Standing.SYNCED, None, "looks for"),
        (replace(READY, account=AccountState.FOREIGN), NEW, Standing.SYNCED, None, "a key other"),
        (replace(READY, account=AccountState.ABSENT), NEW, Standing.SYNCED, Act.SPONSOR, "created"),
        (
            replace(READY, account=AccountState.ABSENT),
            replace(NEW, sponsor="no funds"),
            Standing.SYNCED,
            None,
            "no funds",
        ),
        (READY, NEW, Standing.ACCOUNT, Act.ENLIST, ""),
        (READY, replace(CHAIN, registered={"alice1111111": "EOSother"}), Standing.ACCOUNT, Act.ENLIST, ""),
        (READY, CHAIN, Standing.VOTABLE, None, ""),
        (replace(READY, attested=False), CHAIN, Standing.VOTABLE, Act.ATTEST, ""),
        (replace(READY, attested=False), replace(CHAIN, settled=False), Standing.VOTABLE, None, ""),
        (READY, replace(CHAIN, voted=frozenset({"alice1111111"})), Standing.VOTED, None, ""),
        (READY, replace(CHAIN, schedule=frozenset({"alice1111111"})), Standing.PRODUCING, None, "schedule"),
        (READY, ABSENT, Standing.PRODUCING, None, "schedule; it is elected but signs no blocks"),
        (replace(READY, connected=False), ABSENT, Standing.REGISTERED, None, "away; it is elected but signs no"),
        (replace(READY, node="stopped"), ABSENT, Standing.FOLLOWING, None, "stopped; it is elected but signs no"),
    ],
)
def test_the_first_thing_that_is_missing(
    seen: Seen, chain: ChainView, standing: Standing, act: Act | None, said: str
) -> None:
    """One thing at a time, each with its reason."""
    decision = decide(seen, chain)
    assert (decision.standing, decision.act) == (standing, act)
    assert said in decision.why


def test_short_names_are_not_sponsored() -> None:
    """Only eosio could create them, and it has resigned."""
    seen = replace(READY, party=replace(FOUND, account="alice"), account=AccountState.ABSENT)
    decision = decide(seen, NEW)
    assert (decision.act, decision.stuck) == (None, True)
    assert "12 characters" in decision.why


def test_what_went_wrong_is_said_and_not_done_again_at_once() -> None:
    """Until a retry is due the party is told why; a failed attestation does not change its standing."""
    failed = replace(READY, trouble={Act.SPONSOR: "the budget is spent"}, account=AccountState.ABSENT)
    assert decide(failed, NEW) == Decision(Standing.SYNCED, "the budget is spent", stuck=True)
    unattested = replace(READY, attested=False, trouble={Act.ATTEST: "no node"})
    decision = decide(unattested, CHAIN)
    assert (decision.standing, decision.act, decision.stuck) == (Standing.VOTABLE, None, False)
    assert "no node" in decision.why


def test_a_failure_is_the_reason_until_a_later_try_goes_well() -> None:
    """While it is tried again the party's state and reason stay, so nobody is told two things in turns."""
    failed = replace(READY, trouble={Act.ENLIST: "it is leaving"})
    again = replace(failed, due=frozenset({Act.ENLIST}))
    assert decide(again, NEW) == replace(decide(failed, NEW), act=Act.ENLIST, stuck=False)
    assert decide(again, NEW).why == "it is leaving"
    moved = replace(READY, peers=(*PEERS, "10.0.0.2:1"), trouble={Act.FOLLOW: "no answer"})
    assert decide(moved, CHAIN).act is None
    assert decide(replace(moved, due=frozenset({Act.FOLLOW})), CHAIN).act is Act.FOLLOW


def test_other_peers_are_told_without_losing_the_place() -> None:
    """A producing party whose neighbours changed stays a producing one."""
    chain = replace(CHAIN, schedule=frozenset({"alice1111111"}))
    decision = decide(replace(READY, peers=(*PEERS, "10.0.0.2:1")), chain)
    assert (decision.standing, decision.act) == (Standing.PRODUCING, Act.FOLLOW)


def test_a_known_party_keeps_its_place_while_the_chain_is_not_seen() -> None:
    """For example when a coordinator has just started."""
    seen = replace(READY, party=replace(FOUND, state=Standing.PRODUCING))
    assert decide(seen, ChainView()).standing is Standing.PRODUCING


def test_only_those_that_are_ready_are_voted_for() -> None:
    """Not parties that are registered but behind, not dialled back, or away."""
    cases = {
        "ready": READY,
        "behind": replace(READY, head=1),
        "hidden": replace(READY, party=PARTY),
        "away": replace(READY, connected=False, party=replace(FOUND, state=Standing.PRODUCING)),
    }
    decisions = {name: decide(seen, CHAIN) for name, seen in cases.items()}
    assert electable(decisions, cases) == (READY.party.account,)
    assert decisions["behind"].why
