"""What messages advise is tried: each command and each thing to do with a file that a message names has a test."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from docs.messages import advice

ROOT = Path(__file__).parents[3]


def _marked(path: Path) -> Iterator[str]:
    """What a file's tests say that they try: `@pytest.mark.advice("FILE: WORDS", …)`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.advice":
            yield from (argument.value for argument in node.args if isinstance(argument, ast.Constant))  # type: ignore[misc]


def test_all_advice_is_tried() -> None:
    """A new message that names a command needs a test that provokes it, does what it says, and sees that it helped."""
    given = {str(one) for one in advice()}
    tried = {site for path in (ROOT / "tests").rglob("test_*.py") for site in _marked(path)}
    assert sorted(given - tried) == []
    assert sorted(tried - given) == []
