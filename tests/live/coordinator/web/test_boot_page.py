"""The page of a real boot, in a real browser, from bare hosts to a network that is live, and beyond."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.live.coordinator.network import SECONDS, MakeNetwork, Network, networks_below
from tests.live.coordinator.web.chromium import Browser
from tests.ports import free_port

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.campaign]

LIVE = "document.getElementById('phase').textContent === 'Live'"
SEATS = "document.querySelectorAll('#clock .seat').length"
SAID = "document.getElementById('connection-said').textContent"


@pytest.fixture
def paged(tmp_path: Path) -> Any:
    """Two producers, both elected."""
    with networks_below(tmp_path) as make:
        yield _written(make)


def _written(make: MakeNetwork) -> Network:
    network = make("paged")
    network.write('[parties]\nsponsor = "sponsor"', producers=2, elected=2)
    return network


async def test_a_boot_is_watched(paged: Network, chromium: Browser) -> None:
    """The page is opened while nothing runs, and is never loaded again: it sees the steps, the schedule change, blocks
    become irreversible, the coordinator stop, and the next one come. It is told no address, path or key.
    """
    url = f"http://127.0.0.1:{free_port()}/"
    address = url.removeprefix("http://").rstrip("/")
    boot = paged.start("boot", "--serve", "--web", address)
    await asyncio.to_thread(boot.await_text, f"status page: {url}")
    await chromium.look(360)
    await chromium.open(url)
    await chromium.evaluate("window.same = true")
    for what in ("document.querySelector('.step.running')", f"{SEATS} === 1", f"{SEATS} === 2", LIVE):
        await chromium.until(what, seconds=SECONDS)
    await _check_end(chromium)
    await _check_leaks(paged, url)

    boot.interrupt()
    await asyncio.to_thread(boot.wait)
    await chromium.until(f"{SAID}.includes('has stopped')")
    serve = paged.start("serve", "--web", address)
    await chromium.until(f"{SAID} === 'Connected'", seconds=SECONDS)
    await chromium.until(LIVE, seconds=SECONDS)
    assert await chromium.evaluate("window.same") is True
    serve.interrupt()
    assert (await asyncio.to_thread(serve.wait)).status == 0
    # While no coordinator is there, the browser says that it cannot connect; nothing else is complained of.
    assert [line for line in chromium.said if "ERR_CONNECTION_REFUSED" not in line] == []


async def _check_end(chromium: Browser) -> None:
    """What the page shows of the boot that has ended, drawn and in words."""
    await chromium.until("document.querySelectorAll('.step.done').length === 24", seconds=SECONDS)
    assert await chromium.evaluate("document.getElementById('boot-details').open") is False
    assert "2 elected producers sign blocks" in await chromium.text("#lead")
    assert "3 nodes, 3 links" in await chromium.text("#graph-aside")
    events = await chromium.evaluate("[...document.querySelectorAll('#events li')].map((one) => one.textContent)")
    assert any("A new schedule is active: defproducera, defproducerb." in event for event in events)
    assert any("The network is live" in event for event in events)
    assert not any("missed" in event or "signs blocks again" in event for event in events), events
    await chromium.until("document.querySelectorAll('#clock .seat.absent').length === 0")
    assert "have voted" in await chromium.text("#votes-note")
    assert not (await chromium.text("#votes-note")).startswith("0 SYS")
    assert "23 accounts get" in await chromium.text("#allocation-note")
    assert await chromium.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


async def _check_leaks(paged: Network, url: str) -> None:
    """Everything that the page is made of, against everything that must not be in it."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}state.json") as response:
        state = await response.json()
    names = [host["name"] for host in state["sections"]["hosts"]]
    assert names == ["local"]
    text = json.dumps(state)
    ports = {str(port) for pair in paged.ports.values() for port in pair}
    secrets = [*paged.accounts().values(), str(paged.folder), "127.0.0.1", ".coord", "EOS", "PUB_", "PVT_"]
    assert [secret for secret in secrets if secret in text] == []
    assert not [port for port in ports if f":{port}" in text]  # a number of the state has a blank before it
