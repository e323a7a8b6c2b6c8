"""The commands of `coord` that messages advise, in a form that the user can type in the same place.

They are written only here: with the program's path if `coord` alone is not found, with --state if that was given, and
with the quoted path of the inventory. How the process was called is kept for the whole process, like sys.argv.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from support.program import program

INVENTORY = "INVENTORY"
"""A placeholder if no inventory was named, as in the help."""


def near(path: Path) -> str:
    """The path as a user would write it: relative to the working folder if it is below it, otherwise absolute."""
    path = path.absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


@dataclass(frozen=True)
class Call:
    """How `coord` was called."""

    program: tuple[str, ...] = ("coord",)
    """What comes before the command: how to run `coord`, and its own options."""
    inventory: str = INVENTORY
    """As it was typed."""

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> Call:
        """How another command says that it was called; an older one says nothing. Raises TypeError."""
        return cls(tuple(map(str, request.get("program", cls.program))), str(request.get("inventory", cls.inventory)))

    def command(self, name: str, *words: str) -> str:
        """A command line for the same inventory."""
        return shlex.join([*self.program, name, self.inventory, *words])


class _Process:
    """How this process was called."""

    call = Call()


_asked: ContextVar[Call | None] = ContextVar("asked", default=None)
"""How the command in another terminal was called, while this one answers it."""


def began(options: Sequence[str]) -> None:
    """`coord` was started with these options of its own, as words; its inventory is not known yet."""
    path = program("coord")
    _Process.call = Call((near(path) if path else "coord", *options))


def ended() -> None:
    """The command has ended; another may follow in the same process."""
    _Process.call = Call()


def reads(inventory: str) -> None:
    """The command has this inventory, as it was typed."""
    _Process.call = replace(_Process.call, inventory=inventory)


def call() -> Call:
    """How the command was called whose user reads the message."""
    return _asked.get() or _Process.call


@contextmanager
def answering_for(asked: Call) -> Iterator[None]:
    """Messages in this block are for the user of another command."""
    token = _asked.set(asked)
    try:
        yield
    finally:
        _asked.reset(token)


def typed(command: str, *words: str) -> str:
    """`coord COMMAND INVENTORY WORDS`, to be typed as it stands."""
    return call().command(command, *words)


def typed_for(inventory: Path, command: str) -> str:
    """The same for another inventory than the command's own."""
    return replace(call(), inventory=str(inventory)).command(command)
