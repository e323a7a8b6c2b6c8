"""Dials the coordinator again and again for as long as the agent runs, and renews the agent's certificate."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import math
import time
from pathlib import Path

from agent.background import keep_running, together
from agent.config import AgentConfig, DataFolder
from agent.errors import AgentError, ConfigError, SessionEnded
from agent.foreign import translating
from agent.renewal import Renewal
from agent.session import Credentials, Session, TakePart, Work
from protos import coordination_pb2 as pb
from support.endpoint import Endpoint
from support.retry import retrying

log = logging.getLogger(__name__)

LONGEST_PAUSE = 2.0
"""Seconds between two dials, at most."""
LOCAL_PAUSE = 1.0
"""The same on the operator's own machine, where a person is waiting."""
RENEWAL_SECONDS = 3600.0
"""Seconds between two checks whether the certificate is due for renewal. Each new session checks as well."""
LASTING = 5.0
"""A session that lasted this many seconds counts as a success: the next dial follows immediately."""


class Dialling:
    """The agent's connections, one after another."""

    def __init__(self, folder: DataFolder, config: AgentConfig) -> None:
        self._folder = folder
        self._config = config
        self._renewal = Renewal(folder, config)
        self._session: Session | None = None
        self._met = asyncio.Event()
        """A coordinator accepted the agent."""

    async def run(self, credentials: Credentials, work: Work) -> None:
        """Connects and hands messages to work, until it is cancelled. Raises Refused."""
        shown = [credentials]
        await together(self._dial(shown, work), keep_running(lambda: self._renew(shown)))

    @property
    def connected(self) -> bool:
        """Whether a coordinator is connected now."""
        return self._session is not None

    @property
    def certificate_end(self) -> float:
        """Until when the agent's certificate is valid, in Unix seconds. Raises TlsError, OSError."""
        return self._renewal.validity.end.timestamp()

    async def fetch(self, sha256: str) -> bytes:
        """An artifact's bytes, unverified. Raises SessionEnded."""
        if self._session is None:
            raise SessionEnded("not connected to the coordinator")
        return await self._session.fetch(sha256)

    async def fetch_parts(self, sha256: str, offset: int, take: TakePart) -> None:
        """Passes on an artifact's bytes from an offset on, unverified. Raises SessionEnded."""
        if self._session is None:
            raise SessionEnded("not connected to the coordinator")
        await self._session.fetch_parts(sha256, offset, take)

    async def _renew(self, shown: list[Credentials]) -> None:
        """Renews the certificate early: a coordinator may be up for only seconds in months."""
        while True:
            self._met.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RENEWAL_SECONDS):
                    await self._met.wait()
            if self._session is None or not self._renewal.due:
                continue
            try:
                with translating():
                    until = self._renewal.keep(await self._session.renew(self._renewal.request()))
                    shown[:] = [read_credentials(self._folder, self._config)]
                log.info("the certificate is renewed and valid until %s", f"{until:%Y-%m-%d}")
            except AgentError as error:
                log.warning("the certificate is not renewed yet: %s", error)

    async def _dial(self, shown: list[Credentials], work: Work) -> None:
        told = ""
        coordinators = itertools.cycle((self._config.coordinator, *self._config.others))

        def trouble(error: BaseException) -> None:
            nonlocal told
            if str(error) != told:
                told = str(error)
                log.warning("%s; dialling again", told)

        async def once() -> None:
            nonlocal told
            coordinator = next(coordinators)
            session = self._session = Session(coordinator, shown[0], work)
            joined_at = math.inf

            def joined(welcome: pb.Welcome) -> None:
                nonlocal joined_at, told
                joined_at, told = time.monotonic(), ""
                self._met.set()
                log.info("connected to %s, epoch %d", coordinator, welcome.epoch)

            try:
                if self._config.local:
                    await _listens(coordinator)
                await session.run(joined)
            except SessionEnded as error:
                if not error.retryable or time.monotonic() - joined_at < LASTING:
                    raise
                trouble(error)

        pause = LOCAL_PAUSE if self._config.local else LONGEST_PAUSE
        while True:
            await retrying(once, on=_temporary, deadline=math.inf, first=0.1, most=pause, before_retry=trouble)


async def _listens(coordinator: str) -> None:
    """Raises SessionEnded if nothing listens there. Local agents usually have no coordinator and dial every second, and
    this check costs a fiftieth of a dial with gRPC.
    """
    endpoint = Endpoint.parse(coordinator)
    try:
        _, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
    except OSError as error:
        raise SessionEnded(f"no coordinator at {coordinator}: {error.strerror or error}") from error
    writer.close()


def _temporary(error: BaseException) -> bool:
    return isinstance(error, SessionEnded) and error.retryable


def read_credentials(folder: DataFolder, config: AgentConfig) -> Credentials:
    """What the agent authenticates with, and the CA that it trusts. Raises ConfigError when a file is missing."""
    paths = (folder.key, folder.certificate, Path(folder.path, config.ca))
    try:
        return Credentials(*(path.read_bytes() for path in paths))
    except FileNotFoundError as error:
        raise ConfigError(f"{error.filename} is missing: run `agent enrol`, then `agent admit`") from error
