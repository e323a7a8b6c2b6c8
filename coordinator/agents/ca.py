"""The network's own certificate authority: one key in the coordinator's state folder."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from support.files import write_atomic
from support.identity import COORDINATOR_NAME, Identity, Kind, TlsError
from support.tls import (
    LIFETIME,
    check_issued,
    fingerprint,
    identity_of,
    key_pem,
    load_certificate,
    load_csr,
    load_or_make_key,
    public_bytes,
)

NEVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""The CA's certificate never expires (RFC 5280, 4.1.2.5): agents pin it, so all of them would lose the coordinator with
it. The coordinator's certificate does not expire either: its key is stored beside the CA's, so a thief of one has both.
"""
RENEW_BEFORE = timedelta(days=60)
"""An installation replaces a host agent's certificate that expires sooner than this."""
SKEW = timedelta(hours=1)
"""Certificates are valid from this long before now, so that a host with a slow clock can use one immediately."""


class CertificateAuthority:
    """Signs the coordinator's and the agents' certificates. Files: ca.key (0600) and ca.pem."""

    def __init__(
        self,
        folder: Path,
        network: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        make: bool = True,
    ) -> None:
        """Opens or creates the CA. clock: UTC. make: creates a missing one. Raises TlsError, OSError."""
        self._clock = clock
        self.folder = folder
        self.network = network
        if not make and not (folder / "ca.key").exists():
            raise TlsError(f"{folder / 'ca.key'} is missing")
        folder.mkdir(parents=True, exist_ok=True)
        self._key = load_or_make_key(folder / "ca.key")
        path = folder / "ca.pem"
        if not path.exists():
            write_atomic(path, self._self_signed().public_bytes(serialization.Encoding.PEM))
        self.pem = path.read_bytes()
        try:
            self.certificate = load_certificate(self.pem)
        except TlsError as error:
            raise TlsError(f"{path}: {error}") from error
        if public_bytes(self.certificate) != public_bytes(self._key):
            raise TlsError(f"{path} does not belong to {folder / 'ca.key'}")

    @property
    def pin(self) -> str:
        """sha256 (hex) of the CA's certificate, by which agents recognise it."""
        return fingerprint(self.certificate)

    def sign(self, csr: bytes, identity: Identity, lifetime: timedelta = LIFETIME) -> bytes:
        """Signs a client certificate (PEM) for the key in a signing request. Nothing else in the request is used.

        Raises TlsError on an invalid request, ValueError on an identity that is not an agent of this network.
        """
        if identity.kind is Kind.COORDINATOR or identity.network != self.network:
            raise ValueError(f"not an agent of network {self.network}: {identity.uri}")
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(identity.uri)]
        key = load_csr(csr).public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise TlsError("expected an EC key")
        return self._issue(key, identity, names, ExtendedKeyUsageOID.CLIENT_AUTH, self._clock() + lifetime)

    def server(self, addresses: Iterable[str]) -> tuple[bytes, bytes]:
        """The coordinator's key and certificate (PEM), valid for these host names and IP addresses.

        The certificate is reissued if an address is missing, another CA signed it, or it is damaged.
        Raises TlsError, OSError.
        """
        key = self._server_key()
        path = self.folder / "server.pem"
        identity = Identity(self.network, Kind.COORDINATOR)
        names = _server_names(identity, addresses)
        if not self._usable(path, key, names):
            end = self.certificate.not_valid_after_utc
            write_atomic(path, self._issue(key.public_key(), identity, names, ExtendedKeyUsageOID.SERVER_AUTH, end))
        return key_pem(key), path.read_bytes()

    def _server_key(self) -> ec.EllipticCurvePrivateKey:
        """The server's key. Agents trust it because the CA signed its certificate and do not pin it, so a damaged key
        is replaced.
        """
        path = self.folder / "server.key"
        try:
            return load_or_make_key(path)
        except TlsError:
            path.unlink()
            return load_or_make_key(path)

    def _usable(self, path: Path, key: ec.EllipticCurvePrivateKey, names: list[x509.GeneralName]) -> bool:
        try:
            certificate = load_certificate(path.read_bytes())
            check_issued(certificate, self.certificate)
        except (FileNotFoundError, TlsError):
            return False
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return (
            identity_of(certificate).network == self.network
            and public_bytes(certificate) == public_bytes(key)
            and certificate.not_valid_after_utc >= self.certificate.not_valid_after_utc
            and set(names) <= set(held)
        )

    def _issue(
        self,
        key: ec.EllipticCurvePublicKey,
        identity: Identity,
        names: list[x509.GeneralName],
        usage: x509.ObjectIdentifier,
        end: datetime,
    ) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(_subject(identity.name or str(identity.kind)))
            .issuer_name(self.certificate.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._clock() - SKEW)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _self_signed(self) -> x509.Certificate:
        name = _subject(f"bootcoord CA of {self.network}")
        usage = {"key_cert_sign": True, "crl_sign": True}
        others = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
        no = dict.fromkeys((*others, "encipher_only", "decipher_only"), False)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._clock() - SKEW)
            .not_valid_after(NEVER)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.KeyUsage(**usage, **no), critical=True)
            .sign(self._key, hashes.SHA256())
        )


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _server_names(identity: Identity, addresses: Iterable[str]) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(identity.uri), x509.DNSName(COORDINATOR_NAME)]
    for address in dict.fromkeys(("localhost", "127.0.0.1", *addresses)):
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(address)))
        except ValueError:
            names.append(x509.DNSName(address))
    return names
