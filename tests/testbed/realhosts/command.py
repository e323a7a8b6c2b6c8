"""Running the system's tools."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from .settings import TestbedError


def run(*command: str | Path, stdin: str | None = None) -> str:
    """Run a tool to its end and return what it printed; raises TestbedError with its own last word."""
    result = attempt(*command, stdin=stdin)
    if result.returncode:
        said = (result.stderr.strip() or result.stdout.strip() or "no message").splitlines()[-1]
        raise TestbedError(f"{text(command)}: status {result.returncode}: {said}")
    return result.stdout


def attempt(*command: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a tool that may fail; raises TestbedError only when it does not exist."""
    try:
        return subprocess.run(
            [str(word) for word in command],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise TestbedError(f"{command[0]} is not installed: `hosts check` says what is missing") from error


def text(command: Sequence[str | Path]) -> str:
    """A command as one short line for messages."""
    line = " ".join(str(word) for word in command)
    return line if len(line) <= 120 else line[:117] + "..."
