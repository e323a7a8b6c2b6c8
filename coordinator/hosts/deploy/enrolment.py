"""Certificates for the agents of SSH hosts. Usable from any thread."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

from coordinator.advising import typed
from coordinator.agents.ca import RENEW_BEFORE, CertificateAuthority
from coordinator.agents.register import Register, RegisterError
from coordinator.hosts.deploy.errors import DeployError
from coordinator.state.folder import remedy
from inventory.toml_text import BadToml, read_toml
from support.identity import Identity, Kind, TlsError
from support.journal import Journal
from support.tls import check_issued, fingerprint, load_certificate

_one_at_a_time = threading.Lock()


class Enrolment:
    """Signs certificates, and records them in the register. Each use opens the journal in its own thread."""

    def __init__(self, journal: Path, authority: CertificateAuthority, adopting: bool = False) -> None:
        """journal: the file of the coordinator's journal. adopting: another CA's agent is enrolled anew."""
        self._adopting = adopting
        self._journal = journal
        self._authority = authority

    def is_good(self, host: str, certificate: str) -> bool:
        """Whether the agent can keep the certificate (PEM) that it holds.

        Raises DeployError if another coordinator installed the agent: its chain and keys are not ours to replace.
        """
        try:
            held = load_certificate(certificate.encode())
        except TlsError:
            return False  # missing or damaged
        try:
            check_issued(held, self._authority.certificate)
        except TlsError:
            if self._adopting:
                return False
            raise DeployError(
                f"another coordinator's {self._authority.network} is installed there: work with its state folder "
                f"(--state), rename the network, or, if that folder is lost, run: {typed('adopt')}"
            ) from None
        with _one_at_a_time:
            journal = Journal(self._journal, remedy())
            try:
                refusal = Register(journal).refusal(self._identity(host), fingerprint(held))
            finally:
                journal.close()
        return refusal is None and held.not_valid_after_utc - datetime.now(UTC) > RENEW_BEFORE

    def knows(self, host: str) -> bool:
        """Whether a machine is enrolled as this host, and was not replaced."""
        with _one_at_a_time:
            journal = Journal(self._journal, remedy())
            try:
                entry = Register(journal).find(host)
            finally:
                journal.close()
        return entry is not None and bool(entry.fingerprint)

    def admit(self, host: str, csr: str) -> str:
        """The agent's new certificate, and the CA's (PEM). Raises DeployError."""
        identity = self._identity(host)
        with _one_at_a_time:
            journal = Journal(self._journal, remedy())
            try:
                certificate = self._authority.sign(csr.encode(), identity)
                Register(journal).enrol(identity, fingerprint(load_certificate(certificate)))
            except (TlsError, RegisterError) as error:
                raise DeployError(str(error)) from error
            finally:
                journal.close()
        return (certificate + self._authority.pem).decode()

    def _identity(self, host: str) -> Identity:
        return Identity(self._authority.network, Kind.HOST, host)


def dials(config: str, coordinator: str) -> bool:
    """Whether an agent with this agent.toml dials that coordinator (HOST:PORT)."""
    try:
        return read_toml(config.encode()).get("coordinator") == coordinator
    except BadToml:
        return False
