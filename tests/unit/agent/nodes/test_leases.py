"""Who may sign: the rules by which one key has one signer, and what an agent remembers of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.memory import Memory
from agent.nodes.leases import (
    EARLY_SECONDS,
    TERM_SECONDS,
    Finding,
    Lease,
    Leases,
    Signed,
    Standing,
    Verdict,
    View,
    is_later,
    judge,
    told,
    verdict,
    window,
)
from support.journal import Journal

FREE, HELD, TAKEN = (Lease("prod", 3, standing) for standing in Standing)
SCHEDULE = ("prod", "other", "third")
NOW = 1_000_000.0


@pytest.mark.parametrize(
    ("lease", "away", "confirmed", "expected"),
    [
        (FREE, 0.0, False, Verdict.SIGN),
        (HELD, TERM_SECONDS, False, Verdict.SIGN),
        (HELD, TERM_SECONDS + 1, False, Verdict.LOOK),
        (HELD, None, False, Verdict.LOOK),
        (FREE, None, False, Verdict.LOOK),
        (HELD, None, True, Verdict.SIGN),
        (TAKEN, 0.0, False, Verdict.NEVER),
        (TAKEN, 0.0, True, Verdict.NEVER),
    ],
)
def test_what_a_node_may_do(lease: Lease, away: float | None, confirmed: bool, expected: Verdict) -> None:
    """Briefly away: it signs. Away for longer, or nobody knows: it looks, unless a coordinator says. Taken: never."""
    assert verdict(lease, away, confirmed=confirmed) is expected


@pytest.mark.parametrize(
    ("lease", "number", "ours", "standing", "now"),
    [
        (FREE, 3, True, Standing.HELD, 3),
        (HELD, 4, False, Standing.TAKEN, 4),
        (HELD, 2, False, Standing.HELD, 3),  # older than what is known
        (TAKEN, 3, True, Standing.TAKEN, 3),  # taken since: only a start that is asked for gives it back
        (TAKEN, 4, True, Standing.HELD, 4),
    ],
)
def test_what_a_coordinator_says(lease: Lease, number: int, ours: bool, standing: Standing, now: int) -> None:
    """A newer number counts; an older one, or the one under which it was taken, changes nothing."""
    found = told(lease, number, ours=ours, host="h9")
    assert (found.standing, found.number) == (standing, now)
    assert not ours or "h9" not in found.why


def _view(
    *signed: float, level: bool = True, last: float | None = NOW - 500, began: float = NOW - 10, alone: bool = False
) -> View:
    """A look at blocks that `prod` signed at these times."""
    others = (Signed("other", NOW - 1), Signed("third", NOW - 2))
    return View("prod", SCHEDULE, (*others, *(Signed("prod", time) for time in signed)), level, last, began, alone, NOW)


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (_view(), Finding.CLEAR),
        (_view(level=False), Finding.WAIT),  # it does not know yet what its peers know
        (_view(NOW - 20), Finding.OTHER),
        (_view(NOW - 400), Finding.OTHER),
        (_view(NOW - 500 + EARLY_SECONDS), Finding.CLEAR),  # its own, made early
        (_view(NOW - 500), Finding.CLEAR),
        (_view(last=NOW - 20), Finding.WAIT),
        (_view(last=None), Finding.CLEAR),
        (_view(NOW - 20, last=None), Finding.WAIT),  # the dead machine's last blocks, perhaps
        (_view(NOW - 1, last=None), Finding.OTHER),
    ],
)
def test_what_a_look_comes_to(view: View, expected: Finding) -> None:
    """Somebody who signs after this node last did is another; nobody in two rounds is nobody."""
    assert judge(view) is expected


def test_a_look_waits_for_two_rounds_and_no_longer() -> None:
    """The time since this node signed last is what counts."""
    span = window(SCHEDULE)
    assert span == 36.0
    assert judge(_view(last=NOW - span + 1)) is Finding.WAIT
    assert judge(_view(last=NOW - span)) is Finding.CLEAR


def test_a_machine_that_nobody_told_anything_waits_for_two_rounds_of_its_own() -> None:
    """A dead producer's rounds are quiet for its successor, too: both would begin to sign in the same slot."""
    span = window(SCHEDULE)
    assert judge(_view(began=NOW - 10, alone=True)) is Finding.WAIT
    assert judge(_view(began=NOW - span + 1, alone=True)) is Finding.WAIT
    assert judge(_view(began=NOW - span, alone=True)) is Finding.CLEAR
    assert judge(_view(NOW - 1, began=NOW - span, alone=True)) is Finding.OTHER


def test_who_came_later() -> None:
    """A node that meets the other's blocks within two rounds of its start was second."""
    assert is_later(NOW, NOW + 36, SCHEDULE)
    assert not is_later(NOW, NOW + 37, SCHEDULE)


@pytest.fixture
def opened(tmp_path: Path) -> Callable[[], Leases]:
    """The leases of one data folder, as each start of its agent opens them."""
    return lambda: Leases(Memory(Journal(tmp_path / "journal.sqlite")))


def test_what_is_taken_stays_taken_over_restarts(opened: Callable[[], Leases]) -> None:
    """A restarted agent, even one that a coordinator tells the same number again, signs only when asked to."""
    leases = opened()
    leases.told("prod", 1, ours=True, host="h1", look=False)
    assert leases.verdict("prod", None) is Verdict.SIGN
    leases.taken("prod", "another node signs")
    again = opened()
    again.told("prod", 1, ours=True, host="h1", look=False)
    assert again.verdict("prod", 0.0) is Verdict.NEVER
    assert again.of("prod").why == "another node signs"
    again.given("prod", 1, look=False)
    assert again.verdict("prod", None) is Verdict.SIGN


def test_a_confirmation_ends_with_the_connection(opened: Callable[[], Leases]) -> None:
    """Without a coordinator nothing is certain: a node that was away for long looks first."""
    leases = opened()
    leases.told("prod", 1, ours=True, host="h1", look=False)
    leases.parted()
    assert leases.verdict("prod", None) is Verdict.LOOK
    assert leases.verdict("prod", 1.0) is Verdict.SIGN


def test_a_moved_lease_is_used_after_a_look(opened: Callable[[], Leases]) -> None:
    """The new machine's node looks before it signs, though it was asked to start."""
    leases = opened()
    leases.given("prod", 2, look=True)
    assert leases.verdict("prod", None) is Verdict.LOOK
    leases.told("prod", 2, ours=True, host="h1", look=False)
    assert leases.verdict("prod", None) is Verdict.SIGN


def test_whom_nobody_tells_whether_it_was_replaced(opened: Callable[[], Leases]) -> None:
    """Not the machine that a coordinator has just given the lease, even when that leaves; but the same one later."""
    leases = opened()
    assert not leases.alone("prod")  # a party's: no coordinator ever gives its lease to another machine
    leases.given("prod", 2, look=True)
    leases.parted()
    assert not leases.alone("prod")
    leases.used("prod")
    assert leases.alone("prod")
    leases.told("prod", 2, ours=True, host="h1", look=True)
    assert not leases.alone("prod")
    leases.told("prod", 2, ours=True, host="h1", look=False)
    assert not leases.alone("prod")
    assert opened().alone("prod")
