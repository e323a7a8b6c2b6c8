"""Keys and certificates. EC P-256 throughout; agents' certificates last a year, and are renewed."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from support.files import write_atomic
from support.identity import Identity, TlsError

LIFETIME = timedelta(days=365)
"""How long an agent's certificate is valid."""

Holder = x509.Certificate | x509.CertificateSigningRequest | ec.EllipticCurvePrivateKey

UNSOUND = (
    ValueError,
    TypeError,
    OverflowError,
    InvalidSignature,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.UnsupportedGeneralNameType,
)
"""What the cryptography package raises for damaged or malicious certificates and requests."""


def load_or_make_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The private key in the file (PEM, 0600). A missing file is created with a new key. Raises TlsError."""
    if not path.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        write_atomic(path, key_pem(key), 0o600)
        return key
    try:
        loaded = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise TlsError(f"{path}: not a readable private key: move it away, and a new one is made") from error
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise TlsError(f"{path}: not an EC private key: move it away, and a new one is made")
    return loaded


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """PKCS #8, unencrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def make_csr(key: ec.EllipticCurvePrivateKey, name: str) -> bytes:
    """A certificate signing request, PEM. Its name is informative only: the CA chooses the identity."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)


def load_csr(pem: bytes) -> x509.CertificateSigningRequest:
    """A request whose signature proves that its sender has the key. Raises TlsError."""
    try:
        request = x509.load_pem_x509_csr(pem)
        key, signed = request.public_key(), request.is_signature_valid
    except UNSOUND as error:
        raise TlsError("not a certificate signing request") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise TlsError("certificate signing request: an EC P-256 key is expected")
    if not signed:
        raise TlsError("certificate signing request: its signature is wrong")
    return request


def load_certificate(pem: bytes) -> x509.Certificate:
    """Raises TlsError."""
    try:
        return x509.load_pem_x509_certificate(pem)
    except UNSOUND as error:
        raise TlsError("not a certificate") from error


def identity_of(certificate: x509.Certificate) -> Identity:
    """The one identity that the certificate names. Raises TlsError."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        (uri,) = names.get_values_for_type(x509.UniformResourceIdentifier)
        return Identity.parse(uri)
    except UNSOUND as error:
        raise TlsError("the certificate names no bootcoord identity") from error


def fingerprint(certificate: x509.Certificate) -> str:
    """sha256 of the certificate's DER form, hex."""
    return hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()


def public_bytes(holder: Holder) -> bytes:
    """The public key of a certificate, a request or a private key as bytes, to compare by. Raises TlsError unless it is
    an EC key.
    """
    try:
        key = holder.public_key()
    except UNSOUND as error:
        raise TlsError("its public key cannot be read") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise TlsError("an EC key is expected")
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def check_issued(certificate: x509.Certificate, ca: x509.Certificate) -> None:
    """Checks that the CA signed the certificate. Raises TlsError otherwise."""
    try:
        certificate.verify_directly_issued_by(ca)
    except UNSOUND as error:
        raise TlsError("the certificate was not signed by this network's CA") from error
