"""Fills in the accounts: users, producers, votes, proxies."""

from __future__ import annotations

from pathlib import Path

from antelope.elections import MAX_SCHEDULE, MAX_VOTED_PRODUCERS
from antelope.errors import BadName
from antelope.names import name_to_int
from inventory import syntax
from inventory.columns import UserRows
from inventory.errors import Problems
from inventory.model import ProducersTable, ProducerTable, UsersTable, VotesTable
from inventory.names import PRODUCER_LIMIT, producer_name
from inventory.network import StakeRule, Users, UserSource
from inventory.planned import PlannedProducer, PlannedVote, Votes
from inventory.resolve_chain import Token, amounts
from inventory.rows import MOST_ROWS
from inventory.users_file import users_of

DEFAULT_USERS = 100
DEFAULT_PRODUCERS = 4
DEFAULT_VOTERS = 10

USER_LIMIT = MOST_ROWS
"""Maximum number of generated users: an allocation holds no more."""

NEW_NAME = 12
"""Characters of an account's name that anybody may create."""
_URL_LENGTH = 511
"""Characters: the system contract accepts urls shorter than 512."""


def users(
    table: UsersTable, token: Token, rule: StakeRule, source: Path, genesis_is_local: bool, problems: Problems
) -> Users:
    """The staked accounts that are not producers. A CSV is not read yet: `Users.rows` does that.

    source: the inventory's file; paths start from its folder.
    """
    folder = source.parent
    total = token.issue - token.reserve
    if not 0.1 <= table.alpha <= 100:
        problems.add("users.alpha", f"{table.alpha} is not between 0.1 and 100")
    if table.seed < 0:
        problems.add("users.seed", f"{table.seed} is negative")
    if table.csv is not None and table.accounts_json is not None:
        problems.add("users", "csv and accounts_json cannot both be set", "choose one")
    if table.csv is not None:
        if table.count is not None:
            problems.add("users.count", "is for generated users", "a csv has its own rows: remove the count")
        file = folder / table.csv
        rows = UserRows(lambda: users_of(file, source, token.symbol, rule), file)
        return Users(UserSource.CSV, total=total, file=file, rows=rows)
    limit = table.count if table.count is not None else 0 if table.accounts_json else DEFAULT_USERS
    if not 0 <= limit <= USER_LIMIT:
        problems.add("users.count", f"{limit} is not between 0 and {USER_LIMIT}")
        limit = DEFAULT_USERS
    if table.accounts_json is not None:
        file = _accounts_json(table.accounts_json, folder, genesis_is_local, problems)
        return Users(UserSource.ACCOUNTS_JSON, limit, table.seed, table.alpha, total, file)
    return Users(UserSource.GENERATED, limit, table.seed, table.alpha, total)


def _accounts_json(text: str, folder: Path, genesis_is_local: bool, problems: Problems) -> Path:
    """The file's path on the genesis node's host, whose agent reads it: its private keys are never read here."""
    if genesis_is_local:
        if not (folder / text).is_file():
            problems.add("users.accounts_json", f"{folder / text} is not a file")
        return folder / text
    if wrong := syntax.absolute(text):
        problems.add("users.accounts_json", wrong, "it must be a path on the genesis node's host")
    return Path(text)


def producers(
    table: ProducersTable, awaited: tuple[str, ...], token: Token, problems: Problems
) -> tuple[PlannedProducer, ...]:
    """Listed producers first, then generated ones, then parties that are waited for; the first `elected` get the votes.

    Nodes are assigned later.
    """
    count = table.count if table.count is not None else 0 if table.list else DEFAULT_PRODUCERS
    if not 0 <= count <= PRODUCER_LIMIT:
        problems.add("producers.count", f"{count} is not between 0 and {PRODUCER_LIMIT}")
        count = MAX_SCHEDULE
    generated = tuple(ProducerTable(producer_name(number)) for number in range(count))
    known = {entry.account for entry in table.list + generated}
    parties = tuple(ProducerTable(account) for account in dict.fromkeys(awaited) if account not in known)
    listed = table.list + generated + parties
    elected = _elected(table, len(listed), problems)
    minimum = amounts(token, problems)("producers.minimum", table.minimum, token.units("1000"))
    planned: dict[str, PlannedProducer] = {}
    for index, entry in enumerate(listed):
        path = f"producers.list[{index}]" if index < len(table.list) else "producers.count"
        party = index >= len(listed) - len(parties)
        if entry.account in planned:
            problems.add(f"{path}.account", f"producer {entry.account} is listed twice")
            continue
        if not party:  # a party's mistakes are reported at parties.wait_for, where it is written
            _check_producer(entry, path, index < elected, problems)
        url = _url(entry, table.url, path, problems)
        # `placement.with_nodes` fills in the node's name.
        planned[entry.account] = PlannedProducer(
            entry.account, None, url, entry.location, index < elected, minimum, party
        )
    return tuple(planned.values())


