"""Identities, keys and requests."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from support.identity import Identity, TlsError
from support.tls import key_pem, load_csr, load_or_make_key, make_csr


@pytest.mark.parametrize(
    "uri", ["bootcoord://net/host/alpha", "bootcoord://net/party/a.b-c_d", "bootcoord://net/coordinator"]
)
def test_identities_come_back(uri: str) -> None:
    """Reading and writing are inverse."""
    assert Identity.parse(uri).uri == uri


@pytest.mark.parametrize(
    "uri",
    [
        "bootcoord://net/host",
        "bootcoord://net/host/",
        "bootcoord://net/host/a/b",
        "bootcoord://net/host/a\n",
        "bootcoord:///host/a",
        "bootcoord://net/root/a",
        "https://net/host/a",
        "bootcoord://net/host/" + "a" * 64,
        "bootcoord://net/host/ä",
    ],
)
def test_others_are_refused(uri: str) -> None:
    """A name that could be mistaken for another is rejected."""
    with pytest.raises(ValueError, match=r"."):
        Identity.parse(uri)


@pytest.mark.advice(
    "support: …: not a readable private key: move it away, and a new one is made",
    "support: …: not an EC private key: move it away, and a new one is made",
)
def test_a_key_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    """The same key comes back; the file is 0600; a damaged one is named."""
    path = tmp_path / "agent.key"
    assert key_pem(load_or_make_key(path)) == key_pem(load_or_make_key(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    other = rsa.generate_private_key(65537, 2048)
    encoding, form, none = Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    for number, bad in enumerate((b"damaged", other.private_bytes(encoding, form, none))):
        path.write_bytes(bad)
        with pytest.raises(TlsError, match=r"agent\.key: not .*: move it away, and a new one is made"):
            load_or_make_key(path)
        path.rename(tmp_path / f"kept{number}")
        assert key_pem(load_or_make_key(path))


def test_a_request_proves_possession(tmp_path: Path) -> None:
    """A request whose signature does not fit its key is refused."""
    request = make_csr(load_or_make_key(tmp_path / "key"), "alpha")
    assert load_csr(request).is_signature_valid
    with pytest.raises(TlsError):
        load_csr(b"no request")
