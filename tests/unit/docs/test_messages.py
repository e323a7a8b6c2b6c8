"""The page of messages: what is in the code is in it."""

from __future__ import annotations

import ast
from pathlib import Path

from docs.advice import ADVICE
from docs.generate import page
from docs.messages import Message, messages, template

ROOT = Path(__file__).parents[3]


def test_messages_are_found_where_they_are_made(tmp_path: Path) -> None:
    """Raised, returned, and reported; of inherited classes too; what only passes others' words on is left out."""
    folder = tmp_path / "agent" / "nodes"
    folder.mkdir(parents=True)
    (folder / "one.py").write_text(
        "class Fault(Exception): ...\nclass Full(Fault): ...\n"
        "def a(n, e):\n    raise Fault(f'node {n}: the disk of {e.x} is full')\n"
        "def b(e):\n    return Full('no space left' f' on {e}')\n"
        "def c(e):\n    raise Fault(str(e))\n"
        "def d(problems, p):\n    problems.add(f'{p}.x', 'is not a number of blocks', 'write one')\n"
        "def e():\n    raise ValueError('a mistake of the program')\n"
    )
    assert messages(tmp_path) == (
        Message("is not a number of blocks", "write one", "Problem", "agent/nodes"),
        Message("no space left on …", "", "Full", "agent/nodes"),
        Message("node …: the disk of … is full", "", "Fault", "agent/nodes"),
    )


def test_what_preflight_finds_and_what_status_calls_wrong(tmp_path: Path) -> None:
    """Texts that were put together before, with what to do; and what is yielded by the file of status."""
    folder = tmp_path / "coordinator" / "report"
    folder.mkdir(parents=True)
    (folder / "health.py").write_text("def a(n):\n    yield f'node {n} is well behind'\n    yield from b(n)\n")
    (tmp_path / "coordinator" / "looks.py").write_text(
        "def a(n):\n    message = f'the disk of {n} is full' if n else ''\n    hint = 'free some space'\n"
        "    yield Finding('disk', 'x', message, hint)\n"
    )
    assert messages(tmp_path) == (
        Message("node … is well behind", "", "Wrong", "coordinator/report"),
        Message("the disk of … is full", "free some space", "Finding", "coordinator"),
    )


def test_a_text_that_is_put_together_is_read_as_one() -> None:
    """Several pieces, and several placeholders side by side."""
    expression = ast.parse("f'{a}{b} is ' + kind + f' of {c!r}'", mode="eval").body
    assert template(expression) == "… is … of …"


def test_every_message_has_a_place_on_the_page_and_advice_a_message() -> None:
    """A folder that no group names is an error; advice for a message that is no more, too."""
    found = messages()
    text = page(found)
    assert all(f"`{message.text.replace('`', chr(39))}`" in text for message in found)
    assert set(ADVICE) <= {message.text for message in found}