def later(
    table: ProducersTable, planned: tuple[PlannedProducer, ...], problems: Problems
) -> tuple[PlannedProducer, ...]:
    """The producers that join after the boot. They are outside the seal, and get nodes like all others.

    planned: the producers of the boot.
    """
    known = {producer.account for producer in planned}
    found: list[PlannedProducer] = []
    for index, entry in enumerate(table.later):
        path = f"producers.later[{index}]"
        if entry.account in known:
            problems.add(f"{path}.account", f"producer {entry.account} is listed twice")
            continue
        known.add(entry.account)
        _check_producer(ProducerTable(entry.account, location=entry.location), path, elected=False, problems=problems)
        if len(entry.account) != NEW_NAME or "." in entry.account:
            problems.add(
                f"{path}.account", f"{entry.account} does not have 12 characters without a dot",
                "only eosio can create other names, and not after it has resigned",
            )  # fmt: skip
        url = _url(ProducerTable(entry.account, entry.url), table.url, path, problems)
        found.append(PlannedProducer(entry.account, None, url, entry.location, not entry.standby, minimum=0))
    return tuple(found)


def _elected(table: ProducersTable, listed: int, problems: Problems) -> int:
    """How many of the listed producers the votes are to elect."""
    elected = table.elected if table.elected is not None else min(listed, MAX_SCHEDULE)
    if not listed and table.elected != 0:
        hint = "write 1 or more, or a producers.list; elected = 0: eosio stays the only producer"
        problems.add("producers.count", "nobody can be elected", hint)
    elif not listed:
        return 0
    elif not 1 <= elected <= MAX_SCHEDULE:
        problems.add(
            "producers.elected", f"{elected} is not between 1 and {MAX_SCHEDULE}", "the contract elects 21 at most"
        )
    elif elected > listed:
        problems.add(
            "producers.elected", f"{elected} are to be elected, and {listed} register", "raise producers.count"
        )
    return elected


def _url(entry: ProducerTable, pattern: str, path: str, problems: Problems) -> str:
    url = entry.url if entry.url is not None else pattern.replace("{account}", entry.account)
    if len(url) > _URL_LENGTH:
        place = "producers.url" if entry.url is None else f"{path}.url"
        problems.add(place, f"has {len(url)} characters", f"at most {_URL_LENGTH} are allowed")
    return url


def _check_producer(entry: ProducerTable, path: str, elected: bool, problems: Problems) -> None:
    if wrong := syntax.account(entry.account):
        problems.add(f"{path}.account", wrong)
    if not 0 <= entry.location < 1 << 16:
        problems.add(f"{path}.location", f"{entry.location} is not between 0 and 65535")
    if elected and not entry.node:
        problems.add(
            f"{path}.node",
            f"{entry.account} is to be elected and needs a node",
            "lower producers.elected, or list it further down",
        )


