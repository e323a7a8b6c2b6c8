"""Networks that end with their tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.coordinator.network import MakeNetwork, networks_below


@pytest.fixture
def make_network(tmp_path: Path) -> Iterator[MakeNetwork]:
    """Networks of one test."""
    with networks_below(tmp_path) as make:
        yield make


@pytest.fixture(scope="module")
def make_shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeNetwork]:
    """Networks of one file of tests."""
    with networks_below(tmp_path_factory.mktemp("networks")) as make:
        yield make
