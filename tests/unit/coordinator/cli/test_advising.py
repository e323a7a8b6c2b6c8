"""Commands in messages can be typed as they stand: where the user is, with his state folder and his inventory."""

from __future__ import annotations

import ast
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.advising import typed_agent
from coordinator import advising
from coordinator.advising import Call, typed
from coordinator.cli.main import COMMANDS, run
from coordinator.state.control import ask_running, control_socket
from docs.messages import template
from tests.unit.coordinator.home import Home

ROOT = Path(__file__).parents[4]
OTHERS = {
    "agent/cli.py": "help",
    "agent/party/joining.py": "for somebody else, who has his own inventory",
    "agent/party/policy.py": "says where digests come from",
    "inventory/fitness.py": "says what a command would not do",
    "inventory/template.py": "comments in a new inventory",
    "support/invitation.py": "for somebody else, who has his own inventory",
    "coordinator/cli/main.py": "help",
    "coordinator/cli/boot.py": "help",
    "coordinator/cli/devnet.py": "help; a devnet's name stands for its file",
    "coordinator/cli/metrics.py": "help",
    "coordinator/report/monitoring/alerts.py": "for whoever is called by an alert, anywhere",
    "coordinator/report/monitoring/scrape.py": "a comment in a file",
    "inventory/devnet.py": "comments in a new inventory",
    "inventory/placement.py": "the inventory does not know how coord was called",
    "coordinator/report/launch/document.py": "for whoever has the report, anywhere",
    "coordinator/report/launch/page.py": "for whoever has the report, anywhere",
    "coordinator/engine/runbook_shell.py": "a comment in a script",
}
"""Where texts name a command that is not to be typed as it stands, and why."""


def _texts(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield template(node)


def test_no_message_writes_a_command_by_itself() -> None:
    """All come from `typed`, which knows how coord was called."""
    command = re.compile(rf"\bcoord (?:--state|{'|'.join(COMMANDS)})\b")
    found = {
        path.relative_to(ROOT).as_posix()
        for room in ("coordinator", "inventory", "agent", "boot", "support", "antelope")
        for path in (ROOT / room).rglob("*.py")
        if any(command.search(text) for text in _texts(path))
    }
    assert found <= set(OTHERS)


def test_a_command_has_the_program_the_state_and_the_inventory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With blanks in all of them, and with coord not on the PATH: a shell reads what was typed."""
    folder = tmp_path / "ein Ordner é's"
    folder.mkdir()
    (folder / "coord").touch()
    (folder / "net 1.toml").write_text('[network]\nname = "net"\n[[hosts]]\nname = "one"\nlocal = true\n')
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["./coord"])
    assert run(["--state", "my state", "verify", "net 1.toml"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("coord: net was never booted; run: ")
    assert shlex.split(told.rpartition("run: ")[2]) == ["coord", "--state", "my state", "boot", "net 1.toml"]
    (tmp_path / "away").mkdir()
    monkeypatch.chdir(tmp_path / "away")
    monkeypatch.setattr(sys, "argv", [str(folder / "coord")])
    assert run(["verify", str(folder / "net 1.toml")]) == 1
    told = capsys.readouterr().err
    assert shlex.split(told.rpartition("run: ")[2]) == [str(folder / "coord"), "boot", str(folder / "net 1.toml")]
    assert typed("boot") == "coord boot INVENTORY"  # nothing is left of it for the next command of this process


async def test_an_answer_to_another_terminal_is_for_that_terminal(tmp_path: Path) -> None:
    """The running command was called in another folder, and with other words."""
    advising.began(("--state", "here"))
    advising.reads("mine.toml")

    async def advise(request: dict[str, str]) -> dict[str, str]:
        return {"said": typed("boot")}

    try:
        async with control_socket(tmp_path, {"advise": advise}):
            asked = Call(("bin/coord", "--state", "../x"), "../his.toml")
            with advising.answering_for(asked):
                answer = await ask_running(tmp_path, "advise")
            assert answer["said"] == "bin/coord --state ../x boot ../his.toml"
            assert typed("boot") == "coord --state here boot mine.toml"
    finally:
        advising.ended()


def test_a_command_of_a_party_has_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Absolute, since its daemon's log is read anywhere; with the program's path where its name alone is not found."""
    monkeypatch.chdir(tmp_path)
    assert typed_agent("serve", Path("a b")) == f"agent serve --data '{tmp_path}/a b'"
    (tmp_path / "agent").touch()
    monkeypatch.setattr(sys, "argv", ["agent"])
    assert shlex.split(typed_agent("leave", tmp_path, "--force")) == [
        f"{tmp_path}/agent", "leave", "--data", str(tmp_path), "--force",
    ]  # fmt: skip


def test_what_is_advised_works_from_another_folder(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --state and a path to the inventory: the advised boot is run as it stands, and what was refused works."""
    (home.folder / "elsewhere").mkdir()
    monkeypatch.chdir(home.folder / "elsewhere")
    called = ["--state", "../.coord", "plan", "../home.toml", "--allocation"]
    assert run(called) == 1
    told = capsys.readouterr().err
    advised = shlex.split(told.rpartition("run ")[2])
    assert advised == ["coord", "--state", "../.coord", "boot", "../home.toml", "--until", "genesis"]
    assert run(advised[1:]) == 0
    assert run(called) == 0
