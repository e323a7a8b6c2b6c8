"""Checks the allocation, account by account, and that the chain has no other accounts.

It compares with the state right after a boot. From then on owners may change liquid and staked amounts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from antelope.asset import Symbol
from antelope.names import int_to_name, name_to_int
from boot.audit.amounts import money
from boot.audit.lawful import sponsored
from boot.audit.ram import bytes_range
from boot.audit.report import Accounts, Check, WrongAccount, judged, named
from boot.audit.seen import Observed, Seen, planned_accounts
from boot.audit.users import Users
from boot.blueprint import Blueprint


def compare(blueprint: Blueprint, seen: Seen) -> Accounts:
    """Every row of the allocation against its account."""
    users, symbol = seen.survey.users, blueprint.symbol
    judge = _Judge(users, symbol, _ranges(blueprint), _gift(users))
    paid_out = _paid_out(blueprint, seen)
    missing, wrong = [], []
    for place, (name, _, ram, net, cpu, liquid) in enumerate(blueprint.rows.every()):
        if not users.there[place]:
            missing.append(int_to_name(name))
            continue
        differences = judge.differences(place, ram, net, cpu, liquid - paid_out.get(name, 0))
        if differences:
            wrong.append(WrongAccount(int_to_name(name), differences))
    count = len(blueprint.rows)
    return Accounts(count, count - len(missing) - len(wrong), tuple(missing), tuple(wrong))


def _paid_out(blueprint: Blueprint, seen: Seen) -> dict[int, int]:
    """What the sponsor has paid for parties; the key is its name as a number."""
    sponsor = blueprint.sealed.sponsor
    if sponsor is None:
        return {}
    each = sponsor.ram + sponsor.net + sponsor.cpu + sponsor.liquid
    return {name_to_int(sponsor.account): sponsored(blueprint, seen) * each}


def _ranges(blueprint: Blueprint) -> Callable[[int], tuple[int, int]]:
    """`bytes_range`, cached, because most rows spend the same amount."""
    return lru_cache(maxsize=1024)(bytes_range(blueprint))


@dataclass(frozen=True)
class _Judge:
    """Compares a row with what its account is today."""

    users: Users
    symbol: Symbol
    bought: Callable[[int], tuple[int, int]]
    gift: int

    def differences(self, place: int, ram: int, net: int, cpu: int, liquid: int) -> tuple[str, ...]:
        """The account's differences, each in a few words; none if it is as planned."""
        users = self.users
        fewest, most = self.bought(ram)
        bytes_ = users.ram[place]
        if (
            place not in users.authorities
            and users.liquid[place] == liquid
            and users.net[place] == users.own_net[place] == users.net_force[place] == net
            and users.cpu[place] == users.own_cpu[place] == users.cpu_force[place] == cpu
            and fewest <= bytes_ <= most
            and users.quota[place] == bytes_ + self.gift
        ):
            return ()
        return (*users.authorities.get(place, ()), *self._amounts(place, ram, net, cpu, liquid))

    def _amounts(self, place: int, ram: int, net: int, cpu: int, liquid: int) -> Iterator[str]:
        users = self.users
        yield from self._amount("liquid", users.liquid[place], liquid)
        yield from self._amount("NET staked", users.net[place], net)
        yield from self._amount("NET staked by itself", users.own_net[place], net)
        if users.net_force[place] != net:
            yield f"NET in force is {users.net_force[place]} units, planned {net}"
        yield from self._amount("CPU staked", users.cpu[place], cpu)
        yield from self._amount("CPU staked by itself", users.own_cpu[place], cpu)
        if users.cpu_force[place] != cpu:
            yield f"CPU in force is {users.cpu_force[place]} units, planned {cpu}"
        bytes_ = users.ram[place]
        fewest, most = self.bought(ram)
        if not fewest <= bytes_ <= most:
            yield f"RAM is {bytes_} bytes, {money(ram, self.symbol)} buys {fewest} to {most}"
        if users.quota[place] != bytes_ + self.gift:
            yield f"RAM in force is {users.quota[place]} bytes, {bytes_ + self.gift} follow from its resources"

    def _amount(self, title: str, shown: int, planned: int) -> Iterator[str]:
        if shown != planned:
            said = money(shown, self.symbol) if shown >= 0 else f"not in {self.symbol.code}"
            yield f"{title} is {said}, planned {money(planned, self.symbol)}"


def checks(blueprint: Blueprint, seen: Seen, observed: Observed, accounts: Accounts) -> Iterator[Check]:
    """planned accounts, no other accounts."""
    fine = f"{accounts.planned} with the planned keys, liquid, CPU, NET and RAM"
    yield judged("planned accounts", _summary(accounts), fine)
    yield judged("no other accounts", _others(blueprint, seen, observed), f"{seen.survey.total} accounts, all planned")


def _summary(accounts: Accounts) -> Iterator[str]:
    if accounts.missing:
        yield f"{len(accounts.missing)} of {accounts.planned} are missing: {named(accounts.missing)}"
    if accounts.wrong:
        names = named(wrong.account for wrong in accounts.wrong)
        yield f"{len(accounts.wrong)} of {accounts.planned} differ from the plan right after a boot: {names}"


def _gift(users: Users) -> int:
    """RAM bytes that the system contract adds to what an account bought: the value that most accounts show (1400, or
    none).
    """
    known = zip(users.resourced, users.quota, users.ram, strict=True)
    counts = Counter(quota - bytes_ for resourced, quota, bytes_ in known if resourced)
    return counts.most_common(1)[0][0] if counts else 0


def _others(blueprint: Blueprint, seen: Seen, observed: Observed) -> Iterator[str]:
    allowed = planned_accounts(blueprint) | observed.parties
    extra = seen.survey.named - allowed
    if extra:
        yield f"{len(extra)} unplanned accounts: {named(extra)}"
    if seen.early.block is None and not seen.survey.everybody:
        yield f"accounts from before the system contract cannot be determined: {seen.early.reason}"
