"""docs/inventory.md: its examples load, and it names every key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from antelope.genesis import DEFAULT_CONFIGURATION
from inventory.load import load
from inventory.model import Inventory

PAGE = (Path(__file__).parents[3] / "docs" / "inventory.md").read_text()
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
ROW = re.compile(r"^\| `([a-z0-9_.]+)` \| ([^|]+) \| ([^|]+) \|", re.MULTILINE)


def _tables(annotation: Any) -> list[Any]:
    """The dataclasses in an annotation such as `JumpTable | None`."""
    return [kind for kind in (annotation, *get_args(annotation)) if is_dataclass(kind)]


def _keys(table: Any, path: str) -> Iterator[str]:
    hints = get_type_hints(table)
    for field in fields(table):
        here = f"{path}.{field.name}" if path else field.name
        if path:
            yield here
        if here == "hosts.ssh":
            continue  # its keys are those of [ssh]
        for inner in _tables(hints[field.name]):
            yield from _keys(inner, here)


KEYS = set(_keys(Inventory, ""))


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: text.split('"')[1])
def test_examples(text: str, tmp_path: Path) -> None:
    """Every example is an inventory that loads."""
    path = tmp_path / "example.toml"
    path.write_text(text)
    assert load(path).name in text


def test_keys() -> None:
    """Every key of the model has its row, and every row its key."""
    assert {match[1] for match in ROW.finditer(PAGE)} == KEYS


def test_sections_have_examples() -> None:
    """Every section of the file has a heading, and most an example."""
    headings = set(re.findall(r"^## \[+(\w+)\]+$", PAGE, re.MULTILINE))
    assert headings == {field.name for field in fields(Inventory)}
    assert len(EXAMPLES) >= len(headings) - 2


@pytest.mark.parametrize("name", DEFAULT_CONFIGURATION)
def test_genesis_defaults(name: str) -> None:
    """The page's genesis values are the real defaults."""
    assert re.search(rf"`{name}` {DEFAULT_CONFIGURATION[name]}\b", PAGE)
