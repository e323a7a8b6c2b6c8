"""What goes wrong with a nodeos as such."""

from __future__ import annotations


class NodeosError(Exception):
    """This nodeos cannot be used; one line says which and why."""
