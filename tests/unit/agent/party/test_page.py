"""docs/joining.md is true."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from agent.cli import parser
from agent.party.settings import JOINING, PARTS, read_file, settle

PAGE = (Path(__file__).parents[4] / "docs" / "joining.md").read_text()


def _commands() -> dict[str, argparse.ArgumentParser]:
    (actions,) = (one for one in parser()._actions if isinstance(one, argparse._SubParsersAction))
    return dict(actions.choices)


def test_the_settings_of_the_page_are_all_there_are(tmp_path: Path) -> None:
    """Its example is valid, and shows every setting except the log's level."""
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "alice.toml"
    path.write_text(example)
    said = read_file(path, JOINING)
    assert set(PARTS) | set(JOINING) - {"data"} == said.keys() | {"log_level"}
    settings = settle({name: value for name, value in said.items() if name in PARTS})
    assert settings.policy == type(settings.policy)()


def test_every_command_of_the_page_exists() -> None:
    """Every `agent WORD` and option on the page exists."""
    commands = _commands()
    lines = re.findall(r"`?agent ([a-z]+)((?: [^`\n]+)?)", PAGE)
    for command, rest in ((command, rest) for command, rest in lines if command in commands or "--" in rest):
        options = {option for action in commands[command]._actions for option in action.option_strings}
        assert set(re.findall(r"--[a-z0-9-]+", rest)) <= options, (command, rest)
    assert {"serve", "proposals", "approve", "unapprove", "vote", "claim", "leave"} <= {command for command, _ in lines}
