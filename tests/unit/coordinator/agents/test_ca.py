"""What the CA signs, and for whom."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from coordinator.agents.ca import CertificateAuthority
from coordinator.agents.register import Register, RegisterError
from support.identity import COORDINATOR_NAME, Identity, Kind, TlsError
from support.journal import Journal
from support.tls import check_issued, identity_of, load_certificate, load_or_make_key, make_csr


def test_the_ca_chooses_the_identity(tmp_path: Path) -> None:
    """Whatever a request asks for, the certificate has the identity that the CA was given, and is not a server's."""
    authority = CertificateAuthority(tmp_path / "ca", "net")
    request = make_csr(load_or_make_key(tmp_path / "key"), "coordinator")
    certificate = load_certificate(authority.sign(request, Identity("net", Kind.PARTY, "alice")))
    assert identity_of(certificate) == Identity("net", Kind.PARTY, "alice")
    assert "coordinator" not in certificate.subject.rfc4514_string()
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    check_issued(certificate, authority.certificate)
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days == 365


def test_it_signs_for_agents_of_its_network_only(tmp_path: Path) -> None:
    """Refused: identities of another network, and the coordinator's."""
    authority = CertificateAuthority(tmp_path / "ca", "net")
    request = make_csr(load_or_make_key(tmp_path / "key"), "x")
    for identity in (Identity("other", Kind.HOST, "alpha"), Identity("net", Kind.COORDINATOR)):
        with pytest.raises(ValueError, match="not an agent"):
            authority.sign(request, identity)
    with pytest.raises(TlsError):
        authority.sign(b"nonsense", Identity("net", Kind.HOST, "alpha"))


def test_it_stays_the_same_and_closed(tmp_path: Path) -> None:
    """When opened again it has the same key and pin; another CA's certificate beside its key is an error."""
    authority = CertificateAuthority(tmp_path / "ca", "net")
    assert CertificateAuthority(tmp_path / "ca", "net").pin == authority.pin
    assert stat.S_IMODE((tmp_path / "ca" / "ca.key").stat().st_mode) == 0o600
    (tmp_path / "ca" / "ca.pem").write_bytes(CertificateAuthority(tmp_path / "other", "net").pem)
    with pytest.raises(TlsError, match="does not belong"):
        CertificateAuthority(tmp_path / "ca", "net")


def test_the_server_certificate_lasts_until_an_address_is_new(tmp_path: Path) -> None:
    """It is kept for the same addresses, and reissued for another one."""
    authority = CertificateAuthority(tmp_path / "ca", "net")
    _, first = authority.server(["10.99.0.1"])
    assert authority.server(["10.99.0.1"])[1] == first
    assert authority.server([])[1] == first
    names = (
        load_certificate(authority.server(["coord.example.org"])[1])
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value.get_values_for_type(x509.DNSName)
    )
    assert set(names) == {COORDINATOR_NAME, "localhost", "coord.example.org"}


def test_names_are_taken_once(tmp_path: Path) -> None:
    """A name belongs to one kind of agent; a revoked name is never used again."""
    register = Register(Journal(tmp_path / "journal.sqlite"))
    host, party = Identity("net", Kind.HOST, "alpha"), Identity("net", Kind.PARTY, "alpha")
    register.enrol(host, "11")
    register.enrol(host, "22")
    assert register.refusal(host, "22") is None
    assert "another certificate" in str(register.refusal(host, "11"))
    assert "not enrolled" in str(register.refusal(party, "22"))
    with pytest.raises(RegisterError, match="taken"):
        register.enrol(party, "33")
    assert register.revoke("alpha")
    assert "revoked" in str(register.refusal(host, "22"))
    with pytest.raises(RegisterError, match="revoked"):
        register.enrol(host, "44")
    assert not register.revoke("beta")


def test_a_server_certificate_that_is_no_good_is_made_again(tmp_path: Path) -> None:
    """A damaged key or certificate, or one signed by an earlier CA, is replaced: agents would not accept it."""
    folder = tmp_path / "ca"
    CertificateAuthority(folder, "net").server([])
    for name in ("server.key", "server.pem"):
        (folder / name).write_bytes(b"torn")
        key, pem = CertificateAuthority(folder, "net").server([])
        assert (folder / name).read_bytes() in (key, pem)
    for name in ("ca.key", "ca.pem"):
        (folder / name).unlink()
    authority = CertificateAuthority(folder, "net")
    check_issued(load_certificate(authority.server([])[1]), authority.certificate)


def test_no_ca_is_made_in_the_place_of_a_lost_one(tmp_path: Path) -> None:
    """A command that only looks reports the missing CA, and creates none."""
    with pytest.raises(TlsError, match=r"ca\.key is missing"):
        CertificateAuthority(tmp_path / "ca", "net", make=False)
    assert not (tmp_path / "ca").exists()
