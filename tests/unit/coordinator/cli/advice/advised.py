"""Typing what a message advises."""

from __future__ import annotations

import shlex

import pytest

from coordinator.cli.main import run

Said = pytest.CaptureFixture[str]
PARTY = ["alice", "--account", "alice1111111"]


def refused(said: Said, *words: str) -> str:
    """What a command prints that does not do what it was to."""
    said.readouterr()
    assert run(list(words)) in (1, 2)
    return said.readouterr().err


def helps(told: str, command: str, said: Said) -> str:
    """Types a command that was advised. Returns what it prints; it must end well."""
    assert f"coord {command}" in told
    said.readouterr()
    assert run(shlex.split(command)) == 0, said.readouterr().err
    return said.readouterr().out
