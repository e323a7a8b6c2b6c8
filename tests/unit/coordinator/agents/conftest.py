"""An acting hub for the tests of connections."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from coordinator.agents.hub import Hub
from tests.unit.coordinator.fakes import open_hub


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    """An acting hub on a free port."""
    async with open_hub(tmp_path / "state") as hub:
        yield hub
