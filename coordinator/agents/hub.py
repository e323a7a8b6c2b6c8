"""Where agents connect: the register, the links, and the epoch by which only one coordinator acts."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Protocol

import grpc

from coordinator.agents.ca import Authority
from coordinator.agents.link import AgentLink, Connection
from coordinator.agents.register import Register
from coordinator.agents.server import JoinRefused, make_server
from coordinator.agents.throttle import Throttle
from coordinator.parties.invite_store import Invites
from coordinator.parties.joining import CSR_LIMIT, Joining
from coordinator.parties.store import Book
from coordinator.state.numbers import Kept
from protos import coordination_pb2 as pb
from support.artifacts import ArtifactStore
from support.endpoint import Endpoint
from support.journal import Journal, JournalError
from support.locks import FileLock, LockedError
from support.tasks import end
from support.tls import Identity, Kind, TlsError, fingerprint, load_certificate

log = logging.getLogger(__name__)

PARTY_MESSAGE = 1 << 20
"""Bytes of one message of a party; hosts' messages may be larger, since they answer with whole tables."""
REGISTER_SECONDS = 0.25
"""Seconds between two checks of open streams against the register: other processes' revocations act as fast."""
AGAIN_SECONDS = 5.0
"""After a failure to read them."""
EPOCH_LIMIT = 1 << 62
"""Higher than any number of runs: what an agent claims from here on is not believed, and nothing is done for it."""
RENEWALS, RENEWALS_SECONDS = 5, 600.0
"""This many certificates of one agent are signed in this many seconds."""


class HubError(Exception):
    """The coordinator cannot accept agents."""


class BusyError(HubError):
    """Another coordinator of this network is running."""


class PartyDesk(Protocol):
    """What answers parties."""

    @property
    def chain_id(self) -> str:
        """Of the sealed network, hex; empty: not sealed yet."""

    def registered(self, connection: Connection, registration: pb.Registration) -> str:
        """A party registers. Returns why the message is refused; empty: it will be answered."""

    def left(self, connection: Connection, leave: pb.Leave) -> None:
        """A party leaves the network."""


class Happening(StrEnum):
    """What an agent did."""

    JOINED = "joined"
    LOST = "lost"
    REVOKED = "revoked"


@dataclass(frozen=True)
class AgentEvent:
    """An agent connected or disconnected."""

    what: Happening
    name: str
    detail: str = ""


