"""The result of an audit, as `coord verify --json` prints it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Question(StrEnum):
    """The question that a check answers."""

    BORN = "born"
    """Was the chain born as planned? The answer never changes."""
    TODAY = "today"
    """What is different today from the moment right after the boot? People transact, producers decide."""


@dataclass(frozen=True)
class Check:
    """One check of the chain."""

    name: str
    ok: bool
    detail: str
    """One line: what was found, or every difference."""
    question: Question = Question.TODAY


@dataclass(frozen=True)
class WrongAccount:
    """A planned account that exists, but not as planned."""

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
class AuditReport:
    """An audit's result."""

    chain_id: str
    """The chain id that the node reports. The first check compares it."""
    block_num: int
    """Head of the node that was read, when the audit began."""
    block_id: str
    checks: tuple[Check, ...]
    accounts: Accounts

    @property
    def born(self) -> bool:
        """Whether the chain was born as planned."""
        return self._fine(Question.BORN)

    @property
    def unchanged(self) -> bool:
        """Whether it is today as it was right after the boot."""
        return self._fine(Question.TODAY)

    @property
    def ok(self) -> bool:
        """Whether the chain was born as sealed. What people do with it afterwards does not count."""
        return self.born

    def _fine(self, question: Question) -> bool:
        return all(check.ok for check in self.checks if check.question is question)

    def to_json(self) -> dict[str, Any]:
        """The document that `coord verify --json` prints."""
        return {
            "ok": self.ok,
            "born": self.born,
            "unchanged": self.unchanged,
            "chain_id": self.chain_id,
            "block": {"num": self.block_num, "id": self.block_id},
            "checks": [
                {"name": check.name, "ok": check.ok, "detail": check.detail, "question": check.question.value}
                for check in self.checks
            ],
            "accounts": {
                "planned": self.accounts.planned,
                "matched": self.accounts.matched,
                "missing": list(self.accounts.missing),
                "wrong": [
                    {"account": wrong.account, "differences": list(wrong.differences)} for wrong in self.accounts.wrong
                ],
            },
        }


def judged(name: str, differences: Iterable[str], fine: str, question: Question = Question.TODAY) -> Check:
    """A check that passes if there are no differences; `fine` is its detail then."""
    found = tuple(differences)
    return Check(name, not found, "; ".join(found) if found else fine, question)


def named(names: Iterable[str], limit: int = 10) -> str:
    """Names in order, the first few of them."""
    ordered = sorted(names)
    rest = len(ordered) - limit
    return ", ".join(ordered[:limit]) + (f" and {rest} more" if rest > 0 else "")
