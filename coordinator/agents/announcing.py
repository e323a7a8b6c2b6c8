"""Tells each agent a fact once, again when the fact changes, and again some time after the agent refused it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from coordinator.agents.link import AgentLink, LinkError
from coordinator.agents.task_bodies import TaskBody
from support.retry import DeadlineError

log = logging.getLogger(__name__)

TELL_SECONDS = 10.0
AGAIN_SECONDS = 30.0
"""Seconds until an agent that refused is told again. Its disk may have been full, or it is too old for the task."""


class Announcer:
    """What agents were told of one matter, such as the leases."""

    def __init__(self, matter: str, fact: Callable[[AgentLink], object]) -> None:
        """matter: for the log, as in "the leases". fact: what the agent should know; when it changes, the agent is told
        again.
        """
        self._matter = matter
        self._fact = fact
        self._told: dict[str, object] = {}
        self._refused: dict[str, tuple[object, float]] = {}
        """What an agent refused, and when it is told again."""

    async def tell(self, links: Iterable[AgentLink], body: TaskBody) -> None:
        """Tells those that do not know it yet, concurrently."""
        await asyncio.gather(*(self._tell(link, body) for link in links if self._due(link)))

    def _due(self, link: AgentLink) -> bool:
        fact, (refused, again) = self._fact(link), self._refused.get(link.name, (None, 0.0))
        return self._told.get(link.name) != fact and (refused != fact or asyncio.get_running_loop().time() >= again)

    async def _tell(self, link: AgentLink, body: TaskBody) -> None:
        fact = self._fact(link)
        try:
            result = await link.task(body, deadline=TELL_SECONDS)
        except (LinkError, DeadlineError):
            return  # told at the next look
        if result.ok:
            self._told[link.name] = fact
            return
        log.warning("%s does not keep %s: %s", link.name, self._matter, result.error)
        self._refused[link.name] = fact, asyncio.get_running_loop().time() + AGAIN_SECONDS
