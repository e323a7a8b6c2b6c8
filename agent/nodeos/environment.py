"""The environment of every nodeos that an agent starts: small, and the same however the agent was started."""

from __future__ import annotations

import os
from pathlib import Path

_KEPT = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")


def environment(home: Path) -> dict[str, str]:
    """The environment for a nodeos in that folder."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {"HOME": str(home), "LANG": "C.UTF-8"}
