"""Producers, proxies, votes and the schedule that they elect."""

from __future__ import annotations

from collections.abc import Iterator

from boot.audit.authority import Json
from boot.audit.lawful import choice_is_lawful, schedule_is_lawful
from boot.audit.report import Check, judged, named
from boot.audit.seen import Observed, Seen
from boot.blueprint import Blueprint
from inventory.sealed import SealedProducer, SealedVote


def checks(blueprint: Blueprint, seen: Seen, observed: Observed) -> Iterator[Check]:
    """producers, proxies, votes, schedule, signing keys."""
    sealed = blueprint.sealed
    count = len(sealed.producers)
    yield judged("producers", _registered(blueprint, seen, observed), f"{count} registered and active, as planned")
    yield judged("proxies", _proxies(blueprint, seen), f"{len(sealed.proxies)} registered, as planned")
    fine = f"{len(sealed.votes)} voters, as planned right after a boot"
    yield judged("votes", _votes(blueprint, seen, observed), fine)
    joined = [name for name in seen.active_producers if name not in sealed.elected]
    fine = f"the {len(sealed.elected)} elected: {named(sealed.elected)}"
    fine += f", and parties: {named(joined)}" if joined else ""
    yield judged("schedule", _schedule(blueprint, seen, observed), fine)
    yield judged("signing keys", _signing_keys(blueprint, seen, observed), "the active schedule's are the sealed ones")


def _signed_by(authority: list[object]) -> str:
    """The key of a block signing authority ([kind, {threshold, keys}]) that has one, otherwise a text that is not a
    key.
    """
    block: Json = authority[1]  # type: ignore[assignment]
    keys = [(str(entry["key"]), int(entry["weight"])) for entry in block["keys"]]
    if int(block["threshold"]) == 1 and len(keys) == 1 and keys[0][1] == 1:
        return keys[0][0]
    return f"{block['threshold']} of {keys}"


def _registered(blueprint: Blueprint, seen: Seen, observed: Observed) -> Iterator[str]:
    rows = {str(row["owner"]): row for row in seen.producers}
    planned = {producer.account for producer in blueprint.sealed.producers}
    for producer in blueprint.sealed.producers:
        if producer.account not in rows:
            yield f"{producer.account} is not registered"
        else:
            yield from _registration(producer, rows[producer.account])
    extra = rows.keys() - planned - observed.parties
    if extra:
        yield f"registered, but not planned: {named(extra)}"


def _registration(producer: SealedProducer, row: Json) -> Iterator[str]:
    name = producer.account
    if not row["is_active"]:
        yield f"{name} is registered, but inactive"
    if row["producer_key"] != producer.signing_key:
        yield f"{name} has signing key {row['producer_key']}, planned {producer.signing_key}"
    authority = row.get("producer_authority")
    if authority and _signed_by(authority) != producer.signing_key:
        yield f"{name} has signing authority {_signed_by(authority)}, planned {producer.signing_key}"
    if row["url"] != producer.url:
        yield f"{name} has url {row['url']!r}, planned {producer.url!r}"
    if int(row["location"]) != producer.location:
        yield f"{name} has location {row['location']}, planned {producer.location}"


def _proxies(blueprint: Blueprint, seen: Seen) -> Iterator[str]:
    registered = {str(row["owner"]) for row in seen.voters if row["is_proxy"]}
    planned = set(blueprint.sealed.proxies)
    yield from (f"{name} is not a proxy" for name in sorted(planned - registered))
    yield from (f"{name} is a proxy, but not planned" for name in sorted(registered - planned))


def _votes(blueprint: Blueprint, seen: Seen, observed: Observed) -> Iterator[str]:
    rows = {str(row["owner"]): row for row in seen.voters}
    planned = {vote.voter: vote for vote in blueprint.sealed.votes}
    for vote in planned.values():
        row = rows.get(vote.voter)
        if row is None or not (row["proxy"] or row["producers"]):
            yield f"{vote.voter} has not voted"
        elif row["proxy"] != vote.proxy or not _chose(vote, row, observed):
            yield f"{vote.voter} votes for {_choice(row)}, planned {_planned(vote)}"
    others = rows.keys() - planned.keys() - observed.parties
    extra = {name for name in others if rows[name]["proxy"] or rows[name]["producers"]}
    if extra:
        yield f"voted, but not planned: {named(extra)}"


def _chose(vote: SealedVote, row: Json, observed: Observed) -> bool:
    return choice_is_lawful(set(vote.producers), {str(name) for name in row["producers"]}, observed)


def _choice(row: Json) -> str:
    return f"proxy {row['proxy']}" if row["proxy"] else named(row["producers"])


def _planned(vote: SealedVote) -> str:
    return f"proxy {vote.proxy}" if vote.proxy else named(vote.producers)


def _schedule(blueprint: Blueprint, seen: Seen, observed: Observed) -> Iterator[str]:
    active, elected = set(seen.active_producers), set(blueprint.sealed.elected)
    if not schedule_is_lawful(blueprint, active, observed):
        yield f"active is {named(active)}, elected are {named(elected)}"
    for stage in ("pending", "proposed"):
        following = seen.schedule.get(stage)
        if following and following["producers"]:  # Spring writes an empty list if there is none
            names = {str(entry["producer_name"]) for entry in following["producers"]}
            if not schedule_is_lawful(blueprint, names, observed):
                yield f"{stage} is another one: {named(names)}"


def _signing_keys(blueprint: Blueprint, seen: Seen, observed: Observed) -> Iterator[str]:
    """The expected key of each producer. A party's is the one that it registered, which it may change.

    A party that unregistered is no longer in the table, but the schedule may still have it with its old key.
    """
    parties = [row for row in seen.producers if row["owner"] in observed.parties]
    left = {str(row["owner"]) for row in parties if not row["is_active"]}
    planned = {str(row["owner"]): str(row["producer_key"]) for row in parties} | {
        producer.account: producer.signing_key for producer in blueprint.sealed.producers
    }
    for entry in seen.schedule["active"]["producers"]:
        name, key = str(entry["producer_name"]), _signed_by(entry["authority"])
        if key != planned.get(name) and name not in left:
            yield f"{name} signs with {key}, planned {planned.get(name, 'not at all')}"
