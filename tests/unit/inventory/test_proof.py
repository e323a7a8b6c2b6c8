"""The proof of a plan, beyond the mistakes that `load` reports."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from antelope.elections import MIN_ACTIVATED_STAKE
from antelope.ram import RamMarket
from inventory import election
from inventory.allocation import allocate, holdings, user_names
from inventory.election import count
from inventory.planned import PlannedVote
from inventory.proof import PRODUCER_RAM, USER_RAM, prove
from tests.unit.inventory.material import Load, key


def test_sum(network: Load) -> None:
    """Generated users and producers get the issue less the reserve, to the unit, and the rows take exactly that."""
    found = network("[users]\ncount = 500\n[producers]\ncount = 30\nelected = 21")
    held = holdings(found)
    rows = allocate(found, held, {holding.account: key("same") for holding in held})
    assert sum(row.total for row in rows) == sum(holding.balance for holding in held) == found.issue - 10**10
    assert (rows[0].account, rows[-1].account) == ("useraaaaaaaa", "defproducead")
    assert all(row.ram + row.net + row.cpu + row.liquid == row.total for row in rows)
    assert min(holding.balance for holding in held[-30:]) >= 1000_0000


def least_ram(issue: int) -> int:
    """The smallest payment that buys the first account a producer's bytes."""
    market = RamMarket.at_init(issue)
    return next(units for units in range(2, 10**6) if market.bytes_for(units)[0] >= PRODUCER_RAM)


def test_ram_boundary(network: Load) -> None:
    """The least payment that buys everybody's bytes passes, and a unit less does not."""
    lone = network(
        '[users]\ncount = 0\n[producers]\ncount = 1\n[[votes.vote]]\nvoter = "defproducera"\n'
        'producers = ["defproducera"]'
    )
    least = least_ram(lone.issue)
    assert prove(replace(lone, stake=replace(lone.stake, ram=least))).problems == ()
    short = prove(replace(lone, stake=replace(lone.stake, ram=least - 1)))
    assert [problem.path for problem in short.problems] == ["stake.ram"]


def test_ram_gets_dearer(network: Load) -> None:
    """Each purchase raises the price: a payment that suffices for ten accounts does not for 30,000."""
    few = network("[users]\ncount = 10\n[producers]\ncount = 1")
    tight = replace(few, stake=replace(few.stake, ram=least_ram(few.issue) + 1))
    assert prove(tight).problems == ()
    many = replace(tight, users=replace(tight.users, count=30_000))
    assert "buys defproducera 49" in prove(many).problems[0].message


def test_users_need_less(network: Load) -> None:
    """Users need only a user's bytes, not a producer's."""
    found = network("")
    market = RamMarket.at_init(found.issue)
    ram = next(units for units in range(2, 10**6) if market.bytes_for(units)[0] >= USER_RAM)
    short = prove(replace(found, stake=replace(found.stake, ram=ram - 1))).problems[0]
    enough = prove(replace(found, stake=replace(found.stake, ram=ram + 5))).problems[0]
    assert (short.message.split()[3], enough.message.split()[3]) == ("useraaaaaaaa", "defproducera")


def test_threshold(network: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Voting stake that exactly meets the threshold suffices, and a unit less does not."""
    assert MIN_ACTIVATED_STAKE == 150_000_000_0000
    found = network("")
    staked = {row.account: row.cpu + row.net for row in allocate(found, holdings(found), defaultdict(lambda: key("k")))}
    stake = count(election.ballots(found), staked, found.elected).stake
    monkeypatch.setattr("inventory.proof.MIN_ACTIVATED_STAKE", stake)
    assert prove(found).problems == ()
    monkeypatch.setattr("inventory.proof.MIN_ACTIVATED_STAKE", stake + 1)
    assert [problem.path for problem in prove(found).problems] == ["votes"]


def test_csv_ends_in_voting(network: Load, tmp_path: Path) -> None:
    """Stake that nobody here can vote is a note, not an error."""
    (tmp_path / "u.csv").write_text(f"alice,{key('a')},900000000.0000\n")
    proof = prove(network('[users]\ncsv = "u.csv"'))
    assert proof.problems == ()
    assert "phase voting" in proof.notes[0]


def test_count() -> None:
    """Votes count by stake, those through a proxy with the proxy's; ties go by name value; 21 at most win."""
    producers = [f"p{letter}" for letter in "zyxwvutsrqponmlkjihgfedcba"]
    votes = (
        PlannedVote("rich", ("pz", "py")),
        PlannedVote("poor", tuple(producers)),
        PlannedVote("proxy", ("px",)),
        PlannedVote("follower", proxy="proxy"),
        PlannedVote("nobody", ("pw",)),
    )
    outcome = count(votes, {"rich": 100, "poor": 1, "proxy": 2, "follower": 200}, producers)
    assert outcome.stake == 303
    assert outcome.elected[:5] == ("px", "py", "pz", "pa", "pb")
    assert len(outcome.elected) == 21


def test_ballots(network: Load) -> None:
    """The richest vote, proxies too, the next ones through the proxy; a written vote overrules the drawn one."""
    text = """
    [users]
    count = 20
    [producers]
    count = 2
    [votes]
    voters = 3
    proxied = 2
    [[votes.vote]]
    voter = "useraaaaaaab"
    producers = ["defproducerb", "defproducera"]
    """
    votes = {vote.voter: vote for vote in election.ballots(network(text))}
    both = ("defproducera", "defproducerb")
    assert {voter: vote.producers or vote.proxy for voter, vote in votes.items()} == {
        "useraaaaaaaa": both,
        "useraaaaaaab": both,
        "useraaaaaaac": both,
        "defproducera": both,
        "useraaaaaaad": "defproducera",
        "useraaaaaaae": "defproducera",
    }


def test_imported(network: Load, tmp_path: Path) -> None:
    """With an accounts.json the plan is proved when its names are known; before, as far as its count goes."""
    (tmp_path / "a.json").touch()
    unknown = network('[users]\naccounts_json = "a.json"')
    assert "will be known when" in prove(unknown).notes[0]
    names = tuple(f"kim{letter}" for letter in "abcdefghijklmnop")
    assert prove(unknown, names).problems == ()
    assert user_names(network('[users]\naccounts_json = "a.json"\ncount = 12'), names) == names[:12]
    text = '[users]\naccounts_json = "a.json"\n[[votes.vote]]\nvoter = "lee"\nproducers = ["defproducera"]'
    assert "lee is not an account of this network" in str(prove(network(text), names).problems[0])


def test_too_many_accounts_are_reported_before_the_seal(network: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """More accounts than fit the file that agents fetch: the plan says how many there are, and how many can be."""
    found = network("[users]\ncount = 12\n[producers]\ncount = 3")
    monkeypatch.setattr("inventory.rows.MOST_ROWS", 15)
    assert prove(found).problems == ()
    monkeypatch.setattr("inventory.rows.MOST_ROWS", 14)
    (problem,) = prove(found).problems
    assert str(problem) == "users: 15 accounts do not fit an allocation: 14 do, in 256 MiB"
