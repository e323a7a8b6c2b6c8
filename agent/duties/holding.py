"""The sealed network that an agent holds. It is fetched and verified once, and never replaced."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from agent.duties.tools import Tools
from agent.errors import DutyError
from boot.blueprint import Blueprint
from inventory.sealed import Sealed
from protos import coordination_pb2 as pb
from support.artifacts import DamagedError, MissingError

FETCHES = 2
"""Number of concurrent fetches: each may take memory up to the limit of an artifact."""
PART = 1 << 20
"""Maximum bytes of a document in one message."""
STORE_LIMIT = 2 << 30
"""Maximum bytes of all artifacts, so that a coordinator cannot fill the disk."""


Vet = Callable[[Path, str, bool], Awaitable[None]]
"""Looks a sealed network over before it is read: its document (manifest) in the folder of artifacts, or (True) all that
it names as well. Raises DutyError.
"""


def _any_chain(_: str) -> None:
    """Accepts every chain."""


async def _trusted(folder: Path, manifest: str, whole: bool) -> None:
    """A host's agent accepts any network that its own operator's coordinator sealed."""


class Holding:
    """The sealed network of one agent, and its artifacts."""

    def __init__(self, tools: Tools, check_chain: Callable[[str], None] = _any_chain, vet: Vet = _trusted) -> None:
        """check_chain: whether a network of that chain id may be taken; raises DutyError."""
        self._vet = vet
        self._network = tools.config.network
        self._artifacts = tools.artifacts
        self._memory = tools.memory
        self._fetch = tools.fetch
        self._check_chain = check_chain
        self._blueprint: Blueprint | None = None
        self._fetching, self._storing = asyncio.Semaphore(FETCHES), asyncio.Lock()

    @property
    def manifest(self) -> str:
        """The manifest of the sealed network that this agent holds; empty: it holds none yet."""
        return self._memory.get("manifest")

    @property
    def network(self) -> Blueprint | None:
        """The sealed network; None if it holds none yet. Raises DutyError when this version cannot read it."""
        if not self.manifest:
            return None
        if self._blueprint is None:
            self._blueprint = self._read(self.manifest)
        return self._blueprint

    def held(self) -> Blueprint:
        """The sealed network. Raises DutyError when there is none yet."""
        if (network := self.network) is None:
            raise DutyError("this agent holds no sealed network yet", retryable=True)
        return network

    async def take(self, manifest: str) -> None:
        """Fetches a sealed network with all its artifacts, and keeps it. Does nothing if it is held already.

        Raises DutyError if another is held, or if this one is for another agent or inconsistent; SessionEnded.
        """
        self._check_held(manifest)
        await self.ensure(manifest)
        if not self.manifest:
            await self._vet(self._artifacts.folder, manifest, False)
        offered = await asyncio.to_thread(self._read, manifest)
        sealed = offered.sealed
        if sealed.network != self._network:
            raise DutyError(f"the sealed network is {sealed.network!r}, this agent's is {self._network}")
        if offered.genesis.chain_id() != sealed.chain_id:
            raise DutyError(f"the sealed chain id {sealed.chain_id[:16]}… does not follow from its genesis")
        self._check_chain(sealed.chain_id)
        for sha256 in sealed.artifacts:
            await self.ensure(sha256)
        if not self.manifest:
            await self._vet(self._artifacts.folder, manifest, True)
        self._check_held(manifest)  # another one may have been taken during these fetches
        self._memory.keep(manifest=manifest)
        self._blueprint = offered

    async def ensure(self, sha256: str) -> None:
        """Has an artifact here, verified: one that is damaged is fetched again. Raises DutyError, SessionEnded."""
        async with self._fetching:
            try:
                self._artifacts.get(sha256)
                return
            except (MissingError, DamagedError):
                data = await self._fetch(sha256)
            except ValueError as error:
                raise DutyError(str(error)) from error
            if hashlib.sha256(data).hexdigest() != sha256:
                raise DutyError(f"the coordinator sent other bytes for artifact {sha256[:16]}…", retryable=True)
            async with self._storing:  # one at a time: the limit is for all of them together
                if self._artifacts.size() + len(data) > STORE_LIMIT:
                    raise DutyError(f"refused: this agent keeps {STORE_LIMIT >> 20} MiB of artifacts at most")
                await asyncio.to_thread(self._artifacts.put, data)

    async def hand(self, sha256: str, offset: int) -> pb.Result:
        """A part of the sealed document or of an artifact that it names, unverified: the caller checks the whole.

        Raises DutyError for anything else, and OSError.
        """
        network = self.held()
        if sha256 not in (self.manifest, *network.sealed.artifacts):
            raise DutyError(f"refused: {sha256[:64]!r} is not a part of the sealed network that this agent holds")
        size, data = await asyncio.to_thread(_part, self._artifacts.path(sha256), offset)
        return pb.Result(handed=pb.Handed(size=size, data=data))

    def _check_held(self, manifest: str) -> None:
        if self.manifest and self.manifest != manifest:
            raise DutyError(
                f"this agent holds the sealed network {self.manifest[:16]}… and takes no other ({manifest[:16]}…): "
                "only its own operator's coordinator can adopt it"
            )

    def _read(self, manifest: str) -> Blueprint:
        document = self._artifacts.get(manifest)
        try:
            return Blueprint(Sealed.parse(document), self._artifacts.get)
        except ValueError as error:
            raise DutyError(f"the artifact is {error}: install the coordinator's version") from error


def _part(path: Path, offset: int) -> tuple[int, bytes]:
    """Returns the size of the file and a part of it."""
    with path.open("rb") as file:
        file.seek(offset)
        return path.stat().st_size, file.read(PART)
