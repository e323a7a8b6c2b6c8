"""The token that invites a party: everything that its agent needs to join once, in one line of text.

`bootcoord-join-1.` and base64url (no padding) of: the fields, each after its length in two bytes (big endian), and the
first four bytes of the sha256 over them, by which a token that was cut while copying is recognised.
The fields are the network's name, the coordinator's endpoints (comma separated), the CA's certificate (DER), which is
thereby pinned, the invitation's own certificate (DER), and the 32 bytes of its private key. Anyone who has the text
can redeem it, once: it is a secret until then.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from support.endpoint import Endpoint
from support.identity import Identity, InvitationError, Kind, TlsError
from support.tls import UNSOUND, check_issued, fingerprint, identity_of, key_pem, public_bytes

PREFIX = "bootcoord-join-1."
TOKEN_LIMIT = 8192
"""Maximum characters of a token."""
ENDPOINT_LIMIT = 4

_TEXT = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_SUM = 4
_DAMAGED = "the token is damaged or cut: copy the whole line that `coord invite` printed"


@dataclass(frozen=True)
class Invitation:
    """A token's content, checked."""

    network: str
    name: str
    """The name of the party that is invited."""
    coordinators: tuple[str, ...]
    """HOST:PORT, to be tried in this order."""
    ca: bytes
    """Certificate of the network's CA, PEM. The agent trusts no other."""
    certificate: bytes
    """The invitation's own certificate, PEM. It is valid only for Join."""
    key: bytes
    """Its private key, PEM."""
    expires: datetime
    """UTC."""

    @property
    def pin(self) -> str:
        """sha256 (hex) of the CA's certificate."""
        return fingerprint(x509.load_pem_x509_certificate(self.ca))

    @property
    def identity(self) -> Identity:
        """The identity in the certificate that Join returns."""
        return Identity(self.network, Kind.PARTY, self.name)

    def check_current(self, now: datetime) -> None:
        """Raises InvitationError when it has expired."""
        if now >= self.expires:
            raise InvitationError(
                f"the invitation of {self.name} expired {self.expires:%Y-%m-%d %H:%M} UTC: ask the operator for another"
            )


def pack(
    network: str,
    coordinators: tuple[str, ...],
    ca: x509.Certificate,
    certificate: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
) -> str:
    """The token's text. Raises InvitationError if its parts do not match."""
    secret = key.private_numbers().private_value.to_bytes(32, "big")
    fields = (
        network.encode(),
        ",".join(coordinators).encode(),
        ca.public_bytes(Encoding.DER),
        certificate.public_bytes(Encoding.DER),
        secret,
    )
    body = b"".join(len(field).to_bytes(2, "big") + field for field in fields)
    text = PREFIX + base64.urlsafe_b64encode(body + _checksum(body)).rstrip(b"=").decode()
    parse(text)
    return text


def parse(text: str) -> Invitation:
    """Reads a token and checks that its parts match. Expired tokens are read as well. Raises InvitationError."""
    if len(text) > TOKEN_LIMIT or not text.startswith(PREFIX):
        raise InvitationError(f"this is not a token: a token begins with {PREFIX} and is one line")
    network, endpoints, ca_der, certificate_der, secret = _fields(text.removeprefix(PREFIX))
    try:
        ca, certificate = x509.load_der_x509_certificate(ca_der), x509.load_der_x509_certificate(certificate_der)
        check_issued(ca, ca)
        check_issued(certificate, ca)
        identity = identity_of(certificate)
        if len(secret) != 32:
            raise ValueError("a private key has 32 bytes")
        key = ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())
        coordinators = tuple(str(Endpoint.parse(one)) for one in endpoints.decode("ascii").split(","))
        named = network.decode("ascii")
        matching = public_bytes(key) == public_bytes(certificate)
    except (*UNSOUND, TlsError) as error:
        raise InvitationError(f"the token is not sound ({error}): ask the operator for another") from error
    if identity.kind is not Kind.INVITE or identity.network != named or not matching:
        raise InvitationError("the token is not sound (its parts do not belong together): ask the operator for another")
    if len(coordinators) > ENDPOINT_LIMIT:
        raise InvitationError("the token is not sound (too many endpoints): ask the operator for another")
    return Invitation(
        named,
        identity.name,
        coordinators,
        ca.public_bytes(Encoding.PEM),
        certificate.public_bytes(Encoding.PEM),
        key_pem(key),
        certificate.not_valid_after_utc.astimezone(UTC),
    )


def _fields(text: str) -> list[bytes]:
    """The five fields. Raises InvitationError."""
    if not _TEXT.fullmatch(text):
        raise InvitationError(_DAMAGED)
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise InvitationError(_DAMAGED) from error
    body, total = data[:-_SUM], data[-_SUM:]
    if _checksum(body) != total or base64.urlsafe_b64encode(data).rstrip(b"=").decode() != text:
        raise InvitationError(_DAMAGED)
    fields, at = [], 0
    while at < len(body):
        size = int.from_bytes(body[at : at + 2], "big")
        fields.append(body[at + 2 : at + 2 + size])
        at += 2 + size
    if at != len(body) or len(fields) != 5:
        raise InvitationError(_DAMAGED)
    return fields


def _checksum(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()[:_SUM]
