"""A coordinator serves until a signal ends it, or another command wants to work."""

from __future__ import annotations

import signal

from coordinator.errors import OperationFailed
from coordinator.workflows.opening.aside import ASK, Aside
from coordinator.workflows.serving.serve import until_stopped
from support.retry import poll
from support.tasks import beside


def _end(number: int, frame: object) -> None:
    """What `coord` does at a signal while it does not serve."""


async def test_signals_work_as_before_while_it_steps_aside() -> None:
    """Ctrl-C and SIGTERM then end `coord` as any other command."""
    usual = {number: signal.signal(number, _end) for number in (signal.SIGTERM, signal.SIGINT)}
    aside = Aside()

    async def asked() -> bool:
        try:
            await aside.while_at_work({})[ASK]({"who": "boot"})
        except OperationFailed:  # it does not serve yet
            return False
        return True

    async def ask() -> None:
        await poll(asked, what="it to serve", deadline=10, every=0.01)

    try:
        async with beside(ask()):
            assert await until_stopped(aside)
        assert [signal.getsignal(number) for number in usual] == [_end, _end]
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
