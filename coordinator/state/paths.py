"""Paths as a user would write them."""

from __future__ import annotations

from pathlib import Path


def near(path: Path) -> str:
    """The path relative to the working folder if it is below it, otherwise absolute."""
    path = path.absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
