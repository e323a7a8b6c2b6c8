"""The one direction of imports that docs/architecture.md draws, held by reading every file."""

from __future__ import annotations

import ast
import graphlib
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
    "bootcoord": {"antelope", "inventory", "boot", "support", "coordinator"},
}
ROOMS = {
    "state": set[str](),
    "agents": {"state"},
    "engine": {"agents", "state"},
    "hosts": {"agents", "state"},
    "parties": {"engine", "agents", "state"},
    "report": {"parties", "engine", "hosts", "agents", "state"},
    "web": {"report", "parties", "engine", "state"},
    "workflows": {"web", "report", "parties", "engine", "hosts", "agents", "state"},
    "cli": {"workflows", "web", "report", "parties", "engine", "hosts", "agents", "state"},
}
"""The coordinator's rooms, and the rooms that each may import from. All may import COMMON."""
WORKFLOWS = {
    "opening": set[str](),
    "starting": {"opening"},
    "changing": {"starting", "opening"},
    "watching": {"changing", "opening"},
    "using": {"changing", "starting", "opening"},
    "recovering": {"opening"},
    "serving": {"watching", "changing", "using", "opening"},
}
"""The rooms of workflows/, and those that each may import from. The stories beside them import any; no room a story."""
STORIES = {"boot", "devnet", "down", "replacing", "transferring"}
COMMON = {"advising", "errors", "given_files", "reporter"}
PURE = {"coordinator/engine/executor.py": {"asyncio", "time", "grpc", "datetime", "socket", "sqlite3", "subprocess"}}


def modules(path: Path) -> Iterator[str]:
    """The names of whatever a file imports, each with the module that it is imported from."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported(path: Path) -> set[str]:
    """The top-level packages that a file imports from."""
    return {name.partition(".")[0] for name in modules(path)}


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_packages_import_in_one_direction(package: str) -> None:
    """No package imports one that stands above or beside it."""
    ours = set(ALLOWED)
    for path in (ROOT / package).rglob("*.py"):
        wrong = (imported(path) & ours) - ALLOWED[package] - {package}
        assert not wrong, f"{path.relative_to(ROOT)} imports {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_the_coordinators_rooms_import_in_one_direction(room: str) -> None:
    """A room imports the rooms below it, and no file of the coordinator's stands outside a room but the common ones."""
    folder = ROOT / "coordinator"
    outside = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert outside == COMMON
    assert {path.name for path in folder.iterdir() if path.is_dir() and path.name != "__pycache__"} == set(ROOMS)
    for path in (folder / room).rglob("*.py"):
        rooms = {name.split(".")[1] for name in modules(path) if name.startswith("coordinator.")}
        wrong = rooms - ROOMS[room] - {room} - COMMON
        assert not wrong, f"{path.relative_to(ROOT)} imports {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("room", sorted(WORKFLOWS))
def test_the_rooms_of_workflows_import_in_one_direction(room: str) -> None:
    """A room imports the rooms below it and no story; what is in no room is a story."""
    folder = ROOT / "coordinator" / "workflows"
    assert {path.stem for path in folder.glob("*.py")} - {"__init__"} == STORIES
    assert {path.name for path in folder.iterdir() if path.is_dir() and path.name != "__pycache__"} == set(WORKFLOWS)
    for path in (folder / room).rglob("*.py"):
        names = {name.split(".")[2] for name in modules(path) if name.startswith("coordinator.workflows.")}
        wrong = names - WORKFLOWS[room] - {room}
        assert not wrong, f"{path.relative_to(ROOT)} imports {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("file", sorted(PURE))
def test_the_executor_knows_neither_clock_nor_network(file: str) -> None:
    """What decides is free of I/O."""
    assert not imported(ROOT / file) & PURE[file]


@pytest.mark.parametrize("package", ["boot", "inventory"])
def test_the_description_of_a_boot_needs_no_event_loop(package: str) -> None:
    """Steps, plan and inventory are pure; only the audit reads, and it leaves transport to its reader."""
    for path in (ROOT / package).rglob("*.py"):
        if "audit" not in path.parts:
            assert not imported(path) & {"asyncio", "grpc", "aiohttp", "socket", "subprocess"}, path


def test_the_audit_shares_no_code_with_the_boot() -> None:
    """What judges a chain is written apart from what booted it, so that no mistake of a step is made twice."""
    own = ("boot.audit.", "boot.blueprint.", "boot.errors.")
    for path in (ROOT / "boot" / "audit").rglob("*.py"):
        shared = [name for name in modules(path) if name.startswith("boot.") and not name.startswith(own)]
        assert not shared, f"{path.relative_to(ROOT)} imports {', '.join(shared)}"


def test_nothing_waits_in_a_way_that_can_swallow_a_cancellation() -> None:
    """asyncio.wait_for before Python 3.12 forgets that it was cancelled when the result came at the same moment
    (https://github.com/python/cpython/issues/86296); asyncio.timeout does not.
    """
    for package in ALLOWED:
        for path in (ROOT / package).rglob("*.py"):
            assert "asyncio.wait_for(" not in path.read_text(encoding="utf-8"), path


def test_no_file_imports_in_a_circle() -> None:
    """Also where the import stands in a function, or is for types alone."""
    paths = {path.relative_to(ROOT) for package in ALLOWED for path in (ROOT / package).rglob("*.py")}
    files = {".".join(path.with_suffix("").parts).removesuffix(".__init__"): path for path in paths}
    graph = {
        name: {found for one in modules(ROOT / path) for found in (one, one.rpartition(".")[0]) if found in files}
        - {name}
        for name, path in files.items()
        if path.name != "__init__.py"
    }
    graphlib.TopologicalSorter(graph).prepare()
