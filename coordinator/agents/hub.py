"""Where agents connect: the register, the links, and the epoch that ensures that only one coordinator acts."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import grpc

from coordinator.agents.connection import Connection
from coordinator.agents.link import AgentLink
from coordinator.agents.listeners import AgentEvent, Happening, PartyHandler
from coordinator.agents.ports import lasting_port
from coordinator.agents.records import MOVED, HubError, Records
from coordinator.agents.server import CSR_LIMIT, JoinRefused, make_server
from coordinator.agents.throttle import Throttle
from protos import coordination_pb2 as pb
from protos.language import fits, misfit
from protos.refusals import Refusal
from support.endpoint import Endpoint
from support.identity import Identity, Kind, TlsError
from support.journal import JournalError
from support.tasks import beside
from support.texts import plain
from support.tls import fingerprint, load_certificate

log = logging.getLogger(__name__)

PARTY_MESSAGE = 1 << 20
"""Maximum size of a party's message, in bytes. Hosts' messages may be larger: they answer with whole tables."""
REGISTER_SECONDS = 0.25
"""Seconds between two checks of open streams against the register. A revocation by another process acts within them."""
AGAIN_SECONDS = 5.0
"""Seconds until the next check after the register could not be read."""
VERSION_LENGTH = 40
"""An agent's version is cut to this many characters where it is shown."""
EPOCH_LIMIT = 1 << 62
"""No network can have had this many runs. An agent that claims this epoch or a higher one is not believed."""
RENEWALS, RENEWALS_SECONDS = 5, 600.0
"""At most RENEWALS certificates of one agent are signed per RENEWALS_SECONDS."""


