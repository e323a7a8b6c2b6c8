"""Which code this is: a hash over the sources that an agent runs, so that one from before an edit is recognised."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

PACKAGES = ("agent", "antelope", "boot", "inventory", "protos", "support")
"""What an agent imports of ours."""


@cache
def source_version() -> str:
    """12 hex digits; the same for the same sources wherever they lie."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(path for package in PACKAGES for path in (root / package).rglob("*.py")):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]
