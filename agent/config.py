"""The agent's data folder: its configuration, and where everything else in it lies."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import cattrs

from support.endpoint import Endpoint
from support.files import write_atomic
from support.tls import Identity, Kind

_LEVELS = ("debug", "info", "warning", "error")


class ConfigError(Exception):
    """agent.toml is missing or wrong."""


@dataclass(frozen=True)
class AgentConfig:
    """agent.toml."""

    network: str
    name: str
    """The host that the agent is enrolled as."""
    coordinator: str
    """HOST:PORT that it dials."""
    ca: str = "identity/ca.pem"
    """The network's CA certificate; relative to the data folder."""
    log_level: str = "info"
    local: bool = True
    """The operator's own machine: all nodes share its loopback and its disk."""

    def __post_init__(self) -> None:
        """Raises ConfigError."""
        try:
            Identity(self.network, Kind.HOST, self.name)
            Endpoint.parse(self.coordinator)
        except ValueError as error:
            raise ConfigError(str(error)) from error
        if self.log_level not in _LEVELS:
            raise ConfigError(f"log_level is one of {', '.join(_LEVELS)}, not {self.log_level!r}")

    def toml(self) -> str:
        """As agent.toml holds it."""
        # A JSON string is a TOML basic string.
        values = cattrs.unstructure(self).items()
        return "".join(f"{name} = {json.dumps(value)}\n" for name, value in values)


@dataclass(frozen=True)
class DataFolder:
    """The agent's own folder, 0700."""

    path: Path

    @property
    def config(self) -> Path:
        """agent.toml."""
        return self.path / "agent.toml"

    @property
    def record(self) -> Path:
        """The running agent's pid and start time."""
        return self.path / "agent.json"

    @property
    def lock(self) -> Path:
        """Held by the running agent."""
        return self.path / "agent.lock"

    @property
    def key(self) -> Path:
        """The private key of its certificate, 0600."""
        return self.path / "identity" / "agent.key"

    @property
    def certificate(self) -> Path:
        """Its certificate, signed by the network's CA."""
        return self.path / "identity" / "agent.pem"

    @property
    def journal(self) -> Path:
        """What it must not forget."""
        return self.path / "journal.sqlite"

    @property
    def artifacts(self) -> Path:
        """Verified copies of the coordinator's artifacts."""
        return self.path / "artifacts"

    @property
    def keys(self) -> Path:
        """The key store."""
        return self.path / "keys"

    @property
    def nodes(self) -> Path:
        """A folder for each node."""
        return self.path / "nodes"

    def make(self) -> None:
        """Creates it, closed to others. Raises OSError."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path.chmod(0o700)

    def read(self) -> AgentConfig:
        """Raises ConfigError."""
        try:
            values = tomllib.loads(self.config.read_text())
            return cattrs.Converter(forbid_extra_keys=True).structure(values, AgentConfig)
        except FileNotFoundError:
            raise ConfigError(f"{self.config} is missing: run `agent enrol` first") from None
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"{self.config}: {error}") from error
        except cattrs.BaseValidationError as error:
            messages = "; ".join(re.sub(r" @ \$.*", "", text) for text in cattrs.transform_error(error))
            raise ConfigError(f"{self.config}: {messages}") from error

    def write(self, config: AgentConfig) -> None:
        """Replaces agent.toml. Raises OSError."""
        write_atomic(self.config, config.toml().encode(), 0o600)
