"""Tests on real hosts: each gets the fixture `testbed`, and is skipped with the reason if none can be made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.living import Living, living
from tests.testbed.realhosts.client import Testbed
from tests.testbed.realhosts.settings import UNABLE, TestbedError

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder is marked `hosts`."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.hosts)


@pytest.fixture(scope="session")
def testbed() -> Iterator[Testbed]:
    """The machine's testbed; a test calls `testbed.up(n)` for as many hosts as it needs.

    One that is up already is used, and what was there before is left up; BOOTCOORD_KEEP_TESTBED leaves the rest too.
    """
    try:
        bed = Testbed.find()
    except TestbedError as error:
        if error.status != UNABLE:
            raise
        pytest.skip(str(error))
    yield bed
    if not os.environ.get("BOOTCOORD_KEEP_TESTBED"):
        bed.close()


@pytest.fixture(scope="module")
def net(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    """inventory/testnet.toml, booted on four machines that only one test file uses."""
    names = testbed.add(4)
    yield living(testbed, tmp_path_factory.mktemp("living"), list(names))  # a test may put another machine in its list
    testbed.remove(*names)
