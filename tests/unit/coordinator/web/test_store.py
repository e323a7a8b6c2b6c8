"""What a viewer is sent, by what it has."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

from coordinator.web.model import PublicEvent, PublicLag, Tone
from coordinator.web.store import EVENTS, LAGS, Store
from tests.unit.coordinator.web.shapes import NOW, network


def content(store: Store, known: str = "") -> Any:
    """The next message's."""
    message = store.since(known)
    assert message
    return json.loads(message.data)


def event(text: str) -> PublicEvent:
    """One that was told."""
    return PublicEvent(NOW, Tone.PLAIN, text)


def test_nothing_is_sent_before_the_first_look() -> None:
    """A viewer waits for it."""
    assert Store().since("") is None


def test_a_newcomer_gets_everything() -> None:
    """All sections and logs, as a whole."""
    store = Store()
    store.update(network(), [event("a")], PublicLag(NOW, 3, 100))
    found = content(store)
    assert found["whole"] is True
    assert set(found["sections"]) == set(network().sections)
    assert found["events"] == [{"at": NOW, "tone": "plain", "text": "a"}]
    assert found["lag"] == [{"at": NOW, "blocks": 3, "head": 100}]


def test_only_what_changed_is_sent() -> None:
    """Nothing to whoever has it all; to one that missed two looks, both in one message."""
    store = Store()
    store.update(network())
    known = store.id
    assert store.since(known) is None
    second = replace(network(), chain=replace(network().chain, head=50_000))
    store.update(second, [event("b")])
    third = replace(second, hosts=())
    store.update(third, [event("c")], PublicLag(NOW, 1, 50_000))
    found = content(store, known)
    assert found["whole"] is False
    assert set(found["sections"]) == {"chain", "hosts"}
    assert [one["text"] for one in found["events"]] == ["b", "c"]
    assert len(found["lag"]) == 1
    store.update(third)
    last = store.since(known)
    assert last
    assert content(store, last.id.rpartition("-")[0] + "-3") == {
        "whole": False,
        "sections": {},
        "events": [],
        "lag": [],
    }


def test_who_comes_from_elsewhere_gets_everything() -> None:
    """Another coordinator's number, one from the future, and nonsense."""
    store, other = Store(), Store()
    for one in (store, other):
        one.update(network())
        one.update(network())
    epoch = store.id.partition("-")[0]
    for known in (
        other.id,
        f"{epoch}-99",
        f"{epoch}-",
        f"{epoch}-²",
        f"{epoch}-1x",
        "-",
        "x" * 9999,
        f"{epoch}-{'9' * 40}",
    ):
        assert content(store, known)["whole"] is True
    assert content(store, f"{epoch}-1")["whole"] is False


def test_logs_are_bounded_and_never_have_a_gap() -> None:
    """Who was away for longer than the logs reach gets the whole, and keeps no older part."""
    store = Store()
    store.update(network(), [event("first")])
    early = store.id
    for number in range(LAGS + 10):
        store.update(network(), [event(str(number))] if number % 2 else (), PublicLag(NOW + number, 1, number))
    found = content(store, early)
    assert found["whole"] is True
    assert (len(found["events"]), len(found["lag"])) == (EVENTS, LAGS)
    assert found["lag"][-1]["head"] == LAGS + 9


async def test_an_update_wakes_all_viewers() -> None:
    """Each of them, also when two updates come at once."""
    store = Store()
    waiting = [asyncio.create_task(store.news()) for _ in range(3)]
    await asyncio.sleep(0)
    store.update(network())
    store.update(network())
    async with asyncio.timeout(1):
        await asyncio.gather(*waiting)
