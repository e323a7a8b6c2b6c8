"""Which agents get a certificate, and which keep theirs."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from coordinator.agents.ca import CertificateAuthority
from coordinator.agents.register import Register
from coordinator.hosts.deploy.enrolment import Enrolment
from coordinator.hosts.deploy.errors import DeployError
from support.journal import Journal
from support.tls import make_csr


def csr(name: str) -> str:
    """Of an agent with a new key."""
    return make_csr(ec.generate_private_key(ec.SECP256R1()), name).decode()


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """The coordinator's."""
    return tmp_path / "journal.sqlite"


@pytest.fixture
def enrolment(tmp_path: Path, journal: Path) -> Enrolment:
    """Of the network `net`."""
    return Enrolment(journal, CertificateAuthority(tmp_path / "ca", "net"))


def own(pem: str) -> str:
    """The agent's certificate of the two."""
    return pem[: pem.index("-----END CERTIFICATE-----")] + "-----END CERTIFICATE-----\n"


def test_an_enrolled_agent_keeps_its_certificate(enrolment: Enrolment) -> None:
    """Until it is enrolled again, which voids the older one; a missing or damaged one counts as none."""
    first = own(enrolment.admit("h1", csr("h1")))
    assert enrolment.is_good("h1", first)
    assert not enrolment.is_good("h2", first)
    second = own(enrolment.admit("h1", csr("h1")))
    assert (enrolment.is_good("h1", first), enrolment.is_good("h1", second)) == (False, True)
    assert not enrolment.is_good("h1", "")
    assert not enrolment.is_good("h1", "-----BEGIN CERTIFICATE-----\n")


def test_another_coordinators_agent_is_refused(enrolment: Enrolment, tmp_path: Path) -> None:
    """Its certificate is from another CA of the same name."""
    other = Enrolment(tmp_path / "other.sqlite", CertificateAuthority(tmp_path / "other", "net"))
    theirs = own(other.admit("h1", csr("h1")))
    with pytest.raises(DeployError, match="another coordinator's net"):
        enrolment.is_good("h1", theirs)


def test_a_revoked_host_gets_no_new_certificate(enrolment: Enrolment, journal: Path) -> None:
    """Its name is never enrolled again."""
    enrolment.admit("h1", csr("h1"))
    opened = Journal(journal)
    Register(opened).revoke("h1")
    opened.close()
    with pytest.raises(DeployError, match="revoked"):
        enrolment.admit("h1", csr("h1"))
