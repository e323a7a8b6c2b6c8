"""Resolves parties' hosts. The name comes from a stranger, who may also run the DNS server that answers for it."""

from __future__ import annotations

import asyncio

from support.resolving import Resolve, resolve

SECONDS = 5.0


class Lookups:
    """Runs at most one lookup per party at a time."""

    def __init__(self, resolver: Resolve = resolve) -> None:
        self._resolve = resolver
        self._running: dict[str, asyncio.Task[tuple[str, ...]]] = {}

    async def addresses(self, party: str, host: str) -> tuple[str, ...]:
        """The host's addresses, after the party's earlier lookups have ended; empty if that takes too long."""
        try:
            async with asyncio.timeout(SECONDS):
                while earlier := self._running.get(party):
                    await asyncio.wait([earlier])
                lookup = self._running[party] = asyncio.create_task(self._resolve(host))
                lookup.add_done_callback(lambda _: self._running.pop(party, None))
                return await asyncio.shield(lookup)
        except TimeoutError:
            return ()
