"""The allocation, account by account, and that nobody else is on the chain.

Right after a boot: liquid and staked amounts are their owners' to change from then on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from antelope.asset import Symbol
from boot.audit.amounts import money, units
from boot.audit.authority import Json, by_key, differing
from boot.audit.lawful import sponsored
from boot.audit.ram import bytes_range
from boot.audit.report import Accounts, Check, WrongAccount, judged, named
from boot.audit.seen import Observed, Seen, planned_accounts
from boot.blueprint import Blueprint
from inventory.rows import AllocationRow


def compare(blueprint: Blueprint, seen: Seen) -> Accounts:
    """Every row of the allocation against its account."""
    rows = blueprint.rows
    bought = bytes_range(blueprint)
    gift = _gift(seen.accounts[row.account] for row in rows if row.account in seen.accounts)
    missing, wrong = [], []
    for row in rows:
        account = seen.accounts.get(row.account)
        if account is None:
            missing.append(row.account)
            continue
        differences = tuple(_differences(_left(row, blueprint, seen), account, blueprint.symbol, bought, gift))
        if differences:
            wrong.append(WrongAccount(row.account, differences))
    return Accounts(len(rows), len(rows) - len(missing) - len(wrong), tuple(missing), tuple(wrong))


def _left(row: AllocationRow, blueprint: Blueprint, seen: Seen) -> AllocationRow:
    """The row; the sponsor's less what it has paid for parties."""
    sponsor = blueprint.sealed.sponsor
    if sponsor is None or row.account != sponsor.account:
        return row
    each = sponsor.ram + sponsor.net + sponsor.cpu + sponsor.liquid
    return replace(row, liquid=row.liquid - sponsored(blueprint, seen) * each)


def checks(blueprint: Blueprint, seen: Seen, observed: Observed, accounts: Accounts) -> Iterator[Check]:
    """planned accounts, no other accounts."""
    fine = f"{accounts.planned} with the planned keys, liquid, CPU, NET and RAM"
    yield judged("planned accounts", _summary(accounts), fine)
    yield judged("no other accounts", _others(blueprint, seen, observed), f"{len(seen.accounts)} accounts, all planned")


def _summary(accounts: Accounts) -> Iterator[str]:
    if accounts.missing:
        yield f"{len(accounts.missing)} of {accounts.planned} are missing: {named(accounts.missing)}"
    if accounts.wrong:
        names = named(wrong.account for wrong in accounts.wrong)
        yield f"{len(accounts.wrong)} of {accounts.planned} differ from the plan right after a boot: {names}"


def _gift(accounts: Iterator[Json]) -> int:
    """RAM bytes that the system contract adds to what an account bought: what most accounts have (1400, or none)."""
    counts = Counter(
        int(account["ram_quota"]) - int(account["total_resources"]["ram_bytes"])
        for account in accounts
        if account["total_resources"]
    )
    return counts.most_common(1)[0][0] if counts else 0


def _differences(
    row: AllocationRow, account: Json, symbol: Symbol, bought: Callable[[int], tuple[int, int]], gift: int
) -> Iterator[str]:
    yield from differing(account, dict.fromkeys(("owner", "active"), by_key(str(row.key))))
    yield from _amount("liquid", account.get("core_liquid_balance"), row.liquid, symbol)
    resources: Json = account["total_resources"] or {}
    own: Mapping[str, str] = account["self_delegated_bandwidth"] or {}
    for title, field, planned in (("NET", "net_weight", row.net), ("CPU", "cpu_weight", row.cpu)):
        yield from _amount(f"{title} staked", resources.get(field), planned, symbol)
        yield from _amount(f"{title} staked by itself", own.get(field), planned, symbol)
        if int(account[field]) != planned:
            yield f"{title} in force is {account[field]} units, planned {planned}"
    ram = int(resources.get("ram_bytes", 0))
    fewest, most = bought(row.ram)
    if not fewest <= ram <= most:
        yield f"RAM is {ram} bytes, {money(row.ram, symbol)} buys {fewest} to {most}"
    if int(account["ram_quota"]) != ram + gift:
        yield f"RAM in force is {account['ram_quota']} bytes, {ram + gift} follow from its resources"


def _amount(title: str, shown: str | None, planned: int, symbol: Symbol) -> Iterator[str]:
    if units(shown, symbol) != planned:
        yield f"{title} is {shown or money(0, symbol)}, planned {money(planned, symbol)}"


def _others(blueprint: Blueprint, seen: Seen, observed: Observed) -> Iterator[str]:
    allowed = planned_accounts(blueprint) | observed.parties
    extra = seen.named - allowed
    if extra:
        yield f"{len(extra)} accounts that nobody planned: {named(extra)}"
    if seen.early.block is None:
        yield f"accounts from before the system contract cannot be told: {seen.early.reason}"
