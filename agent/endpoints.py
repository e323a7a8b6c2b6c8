"""Checks p2p endpoints that a coordinator names, before a node dials them."""

from __future__ import annotations

from collections.abc import Sequence

from agent.errors import DutyError
from support.endpoint import dialable


def checked(endpoints: Sequence[str], most: int, what: str) -> tuple[str, ...]:
    """The endpoints (HOST:PORT) without duplicates. Raises DutyError for an invalid one, or more than most of them."""
    if len(endpoints) > most:
        raise DutyError(f"refused: {len(endpoints)} {what}, more than {most}")
    for endpoint in endpoints:
        if not dialable(endpoint):
            raise DutyError(f"refused: {endpoint[:80]!r} among the {what} is not HOST:PORT")
    return tuple(dict.fromkeys(endpoints))
