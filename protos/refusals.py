"""Why a coordinator refuses an agent, in a form for programs. The text of the gRPC status is for people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

KEY = "bootcoord-refusal"
"""The key of the trailing metadata that carries the kind."""


class RefusalKind(StrEnum):
    """What an agent does differently after a refusal."""

    OTHER = "other"
    REPLACED = "replaced"
    """Another machine has taken the host's place: this one must not sign again."""


@dataclass(frozen=True)
class Refusal:
    """Why the holder of a certificate is refused."""

    reason: str
    kind: RefusalKind = RefusalKind.OTHER


def metadata(kind: RefusalKind) -> tuple[tuple[str, str], ...]:
    """The kind as trailing metadata."""
    return ((KEY, str(kind)),)


def kind_of(trailing: Iterable[tuple[str, str | bytes]] | None) -> RefusalKind:
    """The kind in trailing metadata; OTHER if it is missing or unknown here."""
    for key, value in trailing or ():
        if key == KEY and value in tuple(RefusalKind):
            return RefusalKind(str(value))
    return RefusalKind.OTHER
