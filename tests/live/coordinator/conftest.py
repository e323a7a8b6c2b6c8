"""Networks that end with their tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live.coordinator.network import Network

MakeNetwork = Callable[[str], Network]


@contextmanager
def _networks(folder: Path) -> Iterator[MakeNetwork]:
    made: list[Network] = []

    def make(name: str) -> Network:
        made.append(Network(folder, name))
        return made[-1]

    yield make
    for network in made:
        network.down()


@pytest.fixture
def make_network(tmp_path: Path) -> Iterator[MakeNetwork]:
    """Networks of one test."""
    with _networks(tmp_path) as make:
        yield make


@pytest.fixture(scope="module")
def make_shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeNetwork]:
    """Networks of one file of tests."""
    with _networks(tmp_path_factory.mktemp("networks")) as make:
        yield make
