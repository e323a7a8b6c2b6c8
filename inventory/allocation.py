"""The allocation: users, producers and the sponsor with their balances, and the rows that the boot applies."""

from __future__ import annotations

import io
from array import array
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from antelope.asset import Asset
from antelope.keys import PublicKey
from antelope.names import int_to_name, name_to_int
from inventory import staking
from inventory.columns import KEY_BYTES, Holding, Holdings
from inventory.distribution import pareto
from inventory.names import user_name
from inventory.network import Network, UserSource
from inventory.rows import ROW_BYTES, Allocation

Numbers = NDArray[np.int64]

_ROW = np.dtype(
    [("name", "<u8"), ("key", f"V{KEY_BYTES}"), ("ram", "<i8"), ("net", "<i8"), ("cpu", "<i8"), ("liquid", "<i8")]
)
"""A row of the artifact, as `inventory.rows` reads it."""
_AT_ONCE = 1 << 16
"""Rows that are packed at once."""


def user_names(network: Network, imported: Sequence[str] = (), most: int | None = None) -> tuple[str, ...]:
    """The users' names, richest first: all of them, or the first `most`. A CSV's users are in its rows.

    imported: the names in the accounts.json.
    """
    users = network.users
    if users.source is UserSource.CSV:
        return ()
    if users.source is UserSource.ACCOUNTS_JSON:
        return tuple(imported)[: users.count or None][:most]
    return tuple(user_name(number) for number in range(users.count if most is None else min(most, users.count)))


def holdings(network: Network, imported: Sequence[str] = ()) -> Holdings:
    """Every account with its balance, in the order in which they are created: users, producers, the sponsor.

    Raises ValueError when the tokens do not cover what the accounts need.
    """
    producers, sponsor = network.producers, network.parties.sponsor
    apart = [Holding(sponsor.account, sponsor.balance)] if sponsor else []
    if network.users.source is UserSource.CSV:
        columns = network.users.rows.columns
        own = [Holding(producer.account, producer.minimum) for producer in producers]
        return _held(columns.names, columns.balances, [*own, *apart])
    names = array("Q", map(name_to_int, user_names(network, imported)))
    least = staking.least(network.stake)
    floors = array("q", [least]) * len(names) + array("q", [max(least, one.minimum) for one in producers])
    total = network.users.total - sum(holding.balance for holding in apart)
    if sum(floors) > total:
        needed, left = Asset(sum(floors), network.symbol), Asset(max(total, 0), network.symbol)
        after = "the reserve and the sponsor" if sponsor else "the reserve"
        raise ValueError(f"{len(floors)} accounts need at least {needed}, and {left} are left after {after}")
    balances = pareto(floors, total, network.users.seed, network.users.alpha)
    names.extend(name_to_int(producer.account) for producer in producers)
    return _held(names, balances, apart)


def _held(names: array[int], balances: array[int], others: Iterable[Holding]) -> Holdings:
    names, balances = names[:], balances[:]
    for holding in others:
        names.append(name_to_int(holding.account))
        balances.append(holding.balance)
    return Holdings(names, balances)


def parts_of(network: Network, holding: Holding) -> staking.Split:
    """How a balance is split; the sponsor keeps its budget for parties liquid. Raises ValueError."""
    sponsor = network.parties.sponsor
    if sponsor and holding.account == sponsor.account:
        return staking.Split(sponsor.own_ram, sponsor.own_stake, sponsor.own_stake, sponsor.budget)
    return staking.split(holding.balance, network.stake)


def staked(network: Network, held: Holdings, accounts: Iterable[str]) -> dict[str, int]:
    """The stake, for CPU and NET together, of each of these accounts that has a balance."""
    wanted = {name_to_int(account) for account in accounts}
    places = (place for place, name in enumerate(held.names) if name in wanted)
    parts = {int_to_name(held.names[place]): parts_of(network, held[place]) for place in places}
    return {account: found.net + found.cpu for account, found in parts.items()}


def allocate(network: Network, held: Holdings, keys: Mapping[str, str]) -> Allocation:
    """The rows of the allocation. keys: the public key (EOS…) of each account that is not from a CSV.

    Raises ValueError for a balance that cannot be split, KeyError for an account without a key.
    """
    packed = io.BytesIO()
    listed = network.users.rows.columns.keys
    for start in range(0, len(held), _AT_ONCE):
        packed.write(_packed(network, held, keys, listed, range(start, min(start + _AT_ONCE, len(held)))))
    return Allocation(packed.getvalue())


def _packed(network: Network, held: Holdings, keys: Mapping[str, str], listed: bytes, part: range) -> bytes:
    """Some rows of the artifact. listed: the CSV's keys, which come first."""
    rows = np.zeros(len(part), dtype=_ROW)
    chosen = slice(part.start, part.stop)
    rows["name"] = np.frombuffer(held.names[chosen], dtype=np.uint64)
    own = listed[part.start * KEY_BYTES : part.stop * KEY_BYTES]
    count = len(own) // KEY_BYTES
    rows["key"][:count] = np.frombuffer(own, dtype=f"V{KEY_BYTES}")
    for place in range(count, len(part)):
        key = PublicKey.parse(keys[int_to_name(held.names[part.start + place])])
        rows["key"][place] = np.void(key.pack())
    balances = np.frombuffer(held.balances[chosen], dtype=np.int64)
    rows["ram"], rows["net"], rows["cpu"], rows["liquid"] = staking.split_all(balances, network.stake)
    sponsor = network.parties.sponsor
    if sponsor:
        for place in np.flatnonzero(rows["name"] == name_to_int(sponsor.account)).tolist():
            parts = parts_of(network, Holding(sponsor.account, int(balances[place])))
            rows[place] = (rows[place]["name"], rows[place]["key"], parts.ram, parts.net, parts.cpu, parts.liquid)
    return rows.tobytes()


assert _ROW.itemsize == ROW_BYTES  # noqa: S101 (one layout, described twice)
