"""An old block-signing key is kept exactly as long as a schedule may need it."""

from __future__ import annotations

from typing import Any

import pytest

from agent.rekeying import Seen, needed
from antelope.answers import Schedule, ScheduledProducer, Schedules
from antelope.keys import PrivateKey, PublicKey

OLD, NEW = (PrivateKey(bytes(31) + bytes([number])).public for number in (1, 2))


def schedule(version: int, key: PublicKey | None) -> Schedule:
    """Of two producers, or of the other one alone."""
    other = ScheduledProducer("other", (OLD,))
    return Schedule(version, (other, *([ScheduledProducer("prod", (key,))] if key else [])))


def seen(
    active: PublicKey | None,
    *,
    registered: PublicKey | None = NEW,
    pending: Schedule | None = None,
    proposed: Schedule | None = None,
    irreversible: int = 7,
) -> Seen:
    """The active schedule has version 7."""
    row: dict[str, Any] = {"is_active": registered is not None, "producer_key": str(registered or OLD)}
    return Seen(row, Schedules(schedule(7, active), pending, proposed), irreversible)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (seen(NEW), ""),
        (seen(None), ""),
        (seen(OLD), "the active schedule names another key of prod"),
        (seen(NEW, irreversible=6), "version 7) is not irreversible yet"),
        (seen(NEW, registered=OLD), "is not registered with"),
        (seen(NEW, registered=None), "is not registered with"),
        (seen(NEW, pending=schedule(8, OLD)), "the pending schedule names another key"),
        (seen(NEW, proposed=schedule(8, OLD)), "the proposed schedule names another key"),
        (seen(NEW, proposed=schedule(8, NEW), pending=schedule(8, None)), ""),
    ],
)
def test_an_old_key_is_needed_until_the_new_one_is_irreversible(found: Seen, why: str) -> None:
    """In every schedule that there is or will be, and in a block that no fork can drop."""
    said = needed(found, "prod", NEW)
    assert why in said
    assert bool(why) == bool(said)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (seen(None, registered=None), ""),
        (seen(None), "is registered as a producer"),
        (seen(OLD, registered=None), "the active schedule names still prod"),
        (seen(None, registered=None, pending=schedule(8, OLD)), "the pending schedule"),
        (seen(None, registered=None, irreversible=6), "not irreversible yet"),
    ],
)
def test_a_retired_producer_keeps_its_key_while_it_may_have_to_sign(found: Seen, why: str) -> None:
    """Unregistered, and out of every schedule, irreversibly."""
    said = needed(found, "prod", None)
    assert why in said
    assert bool(why) == bool(said)
