"""The booted chain that the audit is tried on: the steps' own live test drives it there."""

from __future__ import annotations

from pathlib import Path

import pytest

from antelope.keys import PrivateKey
from tests.live.boot.conftest import LiveNode, Start, contracts_folder, nodeos
from tests.live.boot.conftest import start as start_plain
from tests.live.boot.test_sequence import driver

__all__ = ["contracts_folder", "driver", "nodeos", "start_plain"]


@pytest.fixture
def start(start_plain: Start) -> Start:
    """As agents start nodes: on a busy machine the default of 15 ms makes nodeos end itself (boot.audit.chain)."""

    def start_patient(
        name: str, genesis: Path, key: PrivateKey | None = None, producer: str = "", flags: tuple[str, ...] = ()
    ) -> LiveNode:
        return start_plain(name, genesis, key, producer, (*flags, "--abi-serializer-max-time-ms", "2000"))

    return start_patient
