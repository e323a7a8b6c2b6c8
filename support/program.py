"""How one of bootcoord's programs can be typed in a shell."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

AS_A_MODULE = "cli.py"
"""The file name in sys.argv when Python runs a module (`python -m agent.cli`)."""


def program(name: str) -> Path | None:
    """The absolute path of the running program. None if its bare name finds it, or if it was started in another way."""
    path = Path(sys.argv[0])
    if path.name == AS_A_MODULE:
        path = Path(sys.executable).with_name(name)
    if path.name != name or not path.exists() or shutil.which(name) == str(path.absolute()):
        return None
    return path.absolute()
