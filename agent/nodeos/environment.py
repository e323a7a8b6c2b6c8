"""The environment of every nodeos that an agent starts: little, and the same for every way of starting the agent."""

from __future__ import annotations

import os
from pathlib import Path

_KEPT = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")


def environment(home: Path) -> dict[str, str]:
    """For a nodeos in that folder."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {"HOME": str(home), "LANG": "C.UTF-8"}
