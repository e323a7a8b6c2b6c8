"""When a boot's pulse is measured, what that asks of nodes, and that others see the network once the boot is over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from antelope.errors import NodeError
from boot.step import Query
from coordinator.report.pulse import Pulse
from coordinator.report.tracking import AtWork
from coordinator.web import glance
from coordinator.workflows.watching import pulses
from coordinator.workflows.watching.pulses import Pulses, pulsing
from support.tasks import end
from tests.unit.coordinator.report.test_pulse import PULSE

PLAN = cast(Any, SimpleNamespace(steps=()))


@dataclass
class Asked:
    """A network of one node, which answers and remembers what it was asked."""

    paths: list[str] = field(default_factory=list)
    broken: bool = False

    async def ask(self, query: Query) -> Any:
        """As nodeos."""
        self.paths.append(query.path.rpartition("/")[2])
        if self.broken:
            raise NodeError(500, None, "", "broken")
        if query.path.endswith("get_info"):
            return {"head_block_num": 9, "last_irreversible_block_num": 7}
        return {"active": {"producers": [{"producer_name": "eosio"}]}, "pending": None, "proposed": None}

    def opened(self) -> Any:
        """It, opened."""
        node = SimpleNamespace(name="n1", host="one", party=False)
        access = SimpleNamespace(running=lambda node: True, status=lambda node: None, ask=self.ask)
        return SimpleNamespace(
            network=SimpleNamespace(nodes=(node,), elected=("a",)),
            access=access,
            state=SimpleNamespace(sealed=None),
            parties=SimpleNamespace(parties=lambda: ()),
        )


async def test_a_boot_that_nobody_watches_is_not_measured() -> None:
    """Without a terminal nothing runs beside the boot and no node is asked, until another terminal asks."""
    chain, before = Asked(), asyncio.all_tasks()
    async with pulsing(chain.opened(), PLAN, AtWork(), None) as kept:
        assert asyncio.all_tasks() == before
        assert chain.paths == []
        found = await kept.now()
        assert found is not None
        assert (found.head, found.lib, found.schedule) == (9, 7, ("eosio",))


async def test_a_pulse_costs_two_calls_and_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """No blocks are read for it, and terminals that ask within the same second get the same one."""
    chain = Asked()
    monkeypatch.setattr(pulses, "EVERY_SECONDS", 3600.0)
    kept = Pulses(chain.opened(), PLAN, AtWork())
    first, second = await asyncio.gather(kept.now(), kept.now())
    assert first is second is await kept.now()
    assert chain.paths == ["get_info", "get_producer_schedule"]


async def test_a_node_that_fails_leaves_the_boot_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pulse then has no head, and is measured again at the next look."""
    chain = Asked(broken=True)
    monkeypatch.setattr(pulses, "EVERY_SECONDS", 0.0)
    kept = Pulses(chain.opened(), PLAN, AtWork())
    found = await kept.now()
    assert found is not None
    assert found.head == 0
    chain.broken = False
    found = await kept.now()
    assert found is not None
    assert found.head == 9


async def test_there_is_no_pulse_after_the_boot(monkeypatch: pytest.MonkeyPatch) -> None:
    """A coordinator that serves on shows no step and no clock; a look under way at the end is not shown."""
    looking, may_answer, shown = asyncio.Event(), asyncio.Event(), _Shown()
    may_answer.set()
    monkeypatch.setattr(pulses, "EVERY_SECONDS", 0.01)

    class Reader:
        def __init__(self, opened: object) -> None: ...

        async def look(self) -> object:
            looking.set()
            await may_answer.wait()
            return object()

    monkeypatch.setattr(glance, "GlanceReader", Reader)
    monkeypatch.setattr(Pulses, "_pulse", lambda self, seen: PULSE)
    kept = Pulses(cast(Any, None), PLAN, AtWork())
    running = asyncio.create_task(kept.run(shown))
    try:
        await _within(shown.told.wait)
        assert await kept.now() == PULSE
        may_answer.clear()
        looking.clear()
        await _within(looking.wait)
        before = shown.count
        kept.end()
        may_answer.set()
        await asyncio.wait_for(running, 10)
        assert (await kept.now(), shown.count) == (None, before)
    finally:
        await end(running)


class _Shown:
    """Counts pulses that are shown."""

    def __init__(self) -> None:
        self.count, self.told = 0, asyncio.Event()

    def __call__(self, pulse: Pulse) -> None:
        self.count += 1
        self.told.set()


async def _within(wait: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(10):
        await wait()
