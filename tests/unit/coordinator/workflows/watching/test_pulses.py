"""What other terminals see of a boot, and that they see the network itself once the boot is over."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from coordinator.report.pulse import Pulse
from coordinator.web import chain_reader
from coordinator.workflows.watching import pulses
from coordinator.workflows.watching.pulses import Pulses
from support.tasks import end
from tests.unit.coordinator.report.test_pulse import PULSE


async def test_there_is_no_pulse_after_the_boot(monkeypatch: pytest.MonkeyPatch) -> None:
    """A coordinator that serves on shows no step and no clock; a look under way at the end is not shown."""
    looking, may_answer = asyncio.Event(), asyncio.Event()
    may_answer.set()
    shown: list[Pulse] = []

    class Reader:
        def __init__(self, opened: object) -> None: ...

        async def look(self) -> object:
            looking.set()
            await may_answer.wait()
            return object()

    class Plan:
        steps = ()

    monkeypatch.setattr(pulses, "EVERY_SECONDS", 0.01)
    monkeypatch.setattr(chain_reader, "PageChainReader", Reader)
    monkeypatch.setattr(Pulses, "_pulse", lambda self, seen: PULSE)
    told = asyncio.Event()

    def show(pulse: Pulse) -> None:
        shown.append(pulse)
        told.set()

    kept = Pulses(cast(Any, None), cast(Any, Plan()), cast(Any, None), show)
    running = asyncio.create_task(kept.run())
    try:
        await asyncio.wait_for(told.wait(), 10)
        during = kept.latest
        may_answer.clear()
        looking.clear()
        await asyncio.wait_for(looking.wait(), 10)
        before = len(shown)
        kept.end()
        may_answer.set()
        await asyncio.wait_for(running, 10)
        assert (during, kept.latest, len(shown)) == (PULSE, None, before)
    finally:
        await end(running)
