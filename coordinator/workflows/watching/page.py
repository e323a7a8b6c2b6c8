"""The status page beside a command (`--web`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from coordinator.engine.reasons import Reasons
from coordinator.parties.open_network import OpenNetwork
from coordinator.report.tracking import AtWork
from support.tasks import beside

if TYPE_CHECKING:  # commands without a page do not wait for its imports
    from coordinator.web.listening import Door


class Page:
    """The page of one command. Does nothing without a door."""

    def __init__(self, door: Door | None = None, names: tuple[str, ...] = ()) -> None:
        """door: its listening socket. names: under which it may be asked for, besides addresses and `localhost`."""
        self._door = door
        self._names = names

    @asynccontextmanager
    async def shown(
        self, opened: OpenNetwork, reasons: Reasons, at_work: AtWork, tell: Callable[[str], None]
    ) -> AsyncIterator[None]:
        """Serves the page while the block runs.

        reasons: what the steps of a boot wait for. at_work: which are. tell: receives the URL.
        """
        if not self._door:
            yield
            return
        from coordinator.web.feed import Feed
        from coordinator.web.listening import Names
        from coordinator.web.server import Site, listening
        from coordinator.web.store import Store

        store = Store()
        feed = Feed(opened, store, reasons, at_work.counts)
        names = (*self._names, opened.network.advertise or "")
        async with listening(Site(store, Names(names), feed.came, feed.left), self._door), beside(feed.run()):
            tell(f"status page: {self._door.url}")
            try:
                yield
            except Exception:
                await feed.last()
                raise
            await feed.last()
