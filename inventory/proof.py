"""Proves that the plan can work: in integers, and before any host is contacted."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from antelope.asset import Asset
from antelope.elections import MIN_ACTIVATED_STAKE
from antelope.errors import AntelopeError
from antelope.genesis import configuration_errors
from antelope.names import name_to_int
from antelope.ram import RamMarket
from inventory import election, rows, staking
from inventory.allocation import holdings, parts_of, staked
from inventory.columns import Holdings
from inventory.errors import Problem, Problems
from inventory.names import user_name
from inventory.network import Network, UserSource

USER_RAM = 3_700
"""Bytes of RAM that a user must be able to buy.

Measured with the bundled contracts: 3,446 for account, stake and voter's row, and 8 for each of up to 30 producers that
it votes for. The 1,400 bytes that eosio.system adds for free are not counted, because other contracts may not add them.
"""

PRODUCER_RAM = 5_000
"""Bytes of RAM that a producer must be able to buy.

Measured: a registered one uses 3,929 plus its url (511 at most); a vote for 30 takes 240, the canary's proposer 224.
"""

RESERVE_RAM = 65_536
"""Bytes that eosio's reserve must still buy at the end: for eosio.prods, the canary and the first proposals."""


@dataclass(frozen=True)
class Proof:
    """The result: problems that make the plan fail, and notes for the operator."""

    problems: tuple[Problem, ...]
    """Why the plan cannot work; empty if it can."""
    notes: tuple[str, ...]
    """What the operator should know although nothing is wrong."""


def prove(network: Network, imported: Sequence[str] | None = None) -> Proof:
    """Proves supply, allocation, RAM, votes and genesis.

    imported: the names in the accounts.json, once an agent has reported them; until then placeholders are used.
    """
    problems, notes = Problems(), []
    _genesis(network, problems)
    names = _stand_ins(network) if imported is None else tuple(imported)
    if names is None:
        notes.append(
            f"{network.users.file}: how many users it has will be known when the genesis node's agent reads it"
        )
        return Proof(problems.found, tuple(notes))
    try:
        held = holdings(network, names)
    except ValueError as error:
        problems.add("token.issue", str(error), "issue more, or plan fewer accounts")
        return Proof(problems.found, tuple(notes))
    if _fits(held, problems) and _can_split(network, problems):
        _supply(network, held, problems)
        market = _ram(network, held, problems)
        _sponsored(network, market, problems)
        notes += _votes(network, held, names, imported is not None, problems)
    return Proof(problems.found, tuple(notes))


def _stand_ins(network: Network) -> tuple[str, ...] | None:
    """Placeholders for the names in an accounts.json that was not read yet; None if even their number is unknown."""
    if network.users.source is not UserSource.ACCOUNTS_JSON:
        return ()
    return tuple(map(user_name, range(network.users.count))) or None


def _genesis(network: Network, problems: Problems) -> None:
    """nodeos' own limits: it ends with status 254, without a reason, when one is violated."""
    for message in configuration_errors(network.genesis.configuration):
        problems.add("genesis.configuration", message)


def _fits(held: Holdings, problems: Problems) -> bool:
    """Whether all accounts fit into one allocation, which agents fetch as one file."""
    if len(held) > rows.MOST_ROWS:
        size = rows.ARTIFACT_LIMIT >> 20
        problems.add("users", f"{len(held)} accounts do not fit an allocation: {rows.MOST_ROWS} do, in {size} MiB")
    return len(held) <= rows.MOST_ROWS


def _can_split(network: Network, problems: Problems) -> bool:
    """Whether every balance can be split: a producer's minimum may be too small."""
    least = staking.least(network.stake)
    for producer in network.producers:
        if producer.minimum < least:
            short = Asset(producer.minimum, network.symbol)
            problems.add(
                "producers.minimum",
                f"{short} does not cover RAM and the minimum stake",
                f"write at least {Asset(least, network.symbol)}",
            )
            return False
    return True


