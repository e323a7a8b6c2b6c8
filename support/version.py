"""A hash over the agent's sources, which reveals an agent with outdated code."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

PACKAGES = ("agent", "antelope", "boot", "inventory", "protos", "support")
"""The packages that an agent imports, which are sent to hosts."""


@cache
def source_version() -> str:
    """12 hex digits that depend only on the sources' names and contents."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(path for package in PACKAGES for path in (root / package).rglob("*.py")):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]
