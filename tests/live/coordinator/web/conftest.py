"""A browser per test; without chromium the tests here are skipped, with the reason."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import pytest
import pytest_asyncio

from coordinator.web.listening import Door, Names
from coordinator.web.model import PublicView
from coordinator.web.server import Site, listening
from coordinator.web.store import Store
from support.endpoint import Endpoint
from tests.live.coordinator.web.chromium import MISSING, Browser, browser
from tests.unit.coordinator.web.shapes import filled


class Serve(Protocol):
    """Serves a scripted view at a port of loopback, 0 for a free one: gives its URL, and the store to change it by."""

    def __call__(self, view: PublicView, port: int = 0) -> AbstractAsyncContextManager[tuple[str, Store]]: ...


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """One browser for a file of tests: it takes some seconds to start."""
    if MISSING:
        pytest.skip(MISSING)
    async with browser(tmp_path_factory.mktemp("chromium")) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def chromium(opened: Browser) -> AsyncIterator[Browser]:
    """Its page, on which nothing has happened yet."""
    await opened.do("Page.navigate", url="about:blank")
    opened.said.clear()
    opened.asked.clear()
    yield opened
    await opened.do("Page.navigate", url="about:blank")


@pytest.fixture
def serve() -> Serve:
    """What serves scripted views."""

    @asynccontextmanager
    async def served(view: PublicView, port: int = 0) -> AsyncIterator[tuple[str, Store]]:
        store, door = filled(view), Door.at(Endpoint("127.0.0.1", port))
        async with listening(Site(store, Names(), lambda: None, lambda: None), door):
            yield door.url, store

    return served
