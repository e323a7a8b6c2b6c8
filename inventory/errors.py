"""Mistakes in an inventory. All are reported together, one line each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One mistake: where it is, what it is, and how to fix it."""

    path: str
    """Its place in the file, such as `nodes[2].p2p_port`; empty for the whole file."""
    message: str
    hint: str = ""

    def __str__(self) -> str:
        path = "".join(part if part.isprintable() else repr(part)[1:-1] for part in self.path)
        place = f"{path}: " if path else ""
        return f"{place}{self.message}{f'; {self.hint}' if self.hint else ''}"


class InventoryError(ValueError):
    """The inventory cannot be used. The message has one line per problem."""

    exit_status = 2
    retryable = False
    hint = ""

    def __init__(self, source: object, problems: Iterable[Problem]) -> None:
        self.source = str(source)
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{self.source}: {problem}" for problem in self.problems))


class Problems:
    """Collects problems, so that the user sees all of them at once."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}
        self._told: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, path: str, message: str, hint: str = "") -> None:
        """Records a problem, once. It is ignored if it follows from a mistake that was reported (see `told`)."""
        if not any(_within(path, told) or _within(told, path) for told in self._told):
            self._found[Problem(path, message, hint)] = None

    def told(self, paths: Iterable[str]) -> None:
        """Marks places whose mistake was reported already, and which now hold a placeholder.

        Further problems there, or in the tables around them, follow from that mistake and are ignored.
        """
        self._told = tuple(paths)

    def extend(self, problems: Iterable[Problem]) -> None:
        """Records several problems."""
        self._found.update(dict.fromkeys(problems))

    @property
    def found(self) -> tuple[Problem, ...]:
        """All problems, in the order in which they were found."""
        return tuple(self._found)

    def check(self, source: object) -> None:
        """Raises InventoryError when there are any."""
        if self._found:
            raise InventoryError(source, self._found)


def _within(path: str, outer: str) -> bool:
    return path == outer or (bool(outer) and path.startswith(f"{outer}."))
