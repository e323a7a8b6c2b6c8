"""One name for one thing: public classes of a package have different names, and each tree of errors is as drawn."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections import defaultdict
from types import ModuleType

import pytest

from tests.unit.architecture.test_imports import ALLOWED, ROOT

TREES = {
    "agent.errors": "AgentError",
    "antelope.errors": "AntelopeError",
    "coordinator.errors": "CoordError",
    "inventory.errors": "InventoryError",
    "support.errors": "SupportError",
}
"""The base of each package's errors, by the module that draws them."""


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_no_two_classes_of_a_package_have_the_same_name(package: str) -> None:
    """Private ones stay in their file, and do not count."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / package).rglob("*.py")):
        if path.stem.endswith(("_pb2", "_pb2_grpc")):
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(str(path.relative_to(ROOT)))
    assert {name: places for name, places in found.items() if len(places) > 1} == {}


def descendants(base: type) -> set[type]:
    """All classes below it."""
    children: list[type] = base.__subclasses__()
    return {one for child in children for one in (child, *descendants(child))}


def loaded(package: str) -> ModuleType:
    """The package, with every module of it imported, so that all its classes are known."""
    found = importlib.import_module(package)
    for info in pkgutil.walk_packages(found.__path__, f"{package}."):
        if not info.name.rpartition(".")[2].startswith("__"):
            importlib.import_module(info.name)
    return found


@pytest.mark.parametrize("module", sorted(TREES))
def test_each_tree_of_errors_is_drawn_with_all_its_classes(module: str) -> None:
    """The docstring names every error of the package below the base, and nothing that is not there."""
    package = module.partition(".")[0]
    loaded(package)
    errors = importlib.import_module(module)
    base = getattr(errors, TREES[module])
    below = {one.__name__ for one in descendants(base) if one.__module__.partition(".")[0] == package}
    below = {name for name in below if not name.startswith("_")}
    lines = [line.partition("── ")[2] for line in str(errors.__doc__).splitlines() if "── " in line]
    drawn = {word for line in lines for word in re.findall(r"\b[A-Z][a-z]\w+", re.split(r"\s{2,}|: | \(", line)[0])}
    assert drawn == below
