"""The one direction of imports that docs/architecture.md draws, held by reading every file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ALLOWED = {
    "antelope": set[str](),
    "inventory": {"antelope"},
    "boot": {"antelope", "inventory"},
    "support": set[str](),
    "protos": set[str](),
    "agent": {"antelope", "inventory", "boot", "support", "protos"},
    "coordinator": {"antelope", "inventory", "boot", "support", "protos"},
}
PURE = {"coordinator/executor.py": {"asyncio", "time", "grpc", "datetime", "socket", "sqlite3", "subprocess"}}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_packages_import_in_one_direction(package: str) -> None:
    """No package imports one that stands above or beside it."""
    ours = set(ALLOWED)
    for path in (ROOT / package).rglob("*.py"):
        wrong = (set(imported(path)) & ours) - ALLOWED[package] - {package}
        assert not wrong, f"{path.relative_to(ROOT)} imports {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("file", sorted(PURE))
def test_the_executor_knows_neither_clock_nor_network(file: str) -> None:
    """What decides is free of I/O."""
    assert not set(imported(ROOT / file)) & PURE[file]


@pytest.mark.parametrize("package", ["boot", "inventory"])
def test_the_description_of_a_boot_needs_no_event_loop(package: str) -> None:
    """Steps, plan and inventory are pure; only the audit reads, and it leaves transport to its reader."""
    for path in (ROOT / package).rglob("*.py"):
        if "audit" not in path.parts:
            assert not set(imported(path)) & {"asyncio", "grpc", "aiohttp", "socket", "subprocess"}, path
