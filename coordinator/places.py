"""Paths as a person types them."""

from __future__ import annotations

from pathlib import Path


def near(path: Path) -> str:
    """The path as seen from the working folder, when it lies below that."""
    path = path.absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
