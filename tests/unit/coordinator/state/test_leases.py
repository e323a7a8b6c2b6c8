"""Leases: one holder at a time, and a number that rises when it changes."""

from __future__ import annotations

from pathlib import Path

from coordinator.state.leases import Lease, Leases
from support.journal import Journal


def test_a_lease_has_one_holder(tmp_path: Path) -> None:
    """Given to the same host it stays; to another, or to another machine of the same name, it is a new one."""
    leases = Leases(Journal(tmp_path / "journal.sqlite"))
    assert leases.give("prod", "h1") == Lease("prod", "h1", 1, settled=True)
    assert leases.give("prod", "h1").number == 1
    assert leases.give("prod", "h2") == Lease("prod", "h2", 2, settled=False)
    leases.settle("prod")
    assert leases.all() == (Lease("prod", "h2", 2, settled=True),)
    assert leases.move("prod", "h2") == Lease("prod", "h2", 3, settled=False)
    assert leases.find("other") is None


def test_a_producer_that_moves_has_a_lease_for_its_new_key(tmp_path: Path) -> None:
    """Its new host need not look; given again, it stays the same; without a move it is for no key."""
    leases = Leases(Journal(tmp_path / "journal.sqlite"))
    leases.give("prod", "h1")
    assert leases.hand_over("prod", "h2", "K2") == Lease("prod", "h2", 2, settled=True, key="K2")
    assert leases.hand_over("prod", "h2", "K2").number == leases.give("prod", "h2").number == 2
    assert leases.give("prod", "h1") == Lease("prod", "h1", 3, settled=False)
