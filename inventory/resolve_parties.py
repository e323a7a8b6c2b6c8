"""Fills in the rules for parties: who pays for their accounts, who is waited for, where their nodes may be."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from antelope.ram import INITIAL_RAM_BYTES
from inventory import share, staking, syntax
from inventory.errors import Problems
from inventory.model import PartiesTable
from inventory.network import Host, Node, Role, StakeRule, Users
from inventory.parties import Parties, Sponsor
from inventory.planned import PlannedProducer
from inventory.reach import Reach, widest
from inventory.resolve_chain import Token, amounts

LIMIT = 1000
"""Accounts that a sponsor pays for at most."""

WAIT_LIMIT = 7 * 86_400
"""Seconds that a boot waits for parties at most: a week."""

SPONSOR_RAM = 4 << 20
"""Bytes that the sponsor buys for itself: a proposal that replaces the system contract is stored in its RAM."""

STAKE_PART = 10_000
"""It stakes this fraction of the issue (1/STAKE_PART) for CPU and for NET each: enough for proposals of 500 kB on an
idle chain."""


def parties(
    table: PartiesTable, token: Token, rule: StakeRule, minimum: int, hosts: Sequence[Host], problems: Problems
) -> Parties:
    """The [parties] section. minimum: a producer's least balance, which a sponsored party gets by default."""
    for index, account in enumerate(table.wait_for):
        if wrong := syntax.account(account):
            problems.add(f"parties.wait_for[{index}]", wrong)
        if account in table.wait_for[:index]:
            problems.add(f"parties.wait_for[{index}]", f"{account} is listed twice")
    if not 1 <= table.wait_seconds <= WAIT_LIMIT:
        problems.add("parties.wait_seconds", f"{table.wait_seconds} is not between 1 and {WAIT_LIMIT}")
    return Parties(
        _sponsor(table, token, rule, minimum, problems),
        table.wait_for,
        table.wait_seconds,
        table.vote,
        _share(table, problems),
        _endpoints(table, hosts, problems),
    )


def _sponsor(table: PartiesTable, token: Token, rule: StakeRule, minimum: int, problems: Problems) -> Sponsor | None:
    written = {key: getattr(table, key) for key in ("ram", "net", "cpu", "liquid")}
    if table.sponsor is None:
        for key, text in written.items():
            if text is not None:
                problems.add(f"parties.{key}", "is what a sponsor pays", "name the sponsor in parties.sponsor")
        return None
    if wrong := syntax.account(table.sponsor):
        problems.add("parties.sponsor", wrong)
    if not 1 <= table.limit <= LIMIT:
        problems.add("parties.limit", f"{table.limit} is not between 1 and {LIMIT}")
    usual = staking.split(max(minimum, staking.least(rule)), rule)
    read = amounts(token, problems)
    each = {key: read(f"parties.{key}", text, getattr(usual, key)) for key, text in written.items()}
    return Sponsor(
        account=table.sponsor,
        parties=table.limit,
        own_ram=max(1, token.issue // 1000 * SPONSOR_RAM // INITIAL_RAM_BYTES),
        own_stake=max(1, token.issue // STAKE_PART),
        **each,
    )


def _share(table: PartiesTable, problems: Problems) -> Fraction | None:
    try:
        return share.parse(table.share)
    except ValueError as error:
        problems.add("parties.share", str(error))
        return Fraction(1, 3)


def _endpoints(table: PartiesTable, hosts: Sequence[Host], problems: Problems) -> Reach:
    if table.endpoints is None:
        return widest(host.address for host in hosts)
    try:
        return Reach(table.endpoints)
    except ValueError:
        problems.add("parties.endpoints", f"{table.endpoints!r} is not one of {', '.join(Reach)}")
        return Reach.PUBLIC


def overlaps(found: Parties, planned: Sequence[PlannedProducer], problems: Problems) -> None:
    """Neither the sponsor nor a party that is waited for may be another producer."""
    written = [producer.account for producer in planned if not producer.party]
    for index, account in enumerate(found.wait_for):
        if account in written:
            problems.add(f"parties.wait_for[{index}]", f"{account} is already listed in producers", "remove one")
    if found.sponsor is not None:
        account = found.sponsor.account
        if account in (*written, *found.wait_for):
            _not_its_own(account, problems)


def overlap_users(found: Parties, users: Users, planned: Sequence[PlannedProducer], problems: Problems) -> None:
    """None of them may be a user either. Needs the users' rows."""
    written = [producer.account for producer in planned if not producer.party]
    for index, account in enumerate(found.wait_for):
        if account not in written and users.has(account):
            problems.add(f"parties.wait_for[{index}]", f"{account} is also a user", "rename one")
    if found.sponsor is not None and users.has(found.sponsor.account):
        _not_its_own(found.sponsor.account, problems)


def _not_its_own(account: str, problems: Problems) -> None:
    problems.add("parties.sponsor", f"{account} is a user or producer", "the sponsor must be an account of its own")


def cannot_stop_it(found: Parties, planned: Sequence[PlannedProducer], problems: Problems) -> None:
    """Parties that are waited for are elected at once: no more of them than `parties.share` allows."""
    elected = [producer for producer in planned if producer.elected]
    awaited = sum(producer.party for producer in elected)
    most = share.seats(found.share, len(elected) - awaited)
    if awaited > most:
        assert found.share is not None  # noqa: S101 (without a share there is no limit)
        limit = f"{found.share.numerator}/{found.share.denominator}"
        problems.add(
            "parties.wait_for",
            f"{awaited} of the {len(elected)} producers to be elected are parties, and fewer than {limit} may be: "
            "a third of a schedule can stop the network",
            f'have more producers of your own elected, or write parties.share = "{share.ALL}" if you trust these',
        )


def reachable(found: Parties, nodes: Sequence[Node], problems: Problems) -> None:
    """The sponsor's key is on the genesis node's host, and that node accepts no transactions once it is retired."""
    home = next(node.host for node in nodes if node.role is Role.GENESIS)
    if found.sponsor is not None and not any(
        node.host == home and node.role not in (Role.GENESIS, Role.SEED) for node in nodes
    ):
        problems.add(
            "parties.sponsor",
            f"the genesis node is the only one on host {home!r}, and accepts no transactions once eosio has resigned",
            f"place a producer's or a full node on {home} as well",
        )
