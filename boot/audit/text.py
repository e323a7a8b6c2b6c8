"""Formats a report as plain lines for a terminal. The caller adds colour."""

from __future__ import annotations

from collections.abc import Iterator

from boot.audit.report import AuditReport, Check, Question

DETAILED = 20
"""At most this many wrong accounts are spelled out; `--json` has them all."""


TITLES = {
    Question.BORN: "born as planned?  (the answer never changes)",
    Question.TODAY: "different today?  (from the moment right after the boot)",
}


def render(report: AuditReport) -> tuple[str, ...]:
    """One line per check, below the question that it answers; then the wrong accounts, and the two answers."""
    return tuple(_lines(report))


def _lines(report: AuditReport) -> Iterator[str]:
    width = max(len(check.name) for check in report.checks)
    for question, title in TITLES.items():
        yield title
        for check in report.checks:
            if check.question is question:
                yield from _check(check, width)
    for wrong in report.accounts.wrong[:DETAILED]:
        yield f"      {wrong.account}: {'; '.join(wrong.differences)}"
    if len(report.accounts.wrong) > DETAILED:
        yield f"      and {len(report.accounts.wrong) - DETAILED} more accounts that differ: --json lists them"
    accounts = report.accounts
    yield f"block {report.block_num}: {accounts.matched} of {accounts.planned} accounts are as at birth"
    yield f"born as planned: {'yes' if report.born else 'NO'}; {_today(report)}"


def _check(check: Check, width: int) -> Iterator[str]:
    verdict = "ok  " if check.ok else "FAIL" if check.question is Question.BORN else "now "
    first, *others = check.detail.split("; ")
    yield f"{verdict}  {check.name:<{width}}  {first}"
    yield from (f"{'':<{width + 8}}{other}" for other in others)


def _today(report: AuditReport) -> str:
    differing = sum(not check.ok for check in report.checks if check.question is Question.TODAY)
    total = sum(check.question is Question.TODAY for check in report.checks)
    return f"{differing} of {total} checks find differences today" if differing else "nothing is different today"
