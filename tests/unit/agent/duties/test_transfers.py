"""Random transfers that an agent makes: only between users whose keys it has, a bounded number, each once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.duties.transfers import Transfers
from agent.errors import DutyError, PushError
from agent.keys import KeyStore
from agent.pushes.pushing import Pushing
from agent.reports import Pushed
from boot.blueprint import Blueprint
from boot.step import Push
from protos import coordination_pb2 as pb
from support.journal import Journal
from support.retry import poll
from tests.unit.agent.duties.test_sponsorship import Nodes
from tests.unit.agent.party.conftest import sealed_network


class Made:
    """The duty, and what was pushed and reported."""

    def __init__(self, folder: Path) -> None:
        bundle = sealed_network(folder)
        self.blueprint = Blueprint(bundle.sealed, bundle.artifacts.__getitem__)
        self.keys = KeyStore(folder / "keys")
        self.pushed: list[Push] = []
        self.fails: set[str] = set()
        self.going: set[str] = set()
        """Those that are being pushed."""
        self.held: asyncio.Event | None = None
        """Pushes wait for it."""
        tools = SimpleNamespace(nodes=Nodes(), keys=self.keys, journal=Journal(folder / "journal.sqlite"))
        self.duty = Transfers(tools, SimpleNamespace(held=lambda: self.blueprint))  # type: ignore[arg-type]
        self.reports: list[pb.Progress] = []

    async def ask(self, count: int, rate: float = 1000.0, first: int = 0) -> None:
        """Asks for them."""
        body = pb.Transfer(seed=7, first=first, count=count, per_second=rate)
        await self.duty.transfer(body, self.reports.append)

    async def pushes(self, keys: set[str]) -> None:
        """Returns once exactly these are being pushed."""

        async def so() -> bool:
            return self.going == keys

        await poll(so, what="the pushes", deadline=10, every=0.01)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """With the keys of all users, of the sponsor, a proxy and a stranger; a pusher that only remembers."""
    made = Made(tmp_path)

    class Remembering:
        def __init__(self, node: Any, follower: Any, records: Any, key_of: Any, report: Any) -> None:
            self._report = report

        async def run(self, step: Any, work: Sequence[Push]) -> None:
            for push in work:
                if push.key in made.fails:
                    raise PushError(f"{push.key}: no CPU left")
                assert push.key not in made.going
                made.going.add(push.key)
                if made.held:
                    await made.held.wait()
                made.going.discard(push.key)
                made.pushed.append(push)
                self._report([Pushed(push.key, "ab", 5)])

    @asynccontextmanager
    async def following(self: Pushing, node: Any, step: Any) -> AsyncIterator[None]:
        yield None

    monkeypatch.setattr("agent.duties.transfers.Pusher", Remembering)
    monkeypatch.setattr(Pushing, "following", following)
    rows = [made.blueprint.rows.account(number) for number in range(len(made.blueprint.rows))]
    producers = [one.account for one in made.blueprint.sealed.producers]
    made.keys.make([*rows, "sponsor", "stranger1111"], producers)
    return made


async def test_transfers_are_between_users_of_the_allocation(made: Made) -> None:
    """Neither producers nor the sponsor, a proxy or an account that the seal does not know; all are reported."""
    await made.ask(200)
    assert len({push.key for push in made.pushed}) == 200
    producers = {one.account for one in made.blueprint.sealed.producers}
    holders = {push.holder for push in made.pushed}
    assert holders
    assert not holders & {*producers, "sponsor", "stranger1111", *made.blueprint.sealed.proxies}
    assert {push.actions[0].name for push in made.pushed} == {"transfer"}
    assert made.reports[-1].done == made.reports[-1].total == 200


@pytest.mark.parametrize(
    ("count", "rate"), [(0, 10.0), (302, 10.0), (10, 0.0), (10, 1001.0), (10, float("nan")), (2**32 - 1, 1000.0)]
)
async def test_what_is_too_much_is_refused(made: Made, count: int, rate: float) -> None:
    """More than thirty seconds, or an impossible rate."""
    with pytest.raises(DutyError, match="refused: 30 s of transfers at once"):
        await made.ask(count, rate)
    assert made.pushed == []


async def test_one_that_fails_does_not_keep_others(made: Made) -> None:
    """Those of other moments are made; the reason is told at the end."""
    made.fails = {"7/3"}
    with pytest.raises(PushError, match="7/3: no CPU left"):
        await made.ask(600)
    assert {"7/0", "7/250", "7/599"} <= {push.key for push in made.pushed}


async def test_two_tasks_never_make_the_same_transfer_at_once(made: Made) -> None:
    """A command that was ended is given again while the agent still works for the first: the second one waits for what
    they share, and finds it made; what the first is not asked for goes on.
    """
    made.held = asyncio.Event()
    first = asyncio.create_task(made.ask(4))
    await made.pushes({"7/0"})
    second = asyncio.create_task(made.ask(4))
    other = asyncio.create_task(made.ask(4, first=10))
    await made.pushes({"7/0", "7/10"})
    made.held.set()
    await asyncio.gather(first, second, other)
    assert len(made.pushed) == 12
    made.held = asyncio.Event()
    cancelled = asyncio.create_task(made.ask(4))
    await made.pushes({"7/0"})
    cancelled.cancel()
    await asyncio.wait([cancelled])
    made.held, made.going = None, set()
    await asyncio.wait_for(made.ask(4), 10)


async def test_a_host_without_users_keys_says_so(tmp_path: Path) -> None:
    """Of a CSV of other people's accounts."""
    made = Made(tmp_path)
    with pytest.raises(DutyError, match="the keys of fewer than two accounts of the allocation"):
        await made.ask(1)
