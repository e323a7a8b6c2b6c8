"""Who gets what: the network's users and producers with their balances, and the rows that the boot applies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inventory import staking
from inventory.names import user_name
from inventory.network import Network, UserSource
from inventory.sealed import AllocationRow


@dataclass(frozen=True)
class Holding:
    """One account's balance. In the smallest unit."""

    account: str
    balance: int


def user_names(network: Network, imported: Sequence[str] = ()) -> tuple[str, ...]:
    """The users' names, the richest first unless a CSV names them; imported: those of the accounts.json."""
    users = network.users
    if users.source is UserSource.CSV:
        return tuple(row.account for row in users.rows)
    if users.source is UserSource.ACCOUNTS_JSON:
        return tuple(imported)[: users.count or None]
    return tuple(user_name(number) for number in range(users.count))


def holdings(network: Network, imported: Sequence[str] = ()) -> tuple[Holding, ...]:
    """Every account with its balance, users before producers, in the order in which they are created.

    Raises ValueError when there is less than the accounts need.
    """
    producers = network.producers
    if network.users.source is UserSource.CSV:
        rows = tuple(Holding(row.account, row.balance) for row in network.users.rows)
        return rows + tuple(Holding(producer.account, producer.minimum) for producer in producers)
    from inventory.distribution import pareto  # numpy takes 0.1 s to import, which only this path needs

    names = user_names(network, imported)
    least = staking.least(network.stake)
    floors = [least] * len(names) + [max(least, producer.minimum) for producer in producers]
    balances = pareto(floors, network.users.total, network.users.seed, network.users.alpha)
    accounts = (*names, *(producer.account for producer in producers))
    return tuple(Holding(*pair) for pair in zip(accounts, balances, strict=True))


def allocate(network: Network, held: Sequence[Holding], keys: Mapping[str, str]) -> tuple[AllocationRow, ...]:
    """The rows of the allocation; keys: each account's one public key (EOS… text).

    Raises ValueError for a balance that cannot be split, KeyError for an account without a key.
    """
    rows = []
    for holding in held:
        parts = staking.split(holding.balance, network.stake)
        key = keys[holding.account]
        rows.append(AllocationRow(holding.account, key, key, parts.ram, parts.net, parts.cpu, parts.liquid))
    return tuple(rows)
