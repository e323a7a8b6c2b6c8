"""The examples of docs/*.md that are marked *devnet*: run as they stand, in order, on a real devnet.

The first line of such a block names its language, `devnet`, and maybe `npm` (it needs node and npm) or a file's name
(it is written to that file instead of being run). The environment passes from one bash block to the next.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from inventory.devnet import Devnet
from tests.ports import free_port

ROOT = Path(__file__).parents[3]
PAGES = sorted((ROOT / "docs").glob("*.md"))
BLOCK = re.compile(r"^```(bash|python|js) devnet(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = 180
NPM = "npm"


@dataclass(frozen=True)
class Example:
    """One block."""

    page: str
    line: int
    language: str
    mark: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def examples(page: Path) -> list[Example]:
    """Those of a page."""
    text = page.read_text(encoding="utf-8")
    return [
        Example(page.name, text.count("\n", 0, found.start()) + 1, found[1], found[2] or "", found[3])
        for found in BLOCK.finditer(text)
    ]


@dataclass
class Folder:
    """Where one page's examples are run."""

    path: Path
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    no_npm: str = ""
    """Why JavaScript cannot be run."""

    def run(self, example: Example) -> str:
        """Runs it. Returns what it said on its standard output."""
        if example.language == "bash":
            kept = self.path / "environment"
            done = self._done(example, ["bash", "-euo", "pipefail", "-c", f"{example.text}\nenv -0 > environment"])
            self.environment = _read(kept) if kept.exists() else self.environment
            return done
        name = {"python": "example.py", "js": "example.mjs"}[example.language]
        (self.path / name).write_text(example.text, encoding="utf-8")
        return self._done(example, [sys.executable if example.language == "python" else "node", name])

    def _done(self, example: Example, command: list[str]) -> str:
        done = subprocess.run(
            command, cwd=self.path, env=self.environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == 0, f"{example}: {done.stdout}{done.stderr}"
        return done.stdout


def _read(kept: Path) -> dict[str, str]:
    pairs = (entry.partition("=") for entry in kept.read_text(encoding="utf-8").split("\0") if entry)
    return {name: value for name, _, value in pairs}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """With coord, python and pytest of this environment on the PATH, and free ports for the devnet."""
    own = tmp_path / ".coord" / "dev"
    own.mkdir(parents=True, mode=0o700)
    (own / "devnet.toml").write_text(Devnet(http_port=free_port(), p2p_port=free_port()).text())
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    made = Folder(tmp_path)
    made.environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return made


@pytest.mark.parametrize("page", [page for page in PAGES if examples(page)], ids=lambda page: page.name)
def test_examples(page: Path, folder: Folder, request: pytest.FixtureRequest) -> None:
    """Each ends well; what needs node is left out, with the reason, where that cannot be had."""
    request.addfinalizer(lambda: _end(folder))
    left_out: dict[str, str] = {}
    for example in examples(page):
        if example.mark == NPM and (why := _unusable(example, folder)):
            left_out[str(example)] = why
        elif example.mark and example.mark != NPM:
            (folder.path / example.mark).write_text(example.text, encoding="utf-8")
        else:
            folder.run(example)
    if left_out:
        pytest.skip(f"all but {', '.join(left_out)}: {next(iter(left_out.values()))}")


def _unusable(example: Example, folder: Folder) -> str:
    """Why nothing of npm can be used here, if so: what installs packages is tried, what uses them is not run."""
    if not folder.no_npm and not (shutil.which("node") and shutil.which("npm")):
        folder.no_npm = "node and npm are not installed"
    if not folder.no_npm and example.language == "bash":
        done = subprocess.run(
            ["bash", "-c", example.text], cwd=folder.path, env=folder.environment, capture_output=True, text=True
        )
        folder.no_npm = "" if done.returncode == 0 else f"npm: {done.stderr.strip().splitlines()[0]}"
    return folder.no_npm


def _end(folder: Folder) -> None:
    command = [Path(sys.executable).with_name("coord"), "down", "dev", "--purge", "--yes"]
    if (folder.path / ".coord" / "dev" / "devnet.toml").exists():
        subprocess.run([str(word) for word in command], cwd=folder.path, capture_output=True, check=True)


def test_there_are_examples() -> None:
    """The page for developers has Python, JavaScript, a shell, a contract and tests among them."""
    found = examples(ROOT / "docs" / "developers.md")
    assert {example.language for example in found} == {"bash", "python", "js"}
    assert any("tally.wasm" in example.text for example in found)
    assert any(example.mark.startswith("test_") for example in found)


@pytest.mark.skipif(shutil.which("wat2wasm") is None, reason="wabt is not installed")
def test_the_sample_contract_is_built_from_its_source(tmp_path: Path) -> None:
    """wat2wasm makes the very bytes that lie beside the source."""
    folder, made = ROOT / "docs" / "examples" / "tally", tmp_path / "tally.wasm"
    subprocess.run(["wat2wasm", str(folder / "tally.wat"), "-o", str(made)], check=True)
    assert made.read_bytes() == (folder / "tally.wasm").read_bytes()
