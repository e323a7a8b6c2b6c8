"""The page in a real browser, for networks of many shapes: it fits, can be read, and keeps to its own policy."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live.coordinator.web.chromium import Browser
from tests.live.coordinator.web.conftest import Serve
from tests.unit.coordinator.web.shapes import SHAPES, network

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTRAST = """(() => {
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    if (element.closest("title, .visually-hidden")) continue;
    const style = getComputedStyle(element);
    const colour = parse(element.closest("svg") ? style.fill : style.color);
    const [a, b] = [light(colour), light(behind(element.closest("svg")?.parentElement ?? element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${walker.currentNode.data.trim()} (${element.className}): ${ratio.toFixed(2)}`);
  }
  return [...new Set(poor)];
})()"""
"""Texts whose contrast is below WCAG AA's 4.5, worked out from what the browser computed."""
NAMELESS = """[...document.querySelectorAll("section, svg[role=img], progress, input, button, [role=region]")]
  .filter((one) => one.checkVisibility() && !one.getAttribute("aria-label") && !one.textContent.trim() &&
    !document.getElementById(one.getAttribute("aria-labelledby"))?.textContent.trim() && !one.labels?.length)
  .map((one) => one.outerHTML.slice(0, 80))"""
TINY = """[...document.querySelectorAll("svg text")].filter((one) => one.checkVisibility() && one.textContent.trim())
  .map((one) => [one.textContent, parseFloat(getComputedStyle(one).fontSize) * one.getScreenCTM().a])
  .filter(([, size]) => size < 8.5).map(([text, size]) => `${text}: ${size.toFixed(1)}`)"""
"""Texts of drawings that are smaller than 8.5 pixels on the screen."""
WIDE = "document.documentElement.scrollWidth - innerWidth"
DOUBLE = "[...document.querySelectorAll('[id]')].map((one) => one.id).filter((id, at, all) => all.indexOf(id) !== at)"


@pytest.mark.parametrize("shape", sorted(SHAPES))
async def test_a_shape(shape: str, chromium: Browser, serve: Serve) -> None:
    """On a phone and on a desk, light and dark: nothing sticks out, all is legible and named, and nothing is complained
    of or asked for elsewhere.
    """
    async with serve(SHAPES[shape]()) as (url, _):
        for width, dark in ((360, True), (1280, False)):
            await chromium.look(width, dark=dark)
            await chromium.open(url)
            assert await chromium.evaluate(WIDE) <= 0
            assert await chromium.evaluate(CONTRAST) == []
            assert await chromium.evaluate(NAMELESS) == []
            assert await chromium.evaluate(DOUBLE) == []
            assert await chromium.evaluate(TINY) == []
        assert chromium.said == []
        assert {asked[: len(url)] for asked in chromium.asked} == {url}


async def test_what_a_screen_reader_finds(chromium: Browser, serve: Serve) -> None:
    """Landmarks, one heading of the first level, drawings that are images with names, tables with headers in them."""
    async with serve(network(4, 1, parties=3)) as (url, _):
        await chromium.look(1280)
        await chromium.open(url)
        found = (await chromium.do("Accessibility.getFullAXTree"))["nodes"]
    shown = [node for node in found if not node["ignored"]]

    def named(role: str) -> list[str]:
        return [str(node.get("name", {}).get("value", "")) for node in shown if node["role"]["value"] == role]

    assert len(named("banner")) == len(named("main")) == len(named("contentinfo")) == 1
    levels = [
        next(one["value"]["value"] for one in node["properties"] if one["name"] == "level")
        for node in shown
        if node["role"]["value"] == "heading"
    ]
    assert levels[0] == 1
    assert set(levels[1:]) == {2}
    assert {"Summary", "Boot", "Schedule", "Votes", "Finality", "Peers", "Parties"} <= set(named("region"))
    assert "Lorenz curve of the allocation" in [*named("image"), *named("img")]
    assert len(named("columnheader")) >= 7
    assert {"defproducera", "party0000"} <= {name.split(" ")[0] for name in named("rowheader")}


async def test_by_keyboard(chromium: Browser, serve: Serve) -> None:
    """Tab goes from top to bottom through everything that can be used, shows where it is, and Enter opens a table."""
    async with serve(network(4, 1, parties=40)) as (url, _):
        await chromium.look(1280)
        await chromium.open(url)
        places: list[Any] = []
        for _number in range(60):
            await chromium.press("Tab", 9)
            place = await chromium.evaluate(
                """(() => { const one = document.activeElement, box = one.getBoundingClientRect();
                const style = getComputedStyle(one);
                return one === document.body ? null : {text: (one.textContent || one.id).trim(), width: box.width,
                  outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 1,
                  follows: !window.last || !!(window.last.compareDocumentPosition(one) & 4), at: !!(window.last = one)};
                })()"""
            )
            if place is None:
                break
            places.append(place)
        texts = [place["text"] for place in places]
        assert texts[0] == "Skip to content"
        assert texts[-1] == "The same as data"
        assert {"Steps", "Turns as a table", "Links as a table", "parties-filter", "Show all 40 parties"} <= set(texts)
        assert all(place["follows"] and place["outline"] and place["width"] for place in places), places
        await chromium.evaluate("document.querySelector('#seats').closest('details').querySelector('summary').focus()")
        await chromium.press("Enter", 13)
        await chromium.until("document.querySelector('#seats').checkVisibility()")
        await chromium.evaluate("document.getElementById('parties-more').focus()")
        await chromium.press("Enter", 13)
        await chromium.until("document.querySelectorAll('#parties tr').length === 40")
        assert await chromium.evaluate("document.activeElement.id") == "parties-more"


async def test_a_party_is_found(chromium: Browser, serve: Serve) -> None:
    """Among a thousand, by a part of its name; only what is asked for is drawn."""
    async with serve(SHAPES["large"]()) as (url, _):
        await chromium.open(url)
        assert await chromium.evaluate("document.querySelectorAll('#parties tr').length") == 25
        await chromium.evaluate("document.getElementById('parties-filter').focus()")
        await chromium.do("Input.insertText", text="party0777")
        await chromium.until("document.querySelectorAll('#parties tr').length === 1")
        assert "party0777" in await chromium.text("#parties")
        assert chromium.said == []
