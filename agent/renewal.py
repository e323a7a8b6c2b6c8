"""The agent's certificate is renewed long before it ends, by whichever coordinator it meets: there may be few."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509

from agent.config import AgentConfig, DataFolder
from agent.identity import admit
from support.tls import TlsError, identity_of, is_due, load_certificate, load_or_make_key, make_csr


@dataclass(frozen=True)
class Renewal:
    """The certificate in a data folder. Its key stays: so what is kept is one file, and never half of a pair."""

    folder: DataFolder
    config: AgentConfig
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def held(self) -> x509.Certificate:
        """The one that is shown. Raises TlsError, OSError."""
        return load_certificate(self.folder.certificate.read_bytes())

    @property
    def due(self) -> bool:
        """Whether another is to be asked for. Raises TlsError, OSError."""
        return is_due(self.held, self.clock())

    def request(self) -> bytes:
        """A signing request (PEM) for the key that is here. Raises TlsError."""
        return make_csr(load_or_make_key(self.folder.key), self.config.name)

    def keep(self, pem: bytes) -> datetime:
        """Takes the new one in the older one's place. Returns when it ends.

        Raises TlsError when it is another's, or no better than the one that is held; ConfigError, OSError.
        """
        fresh, held = load_certificate(pem), self.held
        if identity_of(fresh) != identity_of(held) or fresh.not_valid_after_utc <= held.not_valid_after_utc:
            raise TlsError(f"the coordinator sent a certificate that does not follow that of {identity_of(held).uri}")
        admit(self.folder, pem + (self.folder.path / self.config.ca).read_bytes())
        return fresh.not_valid_after_utc
