"""Reads the chain once; the checks then judge what was read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

from boot.audit.approvals import Approval, read_approvals, read_delayed
from boot.audit.blocks import Early
from boot.audit.chain import Chain, Json
from boot.audit.found import Survey
from boot.audit.survey import look_at_all
from boot.blueprint import Blueprint

FEW_VOTERS = 2000
"""Up to this many rows are asked for one by one: a page of a thousand takes as long as 50 of them."""
NATIVE = frozenset({"eosio", "eosio.null", "eosio.prods"})
"""Accounts that nodeos itself makes with the first block."""


@dataclass(frozen=True)
class Observed:
    """What came to the network lawfully after the seal."""

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
    survey: Survey
    """Every account."""
    tokens: Mapping[str, int]
    """Scopes of the token contract's statistics: one per symbol code, written as if it were a name."""
    stat: tuple[Json, ...]
    """The core symbol's statistics."""
    producers: tuple[Json, ...]
    voters: tuple[Json, ...]
    canary: tuple[Json, ...]
    """Balances of eosio.prods, each with its payer."""
    approvals: tuple[Approval, ...]
    """Approvals of eosio.msig's proposals that still count."""
    delayed: tuple[tuple[str, frozenset[str]], ...]
    """Transactions that were signed with a delay: the id, and the authorising accounts."""

    @property
    def accounts(self) -> Mapping[str, Json]:
        """get_account of those that exist and are not in the allocation."""
        return self.survey.accounts

    @cached_property
    def active_producers(self) -> tuple[str, ...]:
        """The active schedule's accounts, by name."""
        return tuple(sorted(str(entry["producer_name"]) for entry in self.schedule["active"]["producers"]))


def planned_accounts(blueprint: Blueprint) -> frozenset[str]:
    """The accounts outside the allocation that the sealed network gives the chain, nodeos' own three included."""
    sealed = blueprint.sealed
    contracts = (contract.account for contract in sealed.contracts)
    return NATIVE.union(sealed.system_accounts, contracts)


async def read_chain(chain: Chain, blueprint: Blueprint, info: Json, early: Early, surveyed: Survey | None) -> Seen:
    """Reads everything. early: what the blocks show. surveyed: what a snapshot shows, if any. Raises AuditError."""
    code = blueprint.symbol.code
    survey = await look_at_all(chain, blueprint, early, planned_accounts(blueprint), surveyed)
    contracts = tuple(contract.account for contract in blueprint.sealed.contracts)
    raw = zip(contracts, await chain.all(partial(chain.contract, name) for name in contracts), strict=True)
    return Seen(
        info=info,
        features=tuple(await chain.features()),
        parameters=await chain.parameters(),
        schedule=await chain.schedule(),
        early=early,
        contracts={name: answer for name, answer in raw if answer is not None},
        survey=survey,
        tokens=await chain.scopes("eosio.token", "stat"),
        stat=tuple(await chain.rows("eosio.token", code, "stat")),
        producers=tuple(await chain.rows("eosio", "eosio", "producers")),
        voters=await _voters(chain, blueprint, survey),
        canary=tuple(await chain.rows("eosio.token", "eosio.prods", "accounts", payer=True)),
        approvals=await read_approvals(chain, str(info["head_block_time"])),
        delayed=await read_delayed(chain),
    )


async def _voters(chain: Chain, blueprint: Blueprint, survey: Survey) -> tuple[Json, ...]:
    """The relevant voters' rows: asked for one by one if they are few, otherwise filtered from the whole table."""
    if survey.voters is None or len(survey.voters) > FEW_VOTERS:
        return tuple(await chain.rows("eosio", "eosio", "voters", keep=_chose(blueprint)))
    found = await chain.all(partial(chain.row, "eosio", "eosio", "voters", name) for name in survey.voters)
    return tuple(row for row in found if row is not None)


def _chose(blueprint: Blueprint) -> Callable[[Json], bool]:
    """Whether a row of the table is relevant; every account with stake has one."""
    planned = {vote.voter for vote in blueprint.sealed.votes}
    return lambda row: bool(row["proxy"] or row["producers"] or row["is_proxy"] or row["owner"] in planned)