class Hub:
    """The coordinator's end of all agents' connections. It accepts them while it is `listening`."""

    def __init__(
        self,
        records: Records,
        *,
        acting: bool,
        parties: PartyHandler | None = None,
        on_event: Callable[[AgentEvent], None] | None = None,
    ) -> None:
        """acting: gives tasks, and so raises the epoch; otherwise it only observes. parties: answers parties, whose
        messages are rejected without it. Raises JournalError.
        """
        self.records = records
        self.network = records.network
        self.authority = records.authority
        self.register = records.register
        self.artifacts = records.artifacts
        self.acting = acting
        self.instance = uuid.uuid4().hex
        self.port = 0
        """The port that it listens on; 0 if it does not listen."""
        self.links: dict[str, AgentLink] = {}
        """Every enrolled agent, by name."""
        self._parties = parties
        self._on_event = on_event
        self._connections: set[Connection] = set()
        self._renewals = Throttle(RENEWALS, RENEWALS_SECONDS)
        self._epoch = 0
        self._checked: tuple[int, int] | None = None
        """The register's version when the open streams were last checked against it."""
        for entry in self.register.entries():
            self._link(entry.name).revoked = entry.revoked
        if acting:
            self._raise_epoch(records.numbers["epoch"] + 1)

    def file_of(self, sha256: str) -> Path:
        """The file of an artifact, verified here, or of a snapshot, which the receiver verifies. Raises KeyError,
        ValueError.
        """
        if self.records.snapshots.find(sha256):
            return self.records.snapshots.path(sha256)
        return self.artifacts.checked(sha256)

    @asynccontextmanager
    async def listening(self, listen: Endpoint, addresses: Iterable[str] = ()) -> AsyncIterator[None]:
        """Accepts agents while the block runs.

        listen: port 0 means a free port, and the same one the next time. addresses: further host names and IP
        addresses for the coordinator's certificate. Raises HubError if it cannot listen, TlsError, JournalError,
        OSError.
        """
        key, certificate = self.authority.server((listen.host, *addresses))
        numbers = self.records.numbers
        port = listen.port or numbers["port"] or lasting_port(listen.host)
        try:
            server, self.port = make_server(self, replace(listen, port=port), key, certificate, self.authority.pem)
        except OSError as error:
            raise HubError(str(error)) from error
        if not listen.port:
            numbers["port"] = self.port
        await server.start()
        try:
            async with beside(self._watch_register()):
                yield
        finally:
            for connection in list(self._connections):
                connection.close(grpc.StatusCode.UNAVAILABLE, "the coordinator is shutting down")
            await server.stop(grace=1.0)
            self.port = 0

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
        """Enrols an agent. Returns the certificate (PEM) for the key in its signing request.

        Raises TlsError on an invalid request, RegisterError on a name that is taken, ValueError on an invalid name.
        """
        identity = Identity(self.network, kind, name)
        certificate = self.authority.sign(csr, identity)
        self.register.enrol(identity, fingerprint(load_certificate(certificate)))
        self._link(name)
        return certificate

    def revoke(self, name: str) -> bool:
        """Revokes an agent for good, and ends its open stream. Returns whether it was enrolled."""
        known = self.register.revoke(name)
        self._expel()
        return known

    def refusal(self, identity: Identity, fingerprint: str) -> Refusal | None:
        """Why the holder of this certificate is refused; None if it is accepted."""
        if identity.network != self.network:
            return Refusal(f"this is network {self.network}")
        if self.records.adopting and identity.kind is Kind.PARTY and self.register.find(identity.name) is None:
            self.register.enrol(identity, fingerprint)  # its entry was lost, but the CA signed its certificate
        return self.register.refusal(identity, fingerprint)

    def renew(self, identity: Identity, csr: bytes) -> bytes:
        """Renews an agent's certificate. Returns the new one (PEM). Raises JoinRefused."""
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
        if self._parties is None:
            raise JoinRefused("this coordinator does not accept parties")
        certificate = self._parties.redeem(identity, fingerprint, request)
        self._link(identity.name)
        return certificate

    def joined(self, connection: Connection, hello: pb.Hello) -> None:
        """An agent said Hello on a new stream."""
        if not fits(hello):
            from importlib.metadata import version  # it imports zipfile, and hardly any agent needs the answer

            unfit = misfit(hello, plain(hello.version, VERSION_LENGTH), version("bootcoord"))
            log.warning("%s: %s", connection.identity.name, unfit)
            connection.close(grpc.StatusCode.PERMISSION_DENIED, unfit)
            return
        self.register.shown(connection.identity.name, connection.fingerprint)
        self._connections.add(connection)
        if connection.identity.kind is Kind.HOST:
            self.records.fence(hello.moved)
        link = self._link(connection.identity.name)
        followed_other = hello.epoch == link.epoch and hello.instance not in ("", self.instance)
        if self.acting and (link.epoch < hello.epoch < EPOCH_LIMIT or followed_other):
            link.rise(hello.epoch + 1)  # for this agent alone: its claim must not affect others
        link.attach(connection, hello, self._welcome(connection))
        self._tell(Happening.JOINED, connection.identity.name, hello.version)
        self._check(connection)  # it may have been revoked since the call began

    def received(self, connection: Connection, message: pb.FromAgent) -> str:
        """An agent sent another message. Returns what is wrong with it; empty if nothing is."""
        if refusal := self._check(connection):
            return refusal.reason
        if connection.closed.done():
            return "this stream has ended"
        kind = message.WhichOneof("body")
        if connection.identity.kind is Kind.PARTY and message.ByteSize() > PARTY_MESSAGE:
            return f"a party's message may be at most {PARTY_MESSAGE} bytes"
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
        """The network was sealed: tells parties the chain id, so that they register again and are told the manifest."""
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
                log.error(
                    "the register cannot be read, and revocations by other commands wait for it; trying again: %s",
                    error,
                )
                await asyncio.sleep(AGAIN_SECONDS)

    def _expel(self) -> None:
        """Ends the streams that the register no longer accepts. Streams are checked when they begin, and here whenever
        the register has changed since.
        """
        version = self.register.version
        if version == self._checked:
            return
        for entry in self.register.entries():
            link = self._link(entry.name)
            if entry.revoked and not link.revoked:
                link.revoke(f"{entry.name} was revoked")
                self._tell(Happening.REVOKED, entry.name)
        for connection in self._connections:
            self._check(connection)
        self._checked = version

    def _check(self, connection: Connection) -> Refusal | None:
        """Ends a stream that the register does not accept. Returns why; None if it is accepted."""
        refusal = self.refusal(connection.identity, connection.fingerprint)
        if refusal:
            connection.close(grpc.StatusCode.PERMISSION_DENIED, refusal.reason, refusal.kind)
        return refusal

    def _link(self, name: str) -> AgentLink:
        link = self.links.get(name)
        if link is None:
            link = self.links[name] = AgentLink(name, lambda: self._epoch)
        return link

    def _welcome(self, connection: Connection) -> pb.FromCoordinator:
        connection.chain_id = self._parties.chain_id if self._parties else ""
        epoch = self._link(connection.identity.name).epoch
        welcome = pb.Welcome(
            epoch=epoch, instance=self.instance, nonce=connection.nonce, chain_id=connection.chain_id,
            moved=self.records.numbers[MOVED],
        )  # fmt: skip
        return pb.FromCoordinator(welcome=welcome)

    def _tell(self, what: Happening, name: str, detail: str = "") -> None:
        log.info("agent of %s %s %s", name, what, detail)
        if self._on_event:
            self._on_event(AgentEvent(what, name, detail))

    def _raise_epoch(self, epoch: int) -> None:
        self.records.numbers["epoch"] = epoch
        self._epoch = epoch
