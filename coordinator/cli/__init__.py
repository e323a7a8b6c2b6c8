"""The operator's command, `coord`."""

from coordinator.cli.main import main

__all__ = ["main"]
