"""What may lawfully differ from the state right after a boot once parties have joined, derived from the seal and the
chain.
"""

from __future__ import annotations

from antelope.elections import MAX_SCHEDULE
from antelope.names import name_to_int
from boot.audit.seen import Observed, Seen
from boot.blueprint import Blueprint


def schedule_is_lawful(blueprint: Blueprint, names: set[str], observed: Observed) -> bool:
    """Whether a schedule is the elected producers and parties. In a full schedule parties may have taken the places of
    others.
    """
    elected = set(blueprint.sealed.elected)
    return names - elected <= observed.parties and (elected <= names or len(names) >= MAX_SCHEDULE)


def choice_is_lawful(planned: set[str], chosen: set[str], observed: Observed) -> bool:
    """Whether a vote is the planned one, possibly with parties added."""
    return planned <= chosen and chosen - planned <= observed.parties


def sponsored(blueprint: Blueprint, seen: Seen) -> int:
    """How many parties' accounts the sponsor has paid for, computed from its balance: a whole number within its budget.

    0 if there is no sponsor, or if the difference is not a whole number.
    """
    sponsor = blueprint.sealed.sponsor
    users = seen.survey.users
    place = users.places.find(name_to_int(sponsor.account)) if sponsor else -1
    if sponsor is None or place < 0 or not users.there[place]:
        return 0
    planned, left = blueprint.rows[place].liquid, max(users.liquid[place], 0)
    each = sponsor.ram + sponsor.net + sponsor.cpu + sponsor.liquid
    count, rest = divmod(planned - left, each) if each else (0, 1)
    return count if not rest and 0 < count <= sponsor.parties else 0
