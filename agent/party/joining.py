"""Redeems an invitation, once: the agent makes a key and gets a certificate from the coordinator whose CA the token
pins.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import grpc
from cryptography.hazmat.primitives.serialization import Encoding

from agent.config import AgentConfig, DataFolder
from agent.errors import ConfigError, JoinError
from agent.identity import admit, request
from agent.session import OPTIONS
from protos import coordination_pb2 as pb
from protos import coordination_pb2_grpc as rpc
from support.files import write_atomic
from support.identity import Kind
from support.invitation import PREFIX, TOKEN_LIMIT, Invitation, parse
from support.tls import identity_of, load_certificate

JOIN_SECONDS = 15.0
"""Seconds for one coordinator's answer."""


@dataclass(frozen=True)
class Joining:
    """An invitation, and the data folder of the agent that redeems it."""

    invitation: Invitation
    folder: DataFolder
    account: str = ""
    """The party's account. An invitation for another account is not used up."""

    @property
    def _mark(self) -> Path:
        return self.folder.path / "identity" / "joined"

    @property
    def _print(self) -> str:
        """Identifies the token; it is not secret."""
        return hashlib.sha256(self.invitation.certificate).hexdigest()

    @property
    def done(self) -> bool:
        """Whether this very invitation was redeemed here already."""
        held = self._mark.read_text().strip() if self._mark.is_file() else ""
        return held == self._print and self.folder.certificate.is_file()

    async def redeem(self, log_level: str, local: bool) -> None:
        """Enrols the agent. Only a coordinator with a certificate of the pinned CA is sent anything.

        Raises JoinError, InvitationError (expired), ConfigError (the folder is another's), TlsError, OSError.
        """
        invitation = self.invitation
        invitation.check_current(datetime.now(UTC))
        first, *others = invitation.coordinators
        config = AgentConfig(
            invitation.network,
            invitation.name,
            first,
            log_level=log_level,
            local=local,
            kind=Kind.PARTY,
            others=tuple(others),
        )
        self.folder.make()
        csr = request(self.folder, config)
        self.folder.write(config)
        certificate = await self._certificate(csr)
        identity = identity_of(load_certificate(certificate))
        if identity != invitation.identity:
            raise JoinError(f"the coordinator sent a certificate of {identity.uri}, not of {invitation.identity.uri}")
        pem = load_certificate(certificate).public_bytes(Encoding.PEM)
        admit(self.folder, pem + invitation.ca)
        write_atomic(self._mark, f"{self._print}\n".encode(), 0o600)

    async def _certificate(self, csr: bytes) -> bytes:
        credentials = grpc.ssl_channel_credentials(self.invitation.ca, self.invitation.key, self.invitation.certificate)
        trouble = []
        for coordinator in self.invitation.coordinators:
            try:
                async with grpc.aio.secure_channel(coordinator, credentials, options=OPTIONS) as channel:
                    stub: rpc.CoordinationAsyncStub = rpc.CoordinationStub(channel)
                    reply = await stub.Join(pb.JoinRequest(csr=csr, account=self.account), timeout=JOIN_SECONDS)
                    return reply.certificate
            except grpc.aio.AioRpcError as error:
                if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                    raise JoinError(f"{coordinator} refuses the invitation: {error.details()}") from error
                trouble.append(f"{coordinator}: {' '.join((error.details() or '').split())[:200]}")
        raise JoinError(
            f"no coordinator of {self.invitation.network} answers ({'; '.join(trouble)}): let its operator run "
            "`coord serve`, and run this again"
        )


def read_token(given: str, stdin: str | None = None) -> Invitation:
    """The invitation from a token's text, from @FILE, or from - (stdin). Raises ConfigError, InvitationError."""
    text = given
    if given == "-":
        text = stdin or ""
    elif given.startswith("@"):
        try:
            with Path(given[1:]).open(encoding="ascii", errors="replace") as file:
                text = file.read(TOKEN_LIMIT + 2)
        except OSError as error:
            raise ConfigError(f"{given[1:]}: {error.strerror}") from error
    if not text.strip():
        raise ConfigError(f"--join: a token ({PREFIX}…), @FILE or - is expected, but it is empty")
    return parse(text.strip())


def default_data(network: str) -> Path:
    """A party's data folder, when its operator names none."""
    return Path.home() / ".local" / "share" / "bootcoord" / network
