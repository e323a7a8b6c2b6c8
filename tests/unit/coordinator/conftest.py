"""What every test of the coordinator begins with."""

from __future__ import annotations

import pytest

from coordinator import advising


@pytest.fixture(autouse=True)
def _no_command_was_called() -> None:
    """Advice is written as for a program that calls the coordinator: another test's command is forgotten."""
    advising.ended()
