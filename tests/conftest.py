"""Tiers by folder, and the real nodeos that live tests drive."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from support import bundled

ROOT = Path(__file__).parent
TIERS = {"live": pytest.mark.live, "hosts": pytest.mark.hosts}
NODEOS = "BOOTCOORD_NODEOS"
"""Environment variable: the binary under test; the bundled one unless it is set."""


def pytest_configure() -> None:
    """Ctrl-C reaches what tests start, also when a shell started this in its background, where SIGINT is ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class SideBySide(LoadFileScheduling):  # type: ignore[misc]  # xdist ships no types
    """What runs side by side (pytest -n): files, as their networks are their own; but one testbed has all the hosts."""

    def _split_scope(self, nodeid: str) -> str:
        return "hosts" if nodeid.startswith("tests/hosts/") else nodeid.split("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SideBySide:
    """xdist's own way to say it, --dist loadgroup, puts no two tests together with pytest 9.2 and xdist 3.8."""
    return SideBySide(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks each test with its tier, and fetches nodeos once where a live one was collected."""
    live = False
    for item in items:
        tier = item.path.relative_to(ROOT).parts[0]
        if tier in TIERS:
            item.add_marker(TIERS[tier])
        live = live or tier == "live"
    if live and NODEOS not in os.environ:
        os.environ[NODEOS] = str(bundled.fetch().binary)
