"""What is packed for a host: our own code finds every library that it imports, however rarely."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from coordinator.hosts.deploy.bundle import LIBRARIES
from support.version import PACKAGES

ROOT = Path(__file__).parents[5]
ALLOCATION = frozenset({"numpy"})
"""It draws an allocation, which an agent only reads (tests/unit/agent/test_memory_of_imports.py)."""


def _imported() -> Iterator[tuple[str, str]]:
    """Each module that our packages import, with the file."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    yield from ((alias.name.split(".")[0], path.relative_to(ROOT).as_posix()) for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    yield node.module.split(".")[0], path.relative_to(ROOT).as_posix()


def _with_needs(names: Iterator[str] | tuple[str, ...]) -> set[str]:
    """The libraries, and those that they need themselves."""
    found: set[str] = set()
    left = [*names]
    while left:
        name = re.split(r"[ ;<>=!~\[(]", left.pop(), maxsplit=1)[0].lower().replace("_", "-")
        if name not in found:
            found.add(name)
            try:
                left += [one for one in requires(name) or () if "extra ==" not in one]
            except PackageNotFoundError:  # for another platform or Python
                continue
    return found


def test_every_import_of_an_agent_is_packed() -> None:
    """Also those that wait for an option, such as --metrics: on a host nothing else can be installed."""
    packed, whose = _with_needs(LIBRARIES), packages_distributions()
    missing = {}
    for module, path in _imported():
        if module in sys.stdlib_module_names or module in PACKAGES or module in ALLOCATION:
            continue
        names = {name.lower().replace("_", "-") for name in whose.get(module, [module])}
        if not names & packed:
            missing[module] = path
    assert missing == {}
