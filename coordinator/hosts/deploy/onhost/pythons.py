"""Which Python of a host the agent would run on."""

from __future__ import annotations

import shutil
import sys
from typing import Any

NEW_ENOUGH = (3, 11)
OTHERS = ("python3.13", "python3.12", "python3.11")


def best_python() -> dict[str, Any]:
    """{"path", "version": [3, n]} of python3 itself; of another one when that is too old and the other is not."""
    if sys.version_info >= NEW_ENOUGH:
        return {"path": sys.executable, "version": list(sys.version_info[:2])}
    for name in OTHERS:
        path = shutil.which(name)
        if path:
            return {"path": path, "version": [3, int(name.rpartition(".")[2])]}
    return {"path": sys.executable, "version": list(sys.version_info[:2])}
