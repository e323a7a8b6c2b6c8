"""The status page beside a command (`--web`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from coordinator.engine.reasons import Reasons
from coordinator.parties.open_network import OpenNetwork
from coordinator.reporter import Reporter
from support.tasks import beside

if TYPE_CHECKING:  # commands without a page do not wait for its imports
    from coordinator.web.listening import Door
    from coordinator.web.progress import Progress


class Page:
    """The page of one command; does nothing without a door."""

    def __init__(self, door: Door | None = None, names: tuple[str, ...] = ()) -> None:
        """door: its listening socket. names: under which it may be asked for, besides addresses and `localhost`."""
        self._door = door
        self._names = names
        self._progress: Progress | None = None

    def before(self, reporter: Reporter) -> Reporter:
        """What a command is to report to, instead of this reporter, so that the page sees how steps progress."""
        if not self._door:
            return reporter
        from coordinator.web.progress import Progress

        self._progress = Progress(reporter)
        return self._progress

    @asynccontextmanager
    async def shown(self, opened: OpenNetwork, reasons: Reasons, tell: Callable[[str], None]) -> AsyncIterator[None]:
        """Serves the page while the block runs. reasons: what the steps of a boot wait for. tell: receives the URL."""
        if not self._door:
            yield
            return
        from coordinator.web.feed import Feed
        from coordinator.web.listening import Names
        from coordinator.web.server import Site, listening
        from coordinator.web.store import Store

        store = Store()
        counts = self._progress.counts if self._progress else dict[str, tuple[int, int]]
        feed = Feed(opened, store, reasons, counts)
        names = (*self._names, opened.network.advertise or "")
        async with listening(Site(store, Names(names), feed.came, feed.left), self._door), beside(feed.run()):
            tell(f"status page: {self._door.url}")
            yield
