"""What an inventory can be wrong about: every problem at once, one line each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One mistake: where it is, what it is, and what to do about it."""

    path: str
    """Place in the file, as in `nodes[2].p2p_port`; empty: the file as a whole."""
    message: str
    hint: str = ""

    def __str__(self) -> str:
        path = "".join(part if part.isprintable() else repr(part)[1:-1] for part in self.path)
        place = f"{path}: " if path else ""
        return f"{place}{self.message}{f'; {self.hint}' if self.hint else ''}"


class InventoryError(ValueError):
    """The inventory cannot be used. Its text has one line per problem."""

    def __init__(self, source: object, problems: Iterable[Problem]) -> None:
        self.source = str(source)
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{self.source}: {problem}" for problem in self.problems))


class Problems:
    """Collects problems, so that a reader learns of all of them at once."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}
        self._told: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, path: str, message: str, hint: str = "") -> None:
        """Notes a problem; the same one twice counts once, what follows from a place that was told of not at all."""
        if not any(_within(path, told) or _within(told, path) for told in self._told):
            self._found[Problem(path, message, hint)] = None

    def told(self, paths: Iterable[str]) -> None:
        """Notes places with a mistake that was told already, where a stand-in value is now.

        Whatever else is found there, or in the tables around them, follows from that mistake, and is left out.
        """
        self._told = tuple(paths)

    def extend(self, problems: Iterable[Problem]) -> None:
        """Notes several."""
        self._found.update(dict.fromkeys(problems))

    @property
    def found(self) -> tuple[Problem, ...]:
        """All of them, in the order in which they were found."""
        return tuple(self._found)

    def check(self, source: object) -> None:
        """Raises InventoryError when there is any."""
        if self._found:
            raise InventoryError(source, self._found)


def _within(path: str, outer: str) -> bool:
    return path == outer or (bool(outer) and path.startswith(f"{outer}."))
