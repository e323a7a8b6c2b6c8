"""The sealed network: what is fixed before the first block, and the manifest, a hash over it.

Genesis, contracts, features, allocation, producers and votes are sealed; hosts, ports, peers and late parties are
not. Anybody can compute the manifest from the same files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import cattrs

from antelope.errors import BadJson
from antelope.strict_json import read_object

LARGEST = 64 << 20
"""Maximum bytes of a sealed document. Votes can be its largest part; the allocation is a separate file."""
FORMAT = 2
"""Version of the sealed document; part of the manifest."""


@dataclass(frozen=True)
class SealedContract:
    """A contract, by the sha256 (hex) of its wasm and of its ABI's JSON file. Both are artifacts."""

    account: str
    wasm: str
    abi: str


@dataclass(frozen=True)
class SealedFeature:
    """A protocol feature to activate, by name and digest (hex)."""

    name: str
    digest: str


@dataclass(frozen=True)
class SealedProducer:
    """A producer that registers during the boot, with its public keys (EOS…)."""

    account: str
    account_key: str
    signing_key: str
    url: str
    location: int
    elected: bool


@dataclass(frozen=True)
class SealedVote:
    """One voter's vote: for producers, sorted by the value of their names, or for a proxy."""

    voter: str
    proxy: str
    producers: tuple[str, ...]


@dataclass(frozen=True)
class SealedSponsor:
    """The account that pays for late parties' accounts, and what each of them gets, in the smallest unit.

    Its key is on the genesis node's host; the agent there enforces this budget on its own.
    """

    account: str
    parties: int
    """How many accounts it pays for at most."""
    ram: int
    net: int
    cpu: int
    liquid: int


@dataclass(frozen=True)
class SealedLimits:
    """Limits of a block while the accounts are created; all others stay as in the genesis."""

    block_net: int
    """Bytes (`max_block_net_usage`)."""
    block_cpu: int
    """Microseconds (`max_block_cpu_usage`)."""


@dataclass(frozen=True)
class Sealed:
    """What the whole network agrees on. Amounts are integers in the symbol's smallest unit."""

    format: int
    network: str
    chain_id: str
    genesis: Mapping[str, Any]
    """genesis.json, as nodeos reads it."""
    symbol: str
    """Precision and code, such as `4,SYS`."""
    max_supply: int
    issue: int
    boot_contract: SealedContract
    contracts: tuple[SealedContract, ...]
    """In the order of deployment, the system contract (on eosio) included."""
    system_accounts: tuple[str, ...]
    features: tuple[SealedFeature, ...]
    """In the order of activation; PREACTIVATE_FEATURE first."""
    allocation: str
    """sha256 (hex) of the allocation artifact (`inventory.rows`)."""
    accounts: int
    """Its number of rows."""
    producers: tuple[SealedProducer, ...]
    proxies: tuple[str, ...]
    votes: tuple[SealedVote, ...]
    sections: Mapping[str, str] = field(default_factory=dict)
    """sha256 (hex) of each sealed section of the inventory, to find out which one was edited afterwards."""
    sponsor: SealedSponsor | None = None
    """None if there is no sponsor; then the document has no such field."""
    privileged: tuple[str, ...] = ("eosio.msig",)
    """Accounts besides eosio that become privileged, sorted. If it is only eosio.msig, as usual, the document has no
    such field.
    """

    load: SealedLimits | None = None
    """None if limits stay as in the genesis while the accounts are created; then the document has no such field."""

    @property
    def eosio_key(self) -> str:
        """The genesis node's public key, which is eosio's until eosio resigns."""
        return str(self.genesis["initial_key"])

    @property
    def elected(self) -> tuple[str, ...]:
        """The accounts that the votes elect."""
        return tuple(producer.account for producer in self.producers if producer.elected)

    def canonical(self) -> bytes:
        """The document as bytes, the same for everyone: JSON in UTF-8 with sorted keys and no spaces."""
        usual = {"sponsor": None, "privileged": ("eosio.msig",), "load": None}
        document = {name: value for name, value in asdict(self).items() if name not in usual or value != usual[name]}
        return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    @cached_property
    def manifest(self) -> str:
        """sha256 (hex) of the canonical document."""
        return hashlib.sha256(self.canonical()).hexdigest()

    @property
    def artifacts(self) -> tuple[str, ...]:
        """sha256 (hex) of every file that an agent needs to derive the boot's actions."""
        contracts = (self.boot_contract, *self.contracts)
        return tuple(dict.fromkeys([h for c in contracts for h in (c.wasm, c.abi)] + [self.allocation]))

    @staticmethod
    def parse(document: bytes) -> Sealed:
        """Reads a canonical document. Raises ValueError when it is not one."""
        try:
            sealed = _CONVERTER.structure(read_object(document, size=LARGEST), Sealed)
        except (cattrs.BaseValidationError, BadJson) as error:
            raise ValueError("not a sealed network of this version") from error
        if sealed.format != FORMAT or sealed.canonical() != document:
            raise ValueError("not a sealed network of this version")
        return sealed


_CONVERTER = cattrs.Converter(forbid_extra_keys=True)
