"""docs/architecture.md leads to files that exist."""

from __future__ import annotations

import re

from tests.unit.architecture.test_imports import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PATH = re.compile(r"`([a-z_]+(?:/[\w.*-]+)*/?[\w.*-]*)`")


def test_every_path_on_the_page_exists() -> None:
    """Also what it says to begin with in a package or a room, which is named below that folder."""
    missing = []
    for line in PAGE.splitlines():
        names = [name.rstrip("/") for name in PATH.findall(line) if "/" in name or name.endswith((".py", ".proto"))]
        folders = [
            ROOT,
            ROOT / "coordinator",
            *(ROOT / name for name in names),
            *(ROOT / "coordinator" / name for name in names),
        ]
        missing += [name for name in names if not any(list(place.glob(name)) for place in folders if place.is_dir())]
    assert missing == []


def test_each_room_and_package_is_on_the_page() -> None:
    """A newcomer finds every folder with code in one of the two tables."""
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"docs"}
    coordinator = ROOT / "coordinator"
    rooms = {str(path.parent.relative_to(coordinator)) for path in coordinator.glob("*/__init__.py")}
    rooms |= {str(path.parent.relative_to(coordinator)) for path in coordinator.glob("workflows/*/__init__.py")}
    assert {name for name in packages | rooms if f"| `{name}/` |" not in PAGE} == set()


def test_each_function_that_is_named_with_a_file_is_there() -> None:
    """As in `agent/nodes/recovery.py` (`choose`)."""
    for path, name in re.findall(r"`([\w/]+\.py)` \(`(\w+)`\)", PAGE):
        assert re.search(
            rf"^\s*(async def|def|class) {name}\b", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE
        )
