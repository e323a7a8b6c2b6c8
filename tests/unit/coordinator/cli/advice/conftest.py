"""Machines on which commands advise something."""

from __future__ import annotations

import pytest

from coordinator.cli.main import run
from tests.unit.coordinator.cli.advice.advised import Said
from tests.unit.coordinator.home import Home


@pytest.fixture
def home(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A machine whose boots end with the genesis node: its chain goes no further."""
    from coordinator.cli import boot

    select = boot.select
    monkeypatch.setattr(boot, "select", lambda network, until, only: select(network, until or "genesis", only))
    return home


@pytest.fixture
def booted(home: Home, said: Said) -> Home:
    """The genesis node runs, and signs alone."""
    assert run(["boot", "home.toml"]) == 0
    said.readouterr()
    return home


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts whose agents are away are not waited for long."""
    for module in ("boot", "changing.acting", "watching.auditing", "recovering.adopt", "replacing"):
        monkeypatch.setattr(f"coordinator.workflows.{module}.DIAL_SECONDS", 5.0)
    monkeypatch.setattr("coordinator.workflows.replacing.DIAL_AGAIN_SECONDS", 5.0)
