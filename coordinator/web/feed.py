"""Keeps the page's state up to date while a command runs: looks at the network about once a second."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from antelope.errors import NodeError
from coordinator.engine.reasons import Reasons
from coordinator.parties.attestations import Attestation, check, count
from coordinator.parties.open_network import OpenNetwork
from coordinator.parties.store import Attested
from coordinator.report.gathering import gather
from coordinator.report.peer_graph import Drawing, Member, draw, members
from coordinator.web.chain_reader import PageChainReader
from coordinator.web.events import events
from coordinator.web.model import PublicLag
from coordinator.web.store import Store
from coordinator.web.view import NOTHING_DRAWN, PageFacts, public_view
from inventory.sealed import Sealed
from support.tasks import tolerated

if TYPE_CHECKING:  # it imports numpy
    from coordinator.report.distribution import Distribution

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks while somebody watches."""
IDLE = 5.0
"""Seconds between two looks while nobody watches: events and lag are still recorded."""
LAST_SECONDS = 3.0
SLOW = 5.0
"""Seconds between two reads of the attestations."""

Counts = Callable[[], Mapping[str, tuple[int, int]]]


class Feed:
    """Looks at the network, and puts what it sees into the store."""

    def __init__(self, opened: OpenNetwork, store: Store, reasons: Reasons, counts: Counts) -> None:
        """reasons: what the steps of a boot wait for. counts: how many pieces of each step are done, and in total."""
        self._opened = opened
        self._store = store
        self._counts = counts
        self._reasons = reasons
        self._chain = PageChainReader(opened)
        self._looking = asyncio.Lock()
        self._watched = asyncio.Event()
        self._viewers = 0
        self._drawn: tuple[tuple[Member, ...], Drawing] = ((), NOTHING_DRAWN)
        self._distribution: Distribution | None = None
        self._attested: dict[str, tuple[Attested, Attestation]] = {}
        self._members = (0, 0)
        self._checked = -SLOW

    def came(self) -> None:
        """A viewer has come."""
        self._viewers += 1
        self._watched.set()

    def left(self) -> None:
        """A viewer has left."""
        self._viewers -= 1

    async def run(self) -> None:
        """Runs until cancelled. Whatever fails here must not disturb the command that it runs beside."""
        while True:
            began = time.monotonic()
            self._watched.clear()
            await self.look()
            await self._pause(began)

    async def last(self) -> None:
        """A last look before the command ends: an open page keeps what it shows then."""
        try:
            async with asyncio.timeout(LAST_SECONDS):
                await self.look()
        except TimeoutError:
            log.info("status page: no last look in %g s", LAST_SECONDS)

    async def look(self) -> None:
        """Looks once; a failure is logged."""
        async with self._looking:
            await tolerated(self._look(), "status page", NodeError)

    async def _pause(self, began: float) -> None:
        """Waits until the next look is due, or a viewer comes after a long pause."""
        if self._viewers:
            await asyncio.sleep(max(0.1, began + EVERY - time.monotonic()))
            return
        try:
            async with asyncio.timeout(IDLE):
                await self._watched.wait()
        except TimeoutError:
            return

    async def _look(self) -> None:
        seen = await self._chain.look()
        status = await gather(self._opened, seen.view)
        sealed = self._opened.state.sealed
        if sealed:
            await self._look_at_allocation(sealed)
            await self._check_attestations(sealed)
        facts = PageFacts(
            network=self._opened.network,
            status=status,
            now=time.time(),
            reasons=self._reasons.all(),
            progress=self._counts(),
            seats=seen.seats,
            next=seen.next,
            votes=seen.votes,
            drawing=self._drawing(),
            distribution=self._distribution,
            attested=dict(self._attested),
            members=self._members,
        )
        before, view = self._store.view, public_view(facts)
        moving = view.chain.head > 0 and view.chain.age is not None
        lag = PublicLag(view.chain.time, view.chain.head - view.chain.lib, view.chain.head) if moving else None
        self._store.update(view, events(before, view) if before else (), lag)

    def _drawing(self) -> Drawing:
        """The peer graph, drawn again when a party came or left."""
        now = members(self._opened.network, self._opened.parties.parties())
        if now != self._drawn[0]:
            self._drawn = now, draw(now)
        return self._drawn[1]

    async def _look_at_allocation(self, sealed: Sealed) -> None:
        """Reads the allocation once: it does not change after the seal."""
        if self._distribution is None:
            from coordinator.report.distribution import distribution  # numpy takes 0.1 s to import

            blueprint = self._opened.blueprint(sealed)
            self._distribution = await asyncio.to_thread(lambda: distribution(blueprint.rows))

    async def _check_attestations(self, sealed: Sealed) -> None:
        """Checks new attestations, each once: a thousand signatures take half a second."""
        if time.monotonic() - self._checked < SLOW:
            return
        self._checked = time.monotonic()
        parties = self._opened.parties.parties()
        found: Mapping[str, Attested] = self._opened.parties.attestations()
        known = {party.name: party for party in parties}
        checked = {name: one for name, one in self._attested.items() if one[0] == found.get(name)}
        new = [(one, known[name]) for name, one in found.items() if name in known and name not in checked]
        judged = await asyncio.to_thread(lambda: [check(one, party, sealed) for one, party in new])
        checked.update((party.name, (one, result)) for (one, party), result in zip(new, judged, strict=True))
        self._attested = checked
        self._members = count({name: result for name, (_, result) in checked.items()}, parties)
