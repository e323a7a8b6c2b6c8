"""The agent's data folder: its configuration, and where everything else in it lies."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cattrs

from agent.errors import ConfigError
from inventory.toml_text import BadToml, read_toml
from support.endpoint import Endpoint
from support.files import write_atomic
from support.identity import Identity, Kind

_LEVELS = ("debug", "info", "warning", "error")


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
    kind: Kind = Kind.HOST
    """A host of the inventory, or a party. A party's settings are in party.toml."""
    others: tuple[str, ...] = ()
    """HOST:PORT of other addresses at which the coordinator may listen."""

    def __post_init__(self) -> None:
        """Raises ConfigError."""
        try:
            Identity(self.network, self.kind, self.name)
            for coordinator in (self.coordinator, *self.others):
                Endpoint.parse(coordinator)
        except ValueError as error:
            raise ConfigError(str(error)) from error
        if self.log_level not in _LEVELS:
            raise ConfigError(f"log_level is one of {', '.join(_LEVELS)}, not {self.log_level!r}")

    def toml(self) -> str:
        """The text of agent.toml."""
        return toml_lines(cattrs.unstructure(self))


def toml_lines(values: Mapping[str, object]) -> str:
    """Strings, numbers, booleans and lists of them as TOML, which writes these as JSON does."""
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())


@dataclass(frozen=True)
class DataFolder:
    """The agent's own folder, 0700."""

    path: Path

    @property
    def config(self) -> Path:
        """agent.toml."""
        return self.path / "agent.toml"

    @property
    def party(self) -> Path:
        """party.toml: a party's settings, its operator's to edit."""
        return self.path / "party.toml"

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
        """The agent's journal: what must survive a crash."""
        return self.path / "journal.sqlite"

    @property
    def artifacts(self) -> Path:
        """Verified copies of the coordinator's artifacts."""
        return self.path / "artifacts"

    @property
    def snapshots(self) -> Path:
        """Snapshots of nodes' states."""
        return self.path / "snapshots"

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
            values = read_toml(self.config.read_bytes())
            return cattrs.Converter(forbid_extra_keys=True).structure(values, AgentConfig)
        except FileNotFoundError:
            raise ConfigError(f"{self.config} is missing: run `agent enrol` first") from None
        except BadToml as error:
            raise ConfigError(f"{self.config} {error}") from error
        except OSError as error:
            raise ConfigError(f"{self.config}: {error}") from error
        except cattrs.BaseValidationError as error:
            messages = "; ".join(re.sub(r" @ \$.*", "", text) for text in cattrs.transform_error(error))
            raise ConfigError(f"{self.config}: {messages}") from error

    def write(self, config: AgentConfig) -> None:
        """Replaces agent.toml. Raises OSError."""
        write_atomic(self.config, config.toml().encode(), 0o600)
