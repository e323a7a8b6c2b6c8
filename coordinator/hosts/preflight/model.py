"""A preflight's result: a row per host, a cell per check, and problems, each with a way to fix it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

CHECKS = ("ssh", "os", "cpu", "python", "memory", "disk", "clock", "ports", "nodeos", "service", "sudo", "files")
"""The table's columns after the host's name."""


@dataclass(frozen=True)
class HostProblem:
    """Something that would make the boot fail (fatal), or might (a warning)."""

    host: str
    check: str
    fatal: bool
    message: str
    hint: str

    def __str__(self) -> str:
        return f"{self.host}: {self.check}: {self.message}; {self.hint}"


@dataclass(frozen=True)
class Row:
    """One host."""

    host: str
    cells: Mapping[str, str]
    """By check. A check that could not be made is missing."""


@dataclass(frozen=True)
class Dial:
    """One host dialling another's p2p endpoint."""

    dialler: str
    host: str
    endpoint: str
    error: str
    """Why it failed; empty if the endpoint was reached."""


@dataclass(frozen=True)
class Preflight:
    """The whole result."""

    rows: tuple[Row, ...]
    dials: tuple[Dial, ...]
    problems: tuple[HostProblem, ...]

    @property
    def fatal(self) -> tuple[HostProblem, ...]:
        """The problems that must be fixed before a boot."""
        return tuple(problem for problem in self.problems if problem.fatal)

    @property
    def warnings(self) -> tuple[HostProblem, ...]:
        """The problems that do not prevent a boot."""
        return tuple(problem for problem in self.problems if not problem.fatal)

    def hosts_in_trouble(self) -> frozenset[str]:
        """Hosts with a fatal problem."""
        return frozenset(problem.host for problem in self.fatal)

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Header and rows as text; "-" if a value is unknown."""
        rows = ((row.host, *(row.cells.get(check, "-") for check in CHECKS)) for row in self.rows)
        return (("host", *CHECKS), *rows)

    def matrix(self) -> tuple[tuple[str, ...], ...]:
        """Who reaches whom: header (hosts dialled) and a row per dialling host, "yes", "no", or "-" where not tried."""
        hosts = [row.host for row in self.rows]
        reached: dict[tuple[str, str], bool] = {}
        for dial in self.dials:
            pair = dial.dialler, dial.host
            reached[pair] = reached.get(pair, True) and not dial.error
        words = {None: "-", True: "yes", False: "no"}
        rows = ((dialler, *(words[reached.get((dialler, host))] for host in hosts)) for dialler in hosts)
        return (("from / to", *hosts), *rows)

    def to_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "ok": not self.fatal,
            "hosts": [{"name": row.host, **row.cells} for row in self.rows],
            "dials": [{**asdict(dial), "ok": not dial.error} for dial in self.dials],
            "problems": [asdict(problem) for problem in self.problems],
        }
