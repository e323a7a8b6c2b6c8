"""Resolving the names of parties' hosts, whose DNS servers may answer slowly or never."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest

from coordinator.parties import lookup
from coordinator.parties.lookup import Lookups
from support.resolving import resolve


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A resolver that does not answer for slow.example until the event is set; the others it finds at once."""
    answers = threading.Event()

    def look(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        if host == "slow.example":
            answers.wait(30)
        if host == "none.example":
            raise socket.gaierror
        return [(0, 0, 0, "", ("203.0.113.7", 0)), (0, 0, 0, "", ("203.0.113.7", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", look)
    yield answers
    answers.set()


async def test_addresses(silent: threading.Event) -> None:
    """Each address once; none for an unknown name; an IP address is its own answer."""
    assert await resolve("quick.example") == ("203.0.113.7",)
    assert await resolve("none.example") == ()
    assert await resolve("8.8.8.8") == ("8.8.8.8",)


async def test_whose_name_is_slow_waits_alone(silent: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty slow names delay neither each other nor the next one, and none is looked up twice at a time."""
    monkeypatch.setattr(lookup, "SECONDS", 60)
    lookups = Lookups()
    names = [f"slow{number}" for number in range(50)]
    waiting = [asyncio.create_task(lookups.addresses(name, "slow.example")) for name in names]
    await asyncio.sleep(0)
    assert await lookups.addresses("honest", "quick.example") == ("203.0.113.7",)
    assert not any(one.done() for one in waiting)
    monkeypatch.setattr(lookup, "SECONDS", 0.05)
    assert await lookups.addresses("slow0", "quick.example") == ()
    monkeypatch.setattr(lookup, "SECONDS", 60)
    silent.set()
    assert await lookups.addresses("slow0", "quick.example") == ("203.0.113.7",)
    assert set(await asyncio.gather(*waiting)) == {("203.0.113.7",)}


async def test_a_name_that_is_not_answered_has_no_address(
    silent: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a time limit."""
    monkeypatch.setattr(lookup, "SECONDS", 0.05)
    assert await Lookups().addresses("slow", "slow.example") == ()
