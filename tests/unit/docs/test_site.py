"""The site of the documentation, and the pages that are made from the code."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import bootcoord
from agent.cli import parser
from coordinator.cli.main import COMMANDS
from docs import reference
from docs.rooms import direct, edges, levels, picture

ROOT = Path(__file__).parents[3]


def test_the_site_has_every_page() -> None:
    """Each page of docs/ stands in mkdocs.yml once, and no other."""
    listed = re.findall(r"[ :]((?:adr/)?[\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    there = {page for page in pages if not page.startswith("examples/")}
    assert sorted(listed) == sorted(there)


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    """Every link leads somewhere; the pages fetch nothing from elsewhere."""
    if importlib.util.find_spec("material") is None:
        pytest.skip("MkDocs is not installed: make site installs it")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    fetched = re.compile(r'<(?:script|img|iframe)[^>]* src="https?://|<link[^>]* rel="stylesheet"[^>]* href="https?://')
    assert not [path.name for path in (tmp_path / "site").rglob("*.html") if fetched.search(path.read_text())]


def test_every_command_and_option_is_in_the_reference() -> None:
    """Of coord, of agent, and every class of the Python package."""
    coord, agent, python = reference.coord_page(), reference.agent_page(), reference.python_page()
    assert all(f"\n## coord {name}\n" in coord for name in COMMANDS)
    assert "`-f, --follow`" in coord
    assert "    coord boot inventory/devnet.toml\n" in coord
    assert "\x08" not in coord
    names = [name for action in parser()._actions for name in (action.choices or ())]
    assert len(names) > 10
    assert all(f"\n## agent {name}\n" in agent for name in names)
    assert "`--join TOKEN`" in agent
    assert "\n## Network\n" in python
    assert "Network" in bootcoord.__all__


def test_the_picture_has_every_room_and_points_one_way() -> None:
    """Each room and package is drawn once; arrows go down."""
    graph = edges()
    assert {"coordinator/workflows", "coordinator/engine", "agent", "boot", "antelope"} <= graph.keys()
    assert all(picture().count(f">{node}</text>") == 1 for node in graph)
    height = {node: level for level, row in enumerate(levels(graph)) for node in row}
    assert all(height[node] < height[one] for node, used in graph.items() for one in used & graph.keys())
    assert direct({"a": frozenset("bc"), "b": frozenset("c"), "c": frozenset()})["a"] == {"b"}
