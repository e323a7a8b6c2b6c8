"""Identities in certificates, and how long a certificate is valid. Does not import the cryptography package.

That package takes 9 MiB of memory, and an enrolled agent does not need it for months. Keys, requests and signatures
are in `support.tls`, which an agent imports when its certificate is renewed.

An identity is a URI in the certificate's subject alternative name, which only the network's CA chooses:
`bootcoord://NETWORK/host/NAME`, `bootcoord://NETWORK/party/NAME`, `bootcoord://NETWORK/invite/NAME` or
`bootcoord://NETWORK/coordinator`.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from support.errors import SupportError

COORDINATOR_NAME = "coordinator.bootcoord.internal"
"""The DNS name that agents require in the coordinator's certificate, whatever address they dial (a tunnel's, say). It
proves more than an address would, because the CA issues it only to the coordinator."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_VERSION, _UTC_TIME, _LONG_TIME = 0xA0, 0x17, 0x18
"""DER tags of a certificate's version, and of the two forms of a time (RFC 5280, 4.1)."""
_BEFORE_VALIDITY = 3
"""How many fields lie between a certificate's version and its validity: serial number, algorithm, issuer."""


class TlsError(SupportError):
    """A key or certificate is missing, damaged, or not what it should be."""


class InvitationError(SupportError):
    """A text is not a valid token. One line says why and what to do."""


class Kind(StrEnum):
    """Who a certificate is for."""

    HOST = "host"
    PARTY = "party"
    INVITE = "invite"
    """The holder of an invitation, who may redeem it and nothing else."""
    COORDINATOR = "coordinator"


@dataclass(frozen=True)
class Identity:
    """An identity in a network."""

    network: str
    kind: Kind
    name: str = ""
    """Empty for the coordinator."""

    def __post_init__(self) -> None:
        """Raises ValueError for names that would have to be escaped in a URI."""
        named = [self.network] if self.kind is Kind.COORDINATOR and not self.name else [self.network, self.name]
        if not all(_NAME.fullmatch(part) for part in named):
            raise ValueError(f"names of networks and hosts are letters, digits, '.', '_' and '-': {named}")

    @property
    def uri(self) -> str:
        """The URI in certificates."""
        return f"bootcoord://{self.network}/{self.kind}" + (f"/{self.name}" if self.name else "")

    @staticmethod
    def parse(uri: str) -> Identity:
        """Raises ValueError."""
        scheme, _, rest = uri.partition("://")
        parts = rest.split("/")
        if scheme != "bootcoord" or not 2 <= len(parts) <= 3:
            raise ValueError(f"not an identity: {uri[:200]!r}")
        identity = Identity(parts[0], Kind(parts[1]), parts[2] if len(parts) == 3 else "")
        if identity.uri != uri:
            raise ValueError(f"not an identity: {uri[:200]!r}")
        return identity


@dataclass(frozen=True)
class Validity:
    """When a certificate is valid. UTC."""

    begin: datetime
    end: datetime

    @staticmethod
    def of(pem: bytes) -> Validity:
        """Of the first certificate in PEM form. Raises TlsError."""
        try:
            text = pem.decode("ascii")
            text = text[: text.index(ssl.PEM_FOOTER) + len(ssl.PEM_FOOTER)]
            (certificate, *_) = _elements(ssl.PEM_cert_to_DER_cert(text))
            (body, *_) = _elements(certificate[1])
            fields = [field for field in _elements(body[1]) if field[0] != _VERSION]
            begin, end = (_time(*time) for time in _elements(fields[_BEFORE_VALIDITY][1]))
        except (ValueError, IndexError) as error:  # UnicodeDecodeError is a ValueError
            raise TlsError("not a certificate") from error
        return Validity(begin, end)

    def due(self, now: datetime) -> bool:
        """Whether a renewal is due, after half of its lifetime. now: UTC."""
        return now >= self.begin + (self.end - self.begin) / 2


def _elements(der: bytes) -> list[tuple[int, bytes]]:
    """Tags and contents of the values that follow each other in DER. Raises ValueError, IndexError."""
    found, at = [], 0
    while at < len(der):
        tag, size, at = der[at], der[at + 1], at + 2
        if size & 0x80:  # the size is in this many bytes
            at, size = at + (size & 0x7F), int.from_bytes(der[at : at + (size & 0x7F)])
        if at + size > len(der):
            raise ValueError("a value is cut")
        found.append((tag, der[at : at + size]))
        at += size
    return found


def _time(tag: int, text: bytes) -> datetime:
    """Raises ValueError."""
    if tag not in (_UTC_TIME, _LONG_TIME):
        raise ValueError("a time is expected")
    digits = text.decode("ascii")
    if tag == _UTC_TIME:  # two digits of the year: until 2049
        digits = ("19" if digits >= "50" else "20") + digits
    return datetime.strptime(digits, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
