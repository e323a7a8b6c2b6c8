"""A node's description, as the coordinator sends it. Every field is checked before it reaches a file or command."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from agent.errors import SpecError
from antelope.names import is_name
from inventory import options as inventory_options
from inventory.network import BUNDLED, Role
from support.endpoint import dialable

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}", re.ASCII)
_PATH = re.compile(r"/[A-Za-z0-9._+@/-]{1,1000}", re.ASCII)
_MOST_PEERS = 1000


class SpecMessage(Protocol):
    """coordination.proto's NodeSpec."""

    name: str
    role: str
    account: str
    p2p_bind: str
    p2p_endpoint: str
    http_port: int
    nodeos: str
    api: str
    history: str
    prometheus: bool

    @property
    def peers(self) -> Iterable[str]: ...

    @property
    def options(self) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class NodeSpec:
    """One node of this host. The constructor checks it and raises SpecError."""

    name: str
    role: Role
    account: str | None
    """The producer that it signs for; None for nodes that sign nothing."""
    p2p_bind: str
    """HOST:PORT."""
    p2p_endpoint: str
    """HOST:PORT that others dial."""
    http_port: int
    """On loopback."""
    peers: tuple[str, ...] = ()
    """HOST:PORT each."""
    options: Mapping[str, str] = field(default_factory=dict)
    nodeos: str = BUNDLED
    """BUNDLED, or an absolute path."""
    api: str = ""
    """HOST:PORT where it serves the chain API to other people; empty: nowhere."""
    history: str = ""
    """HOST:PORT where it serves the history of the state; empty: nowhere."""
    prometheus: bool = False
    """Whether it loads nodeos' own prometheus_plugin."""

    def __post_init__(self) -> None:
        _need(_NAME.fullmatch(self.name) is not None, "name", self.name)
        _need((self.account is not None) == self.role.signs, "account", self.account)
        _need(self.account is None or is_name(self.account), "account", self.account)
        _need((self.account == "eosio") == (self.role is Role.GENESIS), "account", self.account)
        _need(dialable(self.p2p_bind), "p2p_bind", self.p2p_bind)
        _need(dialable(self.p2p_endpoint), "p2p_endpoint", self.p2p_endpoint)
        _need(0 < self.http_port < 65536, "http_port", self.http_port)
        _need(len(self.peers) <= _MOST_PEERS, "peers", len(self.peers))
        for peer in self.peers:
            _need(dialable(peer), "peers", peer)
        _need(self.role in inventory_options.SERVING or not self.api, "api", self.api)
        _need(self.role is not Role.API or bool(self.api), "api", self.api)
        _need((self.role is Role.HISTORY) == bool(self.history), "history", self.history)
        for part, served in (("api", self.api), ("history", self.history)):
            _need(not served or (dialable(served) and not served.endswith(f":{self.http_port}")), part, served)
        allowed = inventory_options.allowed(self.role)
        for option, value in self.options.items():
            _need(option in allowed, "options", option)
            _need(inventory_options.VALUE.fullmatch(value) is not None, f"options.{option}", value)
        own = self.nodeos == BUNDLED or (_PATH.fullmatch(self.nodeos) is not None and ".." not in self.nodeos)
        _need(own, "nodeos", self.nodeos)

    @staticmethod
    def of(message: SpecMessage) -> NodeSpec:
        """From the coordinator's message. Raises SpecError."""
        _need(message.role in tuple(Role), "role", message.role)
        return NodeSpec(
            name=message.name,
            role=Role(message.role),
            account=message.account or None,
            p2p_bind=message.p2p_bind,
            p2p_endpoint=message.p2p_endpoint,
            http_port=message.http_port,
            peers=tuple(message.peers),
            options=dict(message.options),
            nodeos=message.nodeos,
            api=message.api,
            history=message.history,
            prometheus=message.prometheus,
        )

    def with_peers(self, peers: Iterable[str]) -> NodeSpec:
        """The same node with other peers. Raises SpecError."""
        return replace(self, peers=tuple(peers))


def _need(holds: bool, part: str, value: object) -> None:
    if not holds:
        raise SpecError(f"the node's {part} cannot be {str(value)[:80]!r}")
