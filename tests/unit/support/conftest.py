"""Processes that tests start, and helpers that wait for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support import processes
from support.processes import Process


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Starts detached processes that are gone after the test."""
    begun: list[Process] = []

    def start(*command: str) -> Process:
        begun.append(processes.start(command, output=tmp_path / "output", folder=tmp_path))
        return begun[-1]

    yield start
    for process in begun:
        processes.kill(process)
