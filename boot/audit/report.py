"""What an audit found: the form of `coord verify --json`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Check:
    """One question put to the chain."""

    name: str
    ok: bool
    detail: str
    """One line: what was found, or every difference."""


@dataclass(frozen=True)
class WrongAccount:
    """A planned account that is there, but not as planned."""

    account: str
    differences: tuple[str, ...]


@dataclass(frozen=True)
class Accounts:
    """The allocation against the chain, account by account."""

    planned: int
    matched: int
    missing: tuple[str, ...]
    wrong: tuple[WrongAccount, ...]


@dataclass(frozen=True)
class Report:
    """An audit's result."""

    chain_id: str
    """The chain's own, which the first check compares."""
    block_num: int
    """Head of the node that was read, when the audit began."""
    block_id: str
    checks: tuple[Check, ...]
    accounts: Accounts

    @property
    def ok(self) -> bool:
        """Whether no check found a difference."""
        return all(check.ok for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """The document that `coord verify --json` prints."""
        return {
            "ok": self.ok,
            "chain_id": self.chain_id,
            "block": {"num": self.block_num, "id": self.block_id},
            "checks": [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in self.checks],
            "accounts": {
                "planned": self.accounts.planned,
                "matched": self.accounts.matched,
                "missing": list(self.accounts.missing),
                "wrong": [
                    {"account": wrong.account, "differences": list(wrong.differences)} for wrong in self.accounts.wrong
                ],
            },
        }


def judged(name: str, differences: Iterable[str], fine: str) -> Check:
    """A check that holds when there are no differences; `fine` says then what was seen."""
    found = tuple(differences)
    return Check(name, not found, "; ".join(found) if found else fine)


def named(names: Iterable[str], limit: int = 10) -> str:
    """Names in order, the first few of them."""
    ordered = sorted(names)
    rest = len(ordered) - limit
    return ", ".join(ordered[:limit]) + (f" and {rest} more" if rest > 0 else "")
