"""The page while things happen: it follows without being loaded again, and comes back when the coordinator does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coordinator.web.events import events
from tests.live.coordinator.web.chromium import Browser
from tests.live.coordinator.web.conftest import Serve
from tests.ports import free_port
from tests.unit.coordinator.web.shapes import booting, network, stalled

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_it_follows_without_being_loaded_again(chromium: Browser, serve: Serve) -> None:
    """From the middle of a boot to a network that is live, and to one that has stalled."""
    before, live, bad = booting(), network(parties=3), stalled()
    async with serve(before) as (url, store):
        await chromium.look(1280)
        await chromium.open(url)
        await chromium.evaluate("window.same = true")
        assert await chromium.text("#phase") == "Booting"
        assert "10 of 24 steps are done. Now: create the staked accounts." in await chromium.text("#lead")
        assert "1,203 of 3,000, on h1" in await chromium.text(".step.running")
        assert await chromium.evaluate("document.querySelectorAll('#clock .seat').length") == 1
        store.update(live, events(before, live))
        await chromium.until("document.getElementById('phase').textContent === 'Live'")
        assert await chromium.evaluate("document.querySelectorAll('#clock .seat').length") == 4
        assert "The network is live" in await chromium.text("#events li")
        assert await chromium.evaluate("document.getElementById('boot-details').open") is False
        store.update(bad, events(live, bad))
        await chromium.until("document.getElementById('phase').textContent === 'Stalled'")
        assert await chromium.evaluate("document.querySelectorAll('#clock .seat.absent').length") == 7
        assert "defproducero" in await chromium.text("#schedule-note")
        assert await chromium.evaluate("window.same") is True
        assert chromium.said == []


async def test_the_summary_is_read_out_only_when_something_happens(chromium: Browser, serve: Serve) -> None:
    """A new block changes figures, and not the text that screen readers announce."""
    before = network()
    async with serve(before) as (url, store):
        await chromium.open(url)
        await chromium.evaluate(
            "window.spoken = 0; new MutationObserver(() => window.spoken++)"
            ".observe(document.getElementById('lead'), {childList: true, characterData: true, subtree: true})"
        )
        store.update(replace(before, chain=replace(before.chain, head=60_000)))
        await chromium.until("document.getElementById('figures').innerText.includes('60,000')")
        assert await chromium.evaluate("window.spoken") == 0
        store.update(stalled())
        await chromium.until("window.spoken > 0")


async def test_the_coordinator_goes_and_comes_back(chromium: Browser, serve: Serve) -> None:
    """The page says so, keeps what it showed, and continues with the next coordinator at that address."""
    port = free_port()
    async with serve(network(), port) as (url, _):
        await chromium.open(url)
        await chromium.evaluate("window.same = true")
    await chromium.until("document.getElementById('connection-said').textContent.includes('has stopped')")
    assert "Next try in" in await chromium.text("#connection-wait")
    assert await chromium.text("#phase") == "Live"
    async with serve(stalled(), port):
        await chromium.until("document.getElementById('connection-said').textContent === 'Connected'")
        assert await chromium.text("#phase") == "Stalled"
        assert await chromium.evaluate("window.same") is True


async def test_the_drawings_geometry(chromium: Browser, serve: Serve) -> None:
    """The pure functions, by numbers that were worked out by hand."""
    async with serve(network()) as (url, _):
        await chromium.open(url)

        async def of(expression: str) -> object:
            return await chromium.evaluate(f"import('/js/geometry.js').then((g) => g.{expression})")

        assert await of("polar(0.25, 10)") == [10, 0]
        assert await of("polar(0.5, 10)") == [0, 10]
        assert await of("segments(4, 0)") == [[0, 0.25], [0.25, 0.5], [0.5, 0.75], [0.75, 1]]
        assert await of("segments(1, 0.1)") == [[0, 1]]
        assert await of("ticks(0, 3)") == [0, 1]
        assert await of("ticks(100, 4)") == [0, 50, 100]
        assert await of("ticks(325, 3)") == [0, 200, 400]
        assert await of("scale([0, 10], [100, 0])(5)") == 50
        assert await of("scale([3, 3], [0, 7])(3)") == 0
        assert await of("line([[0, 1], [2, 3.456]])") == "M0,1L2,3.46"
        assert await of("area([], 5)") == ""
        assert await of("area([[0, 1], [2, 3]], 9)") == "M0,1L2,3L2,9L0,9Z"
        assert await of("thin([1, 9, 2, 3], 2, (one) => one)") == [9, 3]
        assert await of("heldBy([[0, 0], [0.5, 0.2], [1, 1]], 0.25)") == 0.1
        assert await of("heldBy([[0, 0], [1, 1]], 0)") == 0