class Hub:
    """The coordinator's end of all agents' connections; use it as an async context manager.

    Its state folder has `ca/`, `artifacts/`, `journal.sqlite` and `lock`, which is held while the hub is open.
    """

    def __init__(
        self,
        state: Path,
        network: str,
        listen: str,
        acting: bool,
        *,
        addresses: Iterable[str] = (),
        on_event: Callable[[AgentEvent], None] | None = None,
        parties: Callable[[Hub], PartyDesk] | None = None,
    ) -> None:
        """Args: listen: HOST:PORT, port 0 takes a free one and keeps it. acting: gives tasks; else it only looks.
        addresses: further host names and IP addresses for its certificate. parties: makes what answers parties; without
        it none may speak. Raises ValueError on a bad HOST:PORT.
        """
        self.network = network
        self.acting = acting
        self.listen = Endpoint.parse(listen)
        self.instance = uuid.uuid4().hex
        self.artifacts = ArtifactStore(state / "artifacts")
        self.links: dict[str, AgentLink] = {}
        """Every agent that is enrolled, by name."""
        self._state = state
        self._addresses = tuple(addresses)
        self._on_event = on_event
        self._make_parties = parties
        self._lock = FileLock(state / "lock")
        self._connections: set[Connection] = set()
        self._renewals = Throttle(RENEWALS, RENEWALS_SECONDS)
        self._epoch = 0

    async def __aenter__(self) -> Hub:
        """Raises BusyError, HubError (cannot listen), TlsError, JournalError, OSError."""
        self._state.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._lock.acquire()
        except LockedError as error:
            raise BusyError(
                f"another coord is working on {self.network} (process {error.pid}): let it end first"
            ) from error
        try:
            await self._open()
        except BaseException:
            self._lock.release()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await end(self._watch)
        for connection in list(self._connections):
            connection.close(grpc.StatusCode.UNAVAILABLE, "the coordinator ends")
        await self._server.stop(grace=1.0)
        self.journal.close()
        self._lock.release()

    async def _open(self) -> None:
        self.journal = Journal(self._state / "journal.sqlite")
        self._kept = Kept(self.journal)
        self.authority = Authority(self._state / "ca", self.network)
        self.register = Register(self.journal)
        self.book = Book(self.journal)
        self._joining = Joining(self.journal, self.authority, self.register, Invites(self.journal), self.book)
        self._parties = self._make_parties(self) if self._make_parties else None
        for entry in self.register.entries():
            self._link(entry.name).revoked = entry.revoked
        if self.acting:
            self._raise_epoch(self._kept["epoch"] + 1)
        key, certificate = self.authority.server((self.listen.host, *self._addresses))
        listen = self.listen if self.listen.port else replace(self.listen, port=self._kept["port"])
        try:
            self._server, self.port = make_server(self, listen, key, certificate, self.authority.pem)
        except OSError as error:
            raise HubError(str(error)) from error
        if not self.listen.port:
            self._kept["port"] = self.port
        await self._server.start()
        self._watch = asyncio.create_task(self._watch_register())

    @property
    def epoch(self) -> int:
        """The coordinator's epoch; 0 for an observer, which gives no tasks."""
        return self._epoch

    async def agent(self, name: str, deadline: float) -> AgentLink:
        """The agent of that name, once it is connected. deadline: seconds. Raises DeadlineError, RevokedError."""
        link = self._link(name)
        await link.wait_connected(deadline)
        return link

    def enrol(self, name: str, kind: Kind, csr: bytes) -> bytes:
        """Enrols an agent. Returns its certificate (PEM) for the key in its signing request.

        Raises TlsError on a bad request, RegisterError on a name that it cannot have, ValueError on a bad name.
        """
        identity = Identity(self.network, kind, name)
        certificate = self.authority.sign(csr, identity)
        self.register.enrol(identity, fingerprint(load_certificate(certificate)))
        self._link(name)
        return certificate

    def revoke(self, name: str) -> bool:
        """Shuts an agent out for good, ending its open stream. Returns whether it was enrolled."""
        known = self.register.revoke(name)
        self._expel()
        return known

    def refusal(self, identity: Identity, fingerprint: str) -> str | None:
        """Why the holder of this certificate is refused; None: it is accepted."""
        if identity.network != self.network:
            return f"this is network {self.network}"
        return self.register.refusal(identity, fingerprint)

    def renew(self, identity: Identity, csr: bytes) -> bytes:
        """Signs an agent's key again. Returns the certificate (PEM) that replaces its current one. Raises
        JoinRefused."""
        if not self._renewals.allows(identity.name, time.monotonic()):
            raise JoinRefused(f"more than {RENEWALS} certificates in {RENEWALS_SECONDS:g} s", later=True)
        if len(csr) > CSR_LIMIT:
            raise JoinRefused(f"the certificate signing request is larger than {CSR_LIMIT} bytes")
        try:
            certificate = self.authority.sign(csr, identity)
        except TlsError as error:
            raise JoinRefused(str(error)) from error
        self.register.renew(identity.name, fingerprint(load_certificate(certificate)))
        log.info("agent of %s has a new certificate", identity.name)
        return certificate

    def redeem(self, identity: Identity, fingerprint: str, request: pb.JoinRequest) -> bytes:
        """Redeems an invitation: signs the party's key. Returns its certificate (PEM). Raises JoinRefused."""
        if identity.network != self.network:
            raise JoinRefused(f"this is network {self.network}")
        certificate = self._joining.redeem(identity, fingerprint, request.csr, request.account)
        self._link(identity.name)
        return certificate

    def joined(self, connection: Connection, hello: pb.Hello) -> None:
        """An agent said Hello on a new stream."""
        self.register.shown(connection.identity.name, connection.fingerprint)
        self._connections.add(connection)
        link = self._link(connection.identity.name)
        followed_other = hello.epoch == link.epoch and hello.instance not in ("", self.instance)
        if self.acting and (link.epoch < hello.epoch < EPOCH_LIMIT or followed_other):
            if connection.identity.kind is Kind.HOST:
                self._raise_epoch(hello.epoch + 1)
                for other_one in self._connections - {connection}:
                    other_one.send(self._welcome(other_one))
            else:  # a party's word must not affect the others
                link.rise(hello.epoch + 1)
        link.attach(connection, hello, self._welcome(connection))
        self._tell(Happening.JOINED, connection.identity.name, hello.version)

    def received(self, connection: Connection, message: pb.FromAgent) -> str:
        """An agent sent another message. Returns what is wrong with it; empty: nothing."""
        reason = self.refusal(connection.identity, connection.fingerprint)
        if reason:
            connection.close(grpc.StatusCode.PERMISSION_DENIED, reason)
            return reason
        if connection.closed.done():
            return "this stream has ended"
        kind = message.WhichOneof("body")
        if connection.identity.kind is Kind.PARTY and message.ByteSize() > PARTY_MESSAGE:
            return f"a party's message may have at most {PARTY_MESSAGE} bytes"
        if kind in ("registration", "leave"):
            return self._heard_party(connection, message)
        return self._link(connection.identity.name).receive(message)

    def _heard_party(self, connection: Connection, message: pb.FromAgent) -> str:
        if connection.identity.kind is not Kind.PARTY or self._parties is None:
            return f"only a party may send {message.WhichOneof('body')}"
        if message.WhichOneof("body") == "registration":
            return self._parties.registered(connection, message.registration)
        self._parties.left(connection, message.leave)
        return ""

    def tell_seal(self) -> None:
        """The network was sealed: parties learn its chain id, register for that chain, and so learn the manifest."""
        for connection in self._connections:
            if connection.identity.kind is Kind.PARTY:
                connection.send(self._welcome(connection))

    def left(self, connection: Connection) -> None:
        """A stream ended."""
        self._connections.discard(connection)
        link = self._link(connection.identity.name)
        if link.detach(connection) and not link.revoked:
            self._tell(Happening.LOST, link.name)

    async def _watch_register(self) -> None:
        while True:
            await asyncio.sleep(REGISTER_SECONDS)
            try:
                self._expel()
            except JournalError as error:
                log.error("whom another command revoked cannot be read, and is tried again: %s", error)
                await asyncio.sleep(AGAIN_SECONDS)

    def _expel(self) -> None:
        for entry in self.register.entries():
            link = self._link(entry.name)
            if entry.revoked and not link.revoked:
                link.revoke(f"{entry.name} was revoked")
                self._tell(Happening.REVOKED, entry.name)
        for connection in self._connections:
            reason = self.refusal(connection.identity, connection.fingerprint)
            if reason:
                connection.close(grpc.StatusCode.PERMISSION_DENIED, reason)

    def _link(self, name: str) -> AgentLink:
        return self.links.setdefault(name, AgentLink(name, lambda: self._epoch))

    def _welcome(self, connection: Connection) -> pb.FromCoordinator:
        connection.chain_id = self._parties.chain_id if self._parties else ""
        epoch = self._link(connection.identity.name).epoch
        welcome = pb.Welcome(epoch=epoch, instance=self.instance, nonce=connection.nonce, chain_id=connection.chain_id)
        return pb.FromCoordinator(welcome=welcome)

    def _tell(self, what: Happening, name: str, detail: str = "") -> None:
        log.info("agent of %s %s %s", name, what, detail)
        if self._on_event:
            self._on_event(AgentEvent(what, name, detail))

    def _raise_epoch(self, epoch: int) -> None:
        self._kept["epoch"] = epoch
        self._epoch = epoch
