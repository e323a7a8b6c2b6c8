"""docs/boot.md matches the code."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from antelope.layouts import LAYOUTS
from boot.steps import STEPS

PAGE = (Path(__file__).parents[3] / "docs" / "boot.md").read_text()


def test_the_page_tells_every_step_in_order() -> None:
    """A heading for each step of the boot, and none for others."""
    assert re.findall(r"^### `([a-z-]+)`", PAGE, re.MULTILINE) == [step.name for step in STEPS]


def test_the_pages_actions_have_the_contracts_fields() -> None:
    """Each pushed action exists, and its data has as many values, or the same names, as the contract's."""
    commands = [shlex.split(line) for line in PAGE.splitlines() if line.startswith("    cleos push action ")]
    assert len(commands) > 8
    for words in commands:
        contract, action, data = words[3], words[4], json.loads(words[5])
        fields = [field.partition(":")[0] for field in LAYOUTS[contract][action].split()]
        assert list(data) == fields if isinstance(data, dict) else len(data) == len(fields), action
