"""What a shell offers at Tab, and the hints for a mistyped command or option."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coordinator.cli.main import COMMANDS, run
from tests.unit.coordinator.test_lazy import LIGHT

INVENTORY = '[network]\nname = "two"\n[[hosts]]\nname = "east"\nlocal = true\n[[hosts]]\nname = "west"\nlocal = true\n'
CODE = "import sys; from coordinator.cli import main; sys.argv[0] = 'coord'; main()"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An inventory here and one below, beside TOML files that are none."""
    (tmp_path / "inventory").mkdir()
    (tmp_path / "two.toml").write_text(INVENTORY)
    (tmp_path / "inventory" / "small.toml").write_text('network.name = "small"\n')
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "network"\n')
    (tmp_path / "secret.toml").mkdir()
    return tmp_path


def offered(folder: Path, *words: str, shell: str = "bash") -> list[str]:
    """What coord answers when Tab is typed after these words, the last of which may have been begun only."""
    asked = {"_COORD_COMPLETE": f"{shell}_complete", "COMP_WORDS": "\n".join(["coord", *words])}
    asked |= {"COMP_CWORD": words[-1] if shell == "fish" else str(len(words))}
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=folder, env=os.environ | asked, capture_output=True, text=True, check=False
    )
    assert not done.stderr, done.stderr
    return done.stdout.split("\n")[:-1]


def plain(folder: Path, *words: str) -> list[str]:
    """The values alone."""
    return [line.removeprefix("plain,") for line in offered(folder, *words) if line]


def test_commands(folder: Path) -> None:
    """All of them, or those that begin with the word."""
    assert plain(folder, "") == list(COMMANDS)
    assert plain(folder, "pa") == ["parties"]
    assert "plain,preflight" in offered(folder, "pre")


def test_inventories(folder: Path) -> None:
    """Only TOML files that describe a network; if there is none, the shell's own files."""
    assert plain(folder, "boot", "") == ["inventory/small.toml", "two.toml"]
    assert plain(folder, "status", "inventory/") == ["inventory/small.toml"]
    assert plain(folder, "plan", f"{folder}/t") == [f"{folder}/two.toml"]
    assert offered(folder, "boot", "other/") == ["file,other/"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["node", "two.toml", "restart", "defproducer"], [f"defproducer{letter}" for letter in "abcd"]),
        (["node", "two.toml", "re"], ["restart", "resume"]),
        (["host", "two.toml", "drain", ""], ["east", "west"]),
        (["down", "two.toml", "--only", "w"], ["west"]),
        (["logs", "two.toml", "agent"], ["agent@east", "agent@west"]),
        (["boot", "two.toml", "--until", "canary-"], ["canary-propose", "canary-approve", "canary-exec"]),
        (["boot", "--only", "cl"], ["claim"]),
        (["boot", "two.toml", "--only", "wes"], ["west"]),
        (["status", "two.toml", "--why", "hand"], ["handover"]),
        (["boot", "two.toml", "--until"], ["--until"]),
        (["boot", "--unt"], ["--until"]),
        (["node", "missing.toml", "restart", ""], []),
        (["init", "--from", ""], ["devnet", "tutorial", "testnet"]),
    ],
)
def test_names_of_the_inventory_that_was_typed(words: list[str], expected: list[str], folder: Path) -> None:
    """Hosts, nodes, steps, actions and options; nothing if the inventory cannot be read."""
    assert plain(folder, *words) == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_is_served(shell: str, folder: Path) -> None:
    """coord gives each its own script, which asks coord itself."""
    code = [sys.executable, "-c", CODE]
    environment = os.environ | {"_COORD_COMPLETE": f"{shell}_source"}
    done = subprocess.run(code, env=environment, capture_output=True, text=True, check=False)
    assert f"_COORD_COMPLETE={shell}_complete" in done.stdout
    assert any("parties" in line for line in offered(folder, "pa", shell=shell))


@pytest.mark.skipif(not shutil.which("fish"), reason="there is no fish: apt-get install fish")
def test_fish_shows_whole_help(tmp_path: Path) -> None:
    """What a real fish offers is the command with all of its help, commas and what follows them included."""
    program = tmp_path / "coord"
    program.write_text(f'#!/bin/sh\nexec \'{sys.executable}\' -c "{CODE}" "$@"\n')
    program.chmod(0o755)
    typed = "_COORD_COMPLETE=fish_source coord | source; complete --do-complete 'coord sta'"
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run(
        ["fish", "--no-config", "-c", typed], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == f"status\t{COMMANDS['status'][1]}\n", done.stderr
    assert "," in done.stdout


@pytest.mark.parametrize("words", ["coord\n", "coord\nboot\n", "coord\nverify\ninv"])
def test_completing_a_command_or_inventory_imports_no_command(words: str, folder: Path) -> None:
    """Tab after `coord`, and after a command, is as fast as --help."""
    code = f"import sys, atexit; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); {CODE}"
    environment = os.environ | {
        "_COORD_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count("\n")),
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    modules = set(done.stderr.split())
    assert "coordinator.cli.main" in modules
    assert not modules & (LIGHT["coordinator.cli.main"] | {module for module, _ in COMMANDS.values()})


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bot", "x.toml"], "there is no command 'bot'; did you mean boot?"),
        (["statsu"], "there is no command 'statsu'; did you mean status?"),
        (["xyzzy"], "there is no command 'xyzzy'; coord --help lists the commands"),
        (["boot", "x.toml", "--untill", "votes"], "--until"),
    ],
)
def test_what_was_meant_is_named(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The message for a mistyped command or option names the one that was meant."""
    assert run(words) == 2
    assert said in capsys.readouterr().err