def _supply(network: Network, held: Holdings, problems: Problems) -> None:
    total, most = held.total, network.users.total
    if total > most:
        shown = Asset(total, network.symbol)
        problems.add(
            "token.issue",
            f"users and producers get {shown}; the issue less the reserve is {Asset(most, network.symbol)}",
            f"issue at least {Asset(total + network.issue - most, network.symbol)}",
        )


def _ram(network: Network, held: Holdings, problems: Problems) -> RamMarket:
    """Buys RAM for one account after another at the contract's prices. Returns the market as it is then."""
    market = RamMarket.at_init(network.issue)
    registered = {name_to_int(producer.account) for producer in network.producers}
    sponsor = network.parties.sponsor
    other = name_to_int(sponsor.account) if sponsor else 0
    for place, name in enumerate(held.names):
        paid = parts_of(network, held[place]).ram if name == other else network.stake.ram
        bought, market = _buy(market, paid)
        needed = PRODUCER_RAM if name in registered else USER_RAM
        if bought < needed:
            problems.add(
                "stake.ram",
                f"{Asset(paid, network.symbol)} buys {held[place].account} {bought} bytes of RAM",
                f"raise it: {needed} bytes are needed",
            )
            return market
    reserve = network.issue - network.users.total
    if _buy(market, reserve)[0] < RESERVE_RAM:
        kept = Asset(reserve, network.symbol)
        problems.add(
            "token.reserve", f"{kept} does not buy eosio {RESERVE_RAM} bytes of RAM after everybody else", "raise it"
        )
    return market


def _sponsored(network: Network, market: RamMarket, problems: Problems) -> None:
    """The sponsor pays enough for each party's account, registration and vote, including the last party's."""
    sponsor = network.parties.sponsor
    if sponsor is None:
        return
    for key in ("net", "cpu"):
        if getattr(sponsor, key) == 0:
            problems.add(f"parties.{key}", "is zero", "a party without it cannot push any transaction")
    for number in range(sponsor.parties):
        bought, market = _buy(market, sponsor.ram)
        if bought < PRODUCER_RAM:
            paid = Asset(sponsor.ram, network.symbol)
            problems.add(
                "parties.ram",
                f"{paid} buys party {number + 1} {bought} bytes of RAM",
                f"{PRODUCER_RAM} bytes are needed",
            )
            return


def _buy(market: RamMarket, units: int) -> tuple[int, RamMarket]:
    try:
        return market.bytes_for(units)
    except AntelopeError:
        return 0, market


def _voters(network: Network, staked: Container[str], problems: Problems) -> None:
    """Voters and proxies must be accounts of this network."""
    for account in (*network.votes.proxies, *(vote.voter for vote in network.votes.written)):
        if account not in staked:
            problems.add("votes", f"{account} is not an account of this network")


def _votes(network: Network, held: Holdings, names: Sequence[str], known: bool, problems: Problems) -> list[str]:
    """Whether the planned votes reach the threshold and elect exactly the intended producers.

    known: whether users' names are known, which those in an accounts.json may not be.
    """
    if network.solo:
        return []
    registered = [producer.account for producer in network.producers]
    cast = election.ballots(network, names)
    stakes = staked(network, held, (*network.votes.proxies, *(vote.voter for vote in cast)))
    if known or network.users.source is not UserSource.ACCOUNTS_JSON:
        _voters(network, stakes, problems)
    outcome = election.count(cast, stakes, registered)
    if outcome.stake < MIN_ACTIVATED_STAKE:
        voting, needed = (Asset(units, network.symbol) for units in (outcome.stake, MIN_ACTIVATED_STAKE))
        short = f"stake of {voting} votes, and no election happens below {needed}"
        if network.users.source is UserSource.CSV:
            return [
                f"{short}: the boot will stop in phase voting until accounts whose keys are not held here have voted"
            ]
        problems.add("votes", short, "raise votes.voters or token.issue")
        return []
    if set(outcome.elected) != set(network.elected):
        others = ", ".join(sorted(set(outcome.elected) ^ set(network.elected)))
        problems.add(
            "votes", f"they do not elect exactly the {len(network.elected)} of producers.elected: {others} differ"
        )
    return []
