"""The addresses of parties' hosts: a stranger chooses the name, and perhaps runs the server that answers for it."""

from __future__ import annotations

import asyncio

from support.resolving import Resolve, resolve

SECONDS = 5.0


class Lookups:
    """One at a time for each party."""

    def __init__(self, resolver: Resolve = resolve) -> None:
        self._resolve = resolver
        self._running: dict[str, asyncio.Task[tuple[str, ...]]] = {}

    async def addresses(self, party: str, host: str) -> tuple[str, ...]:
        """Of that host, once what the party asked for before is answered; none when that takes too long."""
        try:
            async with asyncio.timeout(SECONDS):
                while earlier := self._running.get(party):
                    await asyncio.wait([earlier])
                lookup = self._running[party] = asyncio.create_task(self._resolve(host))
                lookup.add_done_callback(lambda _: self._running.pop(party, None))
                return await asyncio.shield(lookup)
        except TimeoutError:
            return ()
