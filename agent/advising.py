"""Commands of `agent` that messages advise, in a form that can be typed: with the program's path if its name alone is
not found, and with the data folder. Paths are absolute, because a daemon's log may be read from any folder.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from support.program import program


def typed_agent(command: str, data: Path, *words: str) -> str:
    """`agent COMMAND --data DIR WORDS`, to be typed as it stands."""
    return shlex.join([str(program("agent") or "agent"), command, "--data", str(data.absolute()), *words])
