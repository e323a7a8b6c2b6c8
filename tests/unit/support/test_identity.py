"""When a certificate is valid, against the cryptography package and openssl."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from support.identity import TlsError, Validity

KEY = ec.generate_private_key(ec.SECP256R1())
MOMENTS = st.datetimes(datetime(1950, 1, 1), datetime(9999, 12, 30))


def _certificate(begin: datetime, end: datetime, name: str = "alice") -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(KEY.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.PEM)


@given(MOMENTS, MOMENTS, st.text("abc ", min_size=1, max_size=64))
def test_it_is_what_cryptography_reads(one: datetime, other: datetime, name: str) -> None:
    """Both forms of a time: two digits of the year until 2049, four beyond."""
    begin, end = sorted(moment.replace(microsecond=0) for moment in (one, other))
    pem = _certificate(begin, end, name)
    held = x509.load_pem_x509_certificate(pem)
    assert Validity.of(pem) == Validity(held.not_valid_before_utc, held.not_valid_after_utc)
    assert Validity.of(pem + b"\n" + _certificate(begin, end)) == Validity.of(pem)


def test_it_is_what_openssl_reads(tmp_path: Path) -> None:
    """Of a certificate that openssl made itself."""
    pem, words = tmp_path / "cert.pem", "-newkey rsa:2048 -nodes -x509 -days 400 -subj /CN=a -batch"
    made = ["openssl", "req", *words.split(), "-keyout", str(tmp_path / "key.pem"), "-out", str(pem)]
    subprocess.run(made, check=True, capture_output=True)
    said = subprocess.run(["openssl", "x509", "-in", str(pem), "-noout", "-enddate"], check=True, capture_output=True)
    end = datetime.strptime(said.stdout.decode().strip(), "notAfter=%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
    found = Validity.of(pem.read_bytes())
    assert found.end == end
    assert found.end - found.begin == timedelta(days=400)


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_damaged_one_is_told(at: int, value: int) -> None:
    """Whatever the damage: either a validity comes out, or TlsError."""
    pem = _certificate(datetime(2026, 1, 1), datetime(2027, 1, 1))
    damaged = pem[:at] + bytes((value,)) + pem[at + 1 :]
    for text in (damaged, pem[:at], b"", b"\xff"):
        try:
            assert Validity.of(text).end
        except TlsError as error:
            assert str(error) == "not a certificate"  # noqa: PT017 (both endings are right)


@pytest.mark.parametrize("days", [(0, False), (181, False), (183, True), (800, True)])
def test_it_is_due_after_half_of_its_time(days: tuple[int, bool]) -> None:
    """Not earlier."""
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    assert Validity(begin, begin + timedelta(days=365)).due(begin + timedelta(days=days[0])) is days[1]
