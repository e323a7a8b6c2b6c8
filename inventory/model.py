"""The inventory as the user writes it in TOML: one dataclass per table, every key with its default.

Nothing is computed here. None means that the key is not set: `inventory.resolve` fills it in by the rule given with the
field. Amounts are strings such as "0.1000 SYS". docs/inventory.md describes every key, and a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from inventory.network import BUNDLED


@dataclass(frozen=True)
class NetworkTable:
    """[network]"""

    name: str
    """The only key without a default."""


@dataclass(frozen=True)
class TokenTable:
    """[token]"""

    symbol: str = "4,SYS"
    max_supply: str | None = None
    """None: ten billion tokens."""
    issue: str | None = None
    """None: one billion tokens."""
    reserve: str | None = None
    """The part of the issue that eosio keeps; None: a thousandth."""


@dataclass(frozen=True)
class GenesisTable:
    """[genesis]"""

    timestamp: str | None = None
    initial_key: str | None = None
    configuration: dict[str, int] = field(default_factory=dict)
    raise_limits: bool | None = None
    """None: from 5,000 accounts on."""


@dataclass(frozen=True)
class NodeosTable:
    """[nodeos]"""

    path: str = BUNDLED
    options: dict[str, Any] = field(default_factory=dict)
    snapshot: str = "auto"
    prometheus: bool = False


@dataclass(frozen=True)
class ContractTable:
    """[contracts.boot]: a contract's two files."""

    wasm: str
    abi: str


@dataclass(frozen=True)
class NamedContractTable:
    """[[contracts.list]]"""

    account: str
    wasm: str | None = None
    abi: str | None = None
    privileged: bool | None = None
    """None: privileged if the ABI shows that it executes for others."""


@dataclass(frozen=True)
class ContractsTable:
    """[contracts]"""

    directory: str | None = None
    boot: ContractTable | None = None
    list: tuple[NamedContractTable, ...] = ()


@dataclass(frozen=True)
class SystemTable:
    """[system]"""

    features: tuple[str, ...] | None = None
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True)
class UsersTable:
    """[users]"""

    count: int | None = None
    """None: 100 when generated, all of them when they come from a file."""
    seed: int = 1
    alpha: float = 1.161
    csv: str | None = None
    accounts_json: str | None = None


@dataclass(frozen=True)
class StakeTable:
    """[stake]: the split of a balance."""

    ram: str | None = None
    """None: 0.1 token."""
    minimum: str | None = None
    """None: 0.45 token."""
    liquid: str | None = None
    """None: 9 tokens."""


@dataclass(frozen=True)
class ProducerTable:
    """[[producers.list]]"""

    account: str
    url: str | None = None
    location: int = 0
    host: str | None = None
    node: bool = True


@dataclass(frozen=True)
class LaterTable:
    """[[producers.later]]"""

    account: str
    url: str | None = None
    location: int = 0
    host: str | None = None
    standby: bool = False


@dataclass(frozen=True)
class ProducersTable:
    """[producers]"""

    count: int | None = None
    """None: 4, or 0 when a list is written."""
    elected: int | None = None
    """None: all of them, 21 at most."""
    minimum: str | None = None
    """None: 1000 tokens."""
    url: str = "https://{account}.example"
    list: tuple[ProducerTable, ...] = ()
    later: tuple[LaterTable, ...] = ()


@dataclass(frozen=True)
class VoteTable:
    """[[votes.vote]]"""

    voter: str
    producers: tuple[str, ...] = ()
    proxy: str = ""


@dataclass(frozen=True)
class VotesTable:
    """[votes]"""

    voters: int | None = None
    """None: 10, or as many users as there are; 0 when the users' keys are not ours (CSV)."""
    proxies: tuple[str, ...] = ()
    proxied: int = 0
    vote: tuple[VoteTable, ...] = ()


@dataclass(frozen=True)
class TopologyTable:
    """[topology]"""

    kind: str | None = None
    """None: mesh up to MESH_LIMIT nodes, random beyond."""
    degree: int = 4
    seed: int = 1
    edges: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class JumpTable:
    """[ssh.jump] and [hosts.ssh.jump]: the jump host."""

    address: str
    port: int = 22
    user: str | None = None
    """None: the host's own user."""
    key: str | None = None
    known_hosts: str | None = None
    fingerprint: str | None = None
    host_key: str | None = None


@dataclass(frozen=True)
class SshTable:
    """[ssh], the defaults for all hosts, and [hosts.ssh], which overrides them for one host."""

    address: str | None = None
    port: int | None = None
    user: str | None = None
    key: str | None = None
    known_hosts: str | None = None
    fingerprint: str | None = None
    host_key: str | None = None
    sudo: str | None = None
    jump: JumpTable | None = None


@dataclass(frozen=True)
class HostTable:
    """[[hosts]]"""

    name: str
    local: bool = False
    address: str | None = None
    data: str = ""
    nodeos: str | None = None
    user: str = "bootcoord"
    tunnel: bool = False
    metrics: str | None = None
    """None: its agent exports nothing."""
    ssh: SshTable = field(default_factory=SshTable)


@dataclass(frozen=True)
class NodeTable:
    """[[nodes]]"""

    name: str | None = None
    """None: `genesis`, or the account."""
    host: str | None = None
    """None: placed by the rule."""
    role: str | None = None
    """None: producer when an account is named, else full."""
    account: str | None = None
    p2p_port: int | None = None
    http_port: int | None = None
    api: str | None = None
    """None: 127.0.0.1 and http_port + 1000 for role api, else nowhere."""
    history: str | None = None
    """None: 127.0.0.1 and http_port + 2000; only role history has it."""
    options: dict[str, Any] = field(default_factory=dict)
    snapshot: str | None = None
    """None: nodeos.snapshot; `never` for role history."""


@dataclass(frozen=True)
class CoordinatorTable:
    """[coordinator]"""

    listen: str | None = None
    """None: 127.0.0.1:0 while all hosts are local or tunnelled, else 0.0.0.0:0."""
    advertise: str | None = None


@dataclass(frozen=True)
class PartiesTable:
    """[parties]"""

    sponsor: str | None = None
    limit: int = 21
    ram: str | None = None
    """None, as for net, cpu and liquid: the split of producers.minimum."""
    net: str | None = None
    cpu: str | None = None
    liquid: str | None = None
    wait_for: tuple[str, ...] = ()
    wait_seconds: int = 900
    vote: bool = True
    share: str = "1/3"
    endpoints: str | None = None
    """None: by the reach of the hosts' own addresses."""


@dataclass(frozen=True)
class Inventory:
    """The whole file."""

    network: NetworkTable
    token: TokenTable = field(default_factory=TokenTable)
    genesis: GenesisTable = field(default_factory=GenesisTable)
    nodeos: NodeosTable = field(default_factory=NodeosTable)
    contracts: ContractsTable = field(default_factory=ContractsTable)
    system: SystemTable = field(default_factory=SystemTable)
    users: UsersTable = field(default_factory=UsersTable)
    stake: StakeTable = field(default_factory=StakeTable)
    producers: ProducersTable = field(default_factory=ProducersTable)
    votes: VotesTable = field(default_factory=VotesTable)
    topology: TopologyTable = field(default_factory=TopologyTable)
    ssh: SshTable = field(default_factory=SshTable)
    hosts: tuple[HostTable, ...] = ()
    nodes: tuple[NodeTable, ...] = ()
    coordinator: CoordinatorTable = field(default_factory=CoordinatorTable)
    parties: PartiesTable = field(default_factory=PartiesTable)
