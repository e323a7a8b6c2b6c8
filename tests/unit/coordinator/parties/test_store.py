"""The table of parties: what is read again after a write, and how much work that is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from coordinator.parties import store as module
from coordinator.parties.store import Party, PartyStore, Standing
from support.journal import Journal

MANY = 300


class Counted:
    """The table, and how many rows were made into parties."""

    def __init__(self, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store = PartyStore(journal)
        self.rows = 0
        make = module._party

        def counting(row: tuple[str, str, str, str, str, str, str, str, str, float, str, str]) -> Party:
            self.rows += 1
            return make(row)

        monkeypatch.setattr(module, "_party", counting)

    def standing(self, name: str) -> Standing:
        """As `parties` has it."""
        return next(party.state for party in self.store.parties() if party.name == name)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Of a network."""
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


@pytest.fixture
def counted(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Many parties, all of them read."""
    counted = Counted(journal, monkeypatch)
    with journal.transaction():
        for number in range(MANY):
            counted.store.joined(f"p{number}", f"account{number}")
    assert len(counted.store.parties()) == MANY
    counted.rows = 0
    return counted


def test_a_change_reads_one_row_however_many_parties_there_are(counted: Counted) -> None:
    """Also a newcomer's; and without a change nothing is read, and the tuple stays the same object."""
    counted.store.stands("p7", Standing.REVOKED, "by the operator")
    assert counted.standing("p7") is Standing.REVOKED
    counted.store.joined("late", "latecomer")
    assert counted.store.parties()[-1].name == "late"
    assert counted.rows == 2
    assert counted.store.parties() is counted.store.parties()
    assert counted.rows == 2


def test_what_another_process_writes_is_read(counted: Counted, journal: Journal) -> None:
    """`coord revoke` has its own connection; so may another part of this process have its own store."""
    other = Journal(journal.path)
    PartyStore(other).stands("p3", Standing.REVOKED, "by the operator")
    assert counted.standing("p3") is Standing.REVOKED
    PartyStore(journal).stands("p4", Standing.LEFT, "bye")
    counted.store.stands("p5", Standing.LEFT, "bye")
    assert (counted.standing("p4"), counted.standing("p5")) == (Standing.LEFT, Standing.LEFT)
    other.close()


def test_what_is_undone_was_never_there(counted: Counted) -> None:
    """A transaction that fails after its writes were read leaves the rows as they were before."""
    with contextlib.suppress(RuntimeError), counted.store.together():
        counted.store.stands("p3", Standing.LEFT, "bye")
        assert counted.standing("p3") is Standing.LEFT
        raise RuntimeError
    assert counted.standing("p3") is Standing.JOINED


def test_each_change_is_told_once(counted: Counted) -> None:
    """All parties at first, then only those that changed; a write of the same values counts as no change."""
    since, first = counted.store.changed(0)
    assert len(first) == MANY
    assert counted.store.changed(since) == (since, ())
    counted.store.stands("p9", Standing.JOINED, "")
    assert counted.store.changed(since) == (since, ())
    counted.store.stands("p9", Standing.LEFT, "bye")
    counted.store.linked("p2", ("genesis",))
    later, changed = counted.store.changed(since)
    assert {party.name: party.neighbours for party in changed} == {"p9": (), "p2": ("genesis",)}
    assert counted.store.changed(later) == (later, ())
    assert {party.name for party in counted.store.changed(since)[1]} == {"p9", "p2"}


def test_rivals_are_those_with_the_same_account_endpoint_or_key(counted: Counted) -> None:
    """Only they are read, and neither the party itself nor those that were revoked."""
    store = counted.store
    for name, key, endpoint in (("p1", "EOSa", "8.8.8.8:1"), ("p2", "EOSb", "8.8.8.8:2"), ("p3", "EOSa", "8.8.8.8:3")):
        store.accepted(name, key, f"{key}s", endpoint, "v5", "")
    store.stands("p3", Standing.REVOKED, "by the operator")
    counted.rows = 0

    def names(account: str = "", endpoint: str = "", key: str = "") -> list[str]:
        return [party.name for party in store.rivals("p0", account, (endpoint, "1.1.1.1:1"), (key, "EOSnone"))]

    assert names(account="account5") == ["p5"]
    assert names(endpoint="8.8.8.8:2") == ["p2"]
    assert names(key="EOSa") == names(key="EOSas") == ["p1"]
    assert names(account="account0") == []
    assert counted.rows == 4
