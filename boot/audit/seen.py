"""What the chain shows, read once; the checks judge it without asking again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial

from boot.audit.approvals import Approval, read_approvals, read_delayed
from boot.audit.blocks import Early
from boot.audit.chain import Chain, Json
from boot.blueprint import Blueprint

NATIVE = frozenset({"eosio", "eosio.null", "eosio.prods"})
"""Accounts that nodeos itself makes with the first block."""


@dataclass(frozen=True)
class Observed:
    """What is known beyond the sealed network: what came to it lawfully after the seal."""

    parties: frozenset[str] = frozenset()
    """Accounts of late parties: they may exist and register as producers."""
    upgrades: frozenset[tuple[str, str, str]] = frozenset()
    """Contracts that the producers replaced: account, sha256 (hex) of the code and of the packed ABI."""


@dataclass(frozen=True)
class Seen:
    """nodeos' answers."""

    info: Json
    features: tuple[Json, ...]
    parameters: Json
    """The chain's configuration, with genesis.json's names."""
    schedule: Json
    early: Early
    contracts: Mapping[str, Json]
    """get_raw_abi of the accounts that exist, of those with a planned contract."""
    accounts: Mapping[str, Json]
    """get_account of every account that exists, as far as the plan or the chain names it."""
    named: frozenset[str]
    """Accounts that the chain itself names: by resources, by a balance, or in blocks before the system contract."""
    holders: Mapping[str, int]
    """Accounts with balances, and how many (one: the core symbol's)."""
    tokens: Mapping[str, int]
    """Scopes of the token contract's statistics: one a symbol code, written as if it were a name."""
    stat: tuple[Json, ...]
    """The core symbol's statistics."""
    producers: tuple[Json, ...]
    voters: tuple[Json, ...]
    canary: tuple[Json, ...]
    """Balances of eosio.prods, each with its payer."""
    approvals: tuple[Approval, ...]
    """Of eosio.msig's proposals, as far as they are in force."""
    delayed: tuple[tuple[str, frozenset[str]], ...]
    """Transactions that somebody signed to be executed later: the id, and in whose names."""

    @cached_property
    def active_producers(self) -> tuple[str, ...]:
        """The active schedule's accounts, by name."""
        return tuple(sorted(str(entry["producer_name"]) for entry in self.schedule["active"]["producers"]))


def planned_accounts(blueprint: Blueprint) -> frozenset[str]:
    """Every account that the sealed network gives the chain, nodeos' own three included."""
    sealed = blueprint.sealed
    contracts = (contract.account for contract in sealed.contracts)
    producers = (producer.account for producer in sealed.producers)
    users = (row.account for row in blueprint.rows)
    return NATIVE.union(sealed.system_accounts, contracts, producers, users)


async def read_chain(chain: Chain, blueprint: Blueprint, info: Json, early: Early) -> Seen:
    """Reads all of it. early: what the blocks say. Raises AuditError."""
    code = blueprint.symbol.code
    contracts = tuple(contract.account for contract in blueprint.sealed.contracts)
    tables = (("eosio", "userres"), ("eosio.token", "accounts"), ("eosio.token", "stat"))
    resources, holders, tokens = await chain.all(partial(chain.scopes, *table) for table in tables)
    named = frozenset(resources).union(holders, early.accounts)
    names = sorted(named | planned_accounts(blueprint))
    accounts = zip(names, await chain.all(partial(chain.account, name) for name in names), strict=True)
    raw = zip(contracts, await chain.all(partial(chain.contract, name) for name in contracts), strict=True)
    return Seen(
        info=info,
        features=tuple(await chain.features()),
        parameters=await chain.parameters(),
        schedule=await chain.schedule(),
        early=early,
        contracts={name: answer for name, answer in raw if answer is not None},
        accounts={name: answer for name, answer in accounts if answer is not None},
        named=named,
        holders=holders,
        tokens=tokens,
        stat=tuple(await chain.rows("eosio.token", code, "stat")),
        producers=tuple(await chain.rows("eosio", "eosio", "producers")),
        voters=tuple(await chain.rows("eosio", "eosio", "voters")),
        canary=tuple(await chain.rows("eosio.token", "eosio.prods", "accounts", payer=True)),
        approvals=await read_approvals(chain, str(info["head_block_time"])),
        delayed=await read_delayed(chain),
    )
