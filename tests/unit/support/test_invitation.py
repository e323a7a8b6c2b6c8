"""Tokens are read back as written; nothing else is accepted as one."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coordinator.agents.ca import CertificateAuthority
from support.identity import Identity, InvitationError, Kind
from support.invitation import PREFIX, pack, parse
from support.tls import load_certificate, load_or_make_key, make_csr


def _token(folder: Path, kind: Kind = Kind.INVITE, network: str = "net", endpoints: tuple[str, ...] = ()) -> str:
    authority = CertificateAuthority(folder / "ca", "net")
    key = load_or_make_key(folder / "key")
    pem = authority.sign(make_csr(key, "alice"), Identity("net", kind, "alice"), timedelta(hours=2))
    return pack(network, endpoints or ("coord.example:7000",), authority.certificate, load_certificate(pem), key)


def _sealed(body: bytes) -> str:
    """Any bytes in a token's clothes, with a right sum."""
    data = body + hashlib.sha256(body).digest()[:4]
    return PREFIX + base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_a_token_carries_everything(tmp_path: Path) -> None:
    """Network, name, endpoints, CA, certificate, key and expiry come back."""
    invitation = parse(_token(tmp_path, endpoints=("coord.example:7000", "10.0.0.1:7001")))
    assert (invitation.network, invitation.name) == ("net", "alice")
    assert invitation.coordinators == ("coord.example:7000", "10.0.0.1:7001")
    authority = CertificateAuthority(tmp_path / "ca", "net")
    assert invitation.ca == authority.pem
    assert invitation.pin == authority.pin
    assert timedelta(hours=1) < invitation.expires - datetime.now(UTC) <= timedelta(hours=2)
    assert b"PRIVATE KEY" in invitation.key
    assert invitation.identity == Identity("net", Kind.PARTY, "alice")
    invitation.check_current(datetime.now(UTC))
    with pytest.raises(InvitationError, match="expired"):
        invitation.check_current(invitation.expires)


def test_a_cut_or_changed_token_is_told(tmp_path: Path) -> None:
    """Every truncation and every changed character is noticed."""
    token = _token(tmp_path)
    for length in range(0, len(token), 97):
        with pytest.raises(InvitationError):
            parse(token[:length])
    for at in range(len(PREFIX), len(token), 61):
        with pytest.raises(InvitationError):
            parse(token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :])
    for wrong in (token + "=", token + "\n", " " + token, token + "A", token * 9, "", PREFIX):
        with pytest.raises(InvitationError):
            parse(wrong)


def test_parts_must_belong_together(tmp_path: Path) -> None:
    """With another network's name, another kind's certificate, another CA or key it is not a token."""
    with pytest.raises(InvitationError, match="belong"):
        _token(tmp_path, network="other")
    with pytest.raises(InvitationError, match="belong"):
        _token(tmp_path, kind=Kind.PARTY)
    with pytest.raises(InvitationError, match="HOST:PORT"):
        _token(tmp_path, endpoints=("coord.example:7000\nx",))
    authority, rogue = CertificateAuthority(tmp_path / "ca", "net"), CertificateAuthority(tmp_path / "rogue", "net")
    key = load_or_make_key(tmp_path / "key")
    pem = authority.sign(make_csr(key, "alice"), Identity("net", Kind.INVITE, "alice"))
    with pytest.raises(InvitationError, match="CA"):
        pack("net", ("a:1",), rogue.certificate, load_certificate(pem), key)
    with pytest.raises(InvitationError, match="belong"):
        pack("net", ("a:1",), authority.certificate, load_certificate(pem), load_or_make_key(tmp_path / "other"))


def test_rubbish_with_a_right_sum_is_no_token() -> None:
    """False field lengths, and fields that are not certificates, give one clear error."""
    for body in (b"", b"\xff\xff", b"\0\1", b"\0\1a" * 5, b"\0\0" * 5, b"\0\1a" * 6):
        with pytest.raises(InvitationError):
            parse(_sealed(body))
