"""A report as plain lines for a terminal; colour is the caller's."""

from __future__ import annotations

from collections.abc import Iterator

from boot.audit.report import Report

DETAILED = 20
"""Wrong accounts that are spelled out; `--json` has them all."""


def render(report: Report) -> tuple[str, ...]:
    """A line a check, the wrong accounts below it, and the verdict."""
    return tuple(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    width = max(len(check.name) for check in report.checks)
    for check in report.checks:
        first, *others = check.detail.split("; ")
        yield f"{'ok  ' if check.ok else 'FAIL'}  {check.name:<{width}}  {first}"
        yield from (f"{'':<{width + 8}}{other}" for other in others)
    for wrong in report.accounts.wrong[:DETAILED]:
        yield f"      {wrong.account}: {'; '.join(wrong.differences)}"
    if len(report.accounts.wrong) > DETAILED:
        yield f"      and {len(report.accounts.wrong) - DETAILED} more accounts that differ: --json lists them"
    failed = sum(not check.ok for check in report.checks)
    said = "the chain is as planned" if report.ok else f"{failed} of {len(report.checks)} checks found differences"
    accounts = report.accounts
    yield f"block {report.block_num}: {accounts.matched} of {accounts.planned} accounts match; {said}"
