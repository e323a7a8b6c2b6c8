"""Parties in wait_for: which ones the boot waits for, and how long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from coordinator.errors import OperationFailed
from coordinator.parties.awaiting import await_parties
from coordinator.parties.invite_store import Invites
from coordinator.parties.open_network import OpenNetwork
from coordinator.parties.store import PartyStore, Standing
from coordinator.reporter import StepResult
from coordinator.state.folder import StateFolder
from tests.unit.clock import played
from tests.unit.coordinator.engine.stage import Heard
from tests.unit.coordinator.parties.conftest import account_of, private

ALICE, BOB = account_of("alice"), account_of("bob")


class Waiting:
    """A network that waits for two parties."""

    def __init__(self, folder: Path) -> None:
        self.state = StateFolder(folder, "net")
        self.store = PartyStore(self.state.journal)
        self.links: dict[str, SimpleNamespace] = {}
        self.heard = Heard()
        rules = SimpleNamespace(wait_for=(ALICE, BOB), wait_seconds=90)
        self.opened = SimpleNamespace(
            network=SimpleNamespace(parties=rules, source=Path("net.toml")), parties=self.store,
            hub=SimpleNamespace(links=self.links), state=self.state,
        )  # fmt: skip

    def comes(self, name: str) -> None:
        """Registers, and is connected."""
        self.store.joined(name, account_of(name))
        keys = [str(private(f"{kind} {name}").public) for kind in ("account", "signing")]
        self.store.accepted(name, keys[0], keys[1], "8.8.8.8:9876", "v5", "")
        self.links[name] = SimpleNamespace(connected=True)

    def waited(self) -> tuple[set[str], float]:
        """Who is there at its end, and after how many seconds."""
        found, seconds = played(await_parties(cast(OpenNetwork, self.opened), self.heard))
        return set(found), seconds


INVITE = "not invited yet; run: coord invite INVENTORY NAME --account"


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[Waiting]:
    """Nobody came yet."""
    waiting = Waiting(tmp_path)
    yield waiting
    waiting.state.close()


def test_those_who_are_there_are_not_waited_for(waiting: Waiting) -> None:
    """At once, without a word."""
    waiting.comes("alice")
    waiting.comes("bob")
    assert waiting.waited() == ({ALICE, BOB}, 0.0)
    assert waiting.heard.ends == []


def test_who_is_missing_is_said_with_the_reason(waiting: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not invited, invited, refused, away: whatever can be done about each; the last one ends the wait."""
    moved = waiting.heard.moved

    def both() -> None:
        waiting.comes("alice")
        waiting.comes("bob")

    steps: Iterator[Callable[[], object]] = iter(
        (
            lambda: Invites(waiting.state.journal).add("ff", "bob", BOB, time.time() + 999),
            lambda: waiting.store.joined("alice", ALICE),
            lambda: waiting.store.advanced("alice", Standing.REFUSED, "its port is closed"),
            lambda: waiting.comes("alice"),
            lambda: setattr(waiting.links["alice"], "connected", False),
            both,
        )
    )

    def goes_on(step: str, done: int, total: int, detail: str) -> None:
        moved(step, done, total, detail)
        next(steps, lambda: None)()

    monkeypatch.setattr(waiting.heard, "moved", goes_on)
    assert waiting.waited()[0] == {ALICE, BOB}
    said = [detail.rpartition(" (")[0] for detail in waiting.heard.details]
    assert said[0] == "; ".join(f"{one}: {INVITE} {one}" for one in (ALICE, BOB))
    assert said[1].endswith(f"{BOB}: invited")
    assert said[2].startswith(f"{ALICE}: joined; ")
    assert said[3].startswith(f"{ALICE}: refused: its port is closed; ")
    assert said[4] == f"{BOB}: invited"
    assert said[5].startswith(f"{ALICE}: its agent is away; ")
    assert waiting.heard.results == {"parties": StepResult.DONE}


def test_a_wait_that_was_for_nothing(waiting: Waiting) -> None:
    """After the inventory's seconds it ends, with who is missing and what to do."""
    waiting.comes("alice")
    with pytest.raises(OperationFailed) as failed:
        waiting.waited()
    text = str(failed.value)
    assert f"not all parties came within 90 s: {BOB}: {INVITE} {BOB}" in text
    assert "parties.wait_for in net.toml" in text
    assert waiting.heard.results == {"parties": StepResult.FAILED}
