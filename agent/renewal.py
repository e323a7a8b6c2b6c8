"""Renews the agent's certificate long before it expires, because coordinators may be up only rarely.

What needs the cryptography package is imported when there is something to renew: see `support.identity`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from agent.config import AgentConfig, DataFolder
from support.identity import TlsError, Validity


@dataclass(frozen=True)
class Renewal:
    """The certificate in a data folder. The key stays the same, so a renewal replaces one file atomically."""

    folder: DataFolder
    config: AgentConfig
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def validity(self) -> Validity:
        """Of the current certificate. Raises TlsError, OSError."""
        return Validity.of(self.folder.certificate.read_bytes())

    @property
    def due(self) -> bool:
        """Whether it is due for renewal. Raises TlsError, OSError."""
        return self.validity.due(self.clock())

    def request(self) -> bytes:
        """A signing request (PEM) for the existing key. Raises TlsError."""
        from support.tls import load_or_make_key, make_csr

        return make_csr(load_or_make_key(self.folder.key), self.config.name)

    def keep(self, pem: bytes) -> datetime:
        """Replaces the certificate. Returns when the new one expires.

        Raises TlsError if it names another identity or does not expire later than the current one; ConfigError,
        OSError.
        """
        from agent.identity import admit
        from support.tls import identity_of, load_certificate

        fresh, held = load_certificate(pem), load_certificate(self.folder.certificate.read_bytes())
        if identity_of(fresh) != identity_of(held) or fresh.not_valid_after_utc <= held.not_valid_after_utc:
            raise TlsError(f"the coordinator sent a certificate that does not follow that of {identity_of(held).uri}")
        admit(self.folder, pem + (self.folder.path / self.config.ca).read_bytes())
        return fresh.not_valid_after_utc