def votes(table: VotesTable, of: Users, planned: tuple[PlannedProducer, ...], problems: Problems) -> Votes:
    """Who votes for whom. Only accounts whose keys our agents make or import can have a planned vote."""
    known = of.count if of.source is UserSource.GENERATED or of.count else None
    ours = of.source is not UserSource.CSV
    voters = table.voters if table.voters is not None else DEFAULT_VOTERS if ours and planned else 0
    if table.voters is None and known is not None:
        voters = min(voters, known)
    _check_counts(table, voters, known if ours else 0, ours, problems)
    registered = {producer.account for producer in planned}
    ordered = tuple(producer for producer in planned if not producer.party)  # a party votes as it likes
    signing = {producer.account for producer in ordered}
    proxies = _proxies(table, ordered)
    for index, account in enumerate(table.proxies):
        if not _can_vote(of, signing, account):
            problems.add(
                f"votes.proxies[{index}]", f"{account} is neither a producer nor a user whose key is held here"
            )
        if account in table.proxies[:index]:
            problems.add(f"votes.proxies[{index}]", f"{account} is listed twice")
    written = []
    for index, vote in enumerate(table.vote):
        path = f"votes.vote[{index}]"
        if not _can_vote(of, signing, vote.voter):
            problems.add(f"{path}.voter", f"{vote.voter} is neither a producer nor a user whose key is held here")
        if vote.voter in {earlier.voter for earlier in table.vote[:index]}:
            problems.add(f"{path}.voter", f"{vote.voter} votes twice")
        _check_vote(vote.producers, vote.proxy, path, registered, proxies, problems)
        if vote.proxy and vote.voter in proxies:
            problems.add(f"{path}.proxy", f"{vote.voter} is a proxy, and a proxy cannot vote through another proxy")
        written.append(PlannedVote(vote.voter, tuple(sorted(vote.producers, key=_value)), vote.proxy))
    return Votes(voters, tuple(written), proxies, table.proxied)


def _value(account: str) -> int:
    """A name's rank on the chain; invalid names are reported elsewhere."""
    try:
        return name_to_int(account)
    except BadName:
        return 0


def _proxies(table: VotesTable, planned: tuple[PlannedProducer, ...]) -> tuple[str, ...]:
    """Those in the inventory; if users vote by proxy and none is given, the first producer, as in the tutorial."""
    if table.proxies or not table.proxied or not planned:
        return table.proxies
    return (planned[0].account,)


def _can_vote(of: Users, registered: set[str], account: str) -> bool:
    """Whether our agents can sign the account's vote; true as long as users' names are not known."""
    return account in registered or of.source is UserSource.ACCOUNTS_JSON or of.generates(account)


def _check_counts(table: VotesTable, voters: int, known: int | None, ours: bool, problems: Problems) -> None:
    for key, number in (("voters", voters), ("proxied", table.proxied)):
        if number < 0:
            problems.add(f"votes.{key}", f"{number} is negative")
        elif number and not ours:
            problems.add(f"votes.{key}", "the keys of a csv's users are not held here, so they cannot vote")
        elif known is not None and number > known:
            problems.add(f"votes.{key}", f"{number} is more than the {known} users")
    if known is not None and 0 <= voters <= known < voters + table.proxied:
        problems.add("votes.proxied", f"{voters} voters and {table.proxied} proxied are more than the {known} users")


def _check_vote(
    chosen: tuple[str, ...], proxy: str, path: str, registered: set[str], proxies: tuple[str, ...], problems: Problems
) -> None:
    if bool(chosen) == bool(proxy):
        problems.add(path, "a vote is either for producers or through a proxy", "write one of the two")
    if len(chosen) > MAX_VOTED_PRODUCERS:
        problems.add(
            f"{path}.producers", f"has {len(chosen)} producers", f"the contract accepts at most {MAX_VOTED_PRODUCERS}"
        )
    for index, account in enumerate(chosen):
        if account not in registered:
            problems.add(f"{path}.producers[{index}]", f"{account} is not a producer of this network")
        if account in chosen[:index]:
            problems.add(f"{path}.producers[{index}]", f"{account} is listed twice")
    if proxy and proxy not in proxies:
        problems.add(f"{path}.proxy", f"{proxy} is not a registered proxy", "list it in votes.proxies")


def overlaps(of: Users, planned: tuple[PlannedProducer, ...], problems: Problems) -> None:
    """No account may be both a user and a producer."""
    for producer in planned:
        if of.has(producer.account):
            problems.add("producers", f"{producer.account} is also a user", "rename the producer")
