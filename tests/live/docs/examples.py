"""The examples of docs/*.md that a test runs: marked blocks, with what runs them.

The first line of such a block names its language, where it is run (`devnet`: a devnet; `network`: a booted network
whose inventory is inventory/devnet.toml), and maybe `npm` (it needs node and npm) or a file's name (it is written to
that file instead of being run). The environment passes from one bash block to the next.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGES = tuple(sorted((ROOT / "docs").glob("*.md")))
BLOCK = re.compile(r"^```(bash|python|js) (devnet|network)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = 180
DEVNET, NETWORK = "devnet", "network"


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


def examples(page: Path, where: str) -> list[Example]:
    """Those of a page that are run there."""
    text = page.read_text(encoding="utf-8")
    return [
        Example(page.name, text.count("\n", 0, found.start()) + 1, found[1], found[3] or "", found[4])
        for found in BLOCK.finditer(text)
        if found[2] == where
    ]


@dataclass
class Folder:
    """Where one page's examples are run: with coord, python and pytest of this environment on the PATH."""

    path: Path
    environment: dict[str, str] = field(
        default_factory=lambda: {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    )
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
