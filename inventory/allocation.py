"""Who gets how much: users, producers and the sponsor with their balances, and the rows that the boot applies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from antelope.asset import Asset
from inventory import staking
from inventory.names import user_name
from inventory.network import Network, UserSource
from inventory.sealed import AllocationRow


@dataclass(frozen=True)
class Holding:
    """One account's balance, in the smallest unit."""

    account: str
    balance: int


def user_names(network: Network, imported: Sequence[str] = ()) -> tuple[str, ...]:
    """The users' names, richest first unless they come from a CSV. imported: the names in the accounts.json."""
    users = network.users
    if users.source is UserSource.CSV:
        return tuple(row.account for row in users.rows)
    if users.source is UserSource.ACCOUNTS_JSON:
        return tuple(imported)[: users.count or None]
    return tuple(user_name(number) for number in range(users.count))


def holdings(network: Network, imported: Sequence[str] = ()) -> tuple[Holding, ...]:
    """Every account with its balance, in the order in which they are created: users, producers, the sponsor.

    Raises ValueError when the tokens do not cover what the accounts need.
    """
    producers, sponsor = network.producers, network.parties.sponsor
    apart = (Holding(sponsor.account, sponsor.balance),) if sponsor else ()
    if network.users.source is UserSource.CSV:
        rows = tuple(Holding(row.account, row.balance) for row in network.users.rows)
        return rows + tuple(Holding(producer.account, producer.minimum) for producer in producers) + apart
    from inventory.distribution import pareto  # numpy takes 0.1 s to import, and only this path needs it

    names = user_names(network, imported)
    least = staking.least(network.stake)
    floors = [least] * len(names) + [max(least, producer.minimum) for producer in producers]
    total = network.users.total - sum(holding.balance for holding in apart)
    if sum(floors) > total:
        needed, left = Asset(sum(floors), network.symbol), Asset(max(total, 0), network.symbol)
        after = "the reserve and the sponsor" if sponsor else "the reserve"
        raise ValueError(f"{len(floors)} accounts need at least {needed}, and {left} are left after {after}")
    balances = pareto(floors, total, network.users.seed, network.users.alpha)
    accounts = (*names, *(producer.account for producer in producers))
    return (*(Holding(*pair) for pair in zip(accounts, balances, strict=True)), *apart)


def parts_of(network: Network, holding: Holding) -> staking.Split:
    """How a balance is split; the sponsor keeps its budget for parties liquid. Raises ValueError."""
    sponsor = network.parties.sponsor
    if sponsor and holding.account == sponsor.account:
        return staking.Split(sponsor.own_ram, sponsor.own_stake, sponsor.own_stake, sponsor.budget)
    return staking.split(holding.balance, network.stake)


def allocate(network: Network, held: Sequence[Holding], keys: Mapping[str, str]) -> tuple[AllocationRow, ...]:
    """The rows of the allocation. keys: each account's one public key (EOS…).

    Raises ValueError for a balance that cannot be split, KeyError for an account without a key.
    """
    rows = []
    for holding in held:
        parts = parts_of(network, holding)
        key = keys[holding.account]
        rows.append(AllocationRow(holding.account, key, key, parts.ram, parts.net, parts.cpu, parts.liquid))
    return tuple(rows)
