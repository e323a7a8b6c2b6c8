"""How a program of ours can be typed in a shell."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

AS_A_MODULE = "cli.py"
"""What sys.argv names when Python runs a module (`python -m agent.cli`)."""


def program(name: str) -> Path | None:
    """The path of the running program, absolute; None: its bare name is found, or it was started in another way."""
    path = Path(sys.argv[0])
    if path.name == AS_A_MODULE:
        path = Path(sys.executable).with_name(name)
    if path.name != name or not path.exists() or shutil.which(name) == str(path.absolute()):
        return None
    return path.absolute()
