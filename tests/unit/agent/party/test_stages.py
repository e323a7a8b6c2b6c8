"""Every stage on the way to producing is reported in words."""

from __future__ import annotations

from dataclasses import replace

from agent.party.stages import Observation, Stage, line, stage

SYNCED = Observation(head=100, lib=90, fresh=True, peers=2)


def test_each_stage_follows_from_what_is_seen() -> None:
    """One thing more at a time, in the order in which it happens."""
    there = replace(SYNCED, account=True)
    ours = replace(there, ours=True)
    registered = replace(ours, registered=True)
    scheduled = replace(registered, scheduled=True)
    way = [
        (replace(SYNCED, fresh=False), Stage.SYNCING),
        (SYNCED, Stage.NO_ACCOUNT),
        (there, Stage.OTHER_KEYS),
        (ours, Stage.UNREGISTERED),
        (registered, Stage.VOTABLE),
        (replace(registered, upcoming=True), Stage.ELECTED),
        (scheduled, Stage.SCHEDULED),
        (replace(scheduled, produced=True), Stage.PRODUCING),
    ]
    assert [stage(seen) for seen, _ in way] == [expected for _, expected in way]
    said = [line(expected, seen, "alice") for seen, expected in way]
    assert len(set(said)) == len(said)
    assert "waiting for account alice" in said[1]
    assert "cleos set account permission" in said[2]  # a key of the store is never replaced: the account takes it


def test_a_node_behind_is_syncing_whatever_else_it_shows() -> None:
    """An outdated state is not reported."""
    behind = replace(SYNCED, fresh=False, account=True, ours=True, registered=True, scheduled=True, produced=True)
    assert stage(behind) is Stage.SYNCING
