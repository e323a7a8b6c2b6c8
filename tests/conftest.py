"""Tiers by folder, and the real nodeos that live tests drive."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import hypothesis
import pytest

from support import bundled

ROOT = Path(__file__).parent
TIERS = {"live": pytest.mark.live, "hosts": pytest.mark.hosts}
NODEOS = "BOOTCOORD_NODEOS"
"""Environment variable: the binary under test; the bundled one unless it is set."""


def pytest_configure() -> None:
    """Makes Ctrl-C reach what tests start, even if a shell started pytest in the background, where SIGINT is ignored.

    Hypothesis sets no deadline for one example: on a busy machine any of them may take longer.
    """
    hypothesis.settings.register_profile("busy", deadline=None)
    hypothesis.settings.load_profile("busy")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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
