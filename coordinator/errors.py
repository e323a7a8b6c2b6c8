"""Errors that `coord` reports to its user.

CoordError
├── UsageProblem       the input or usage is wrong; nothing was changed (exit status 2)
└── OperationFailed    the operation failed, or found a difference (exit status 1)
"""

from __future__ import annotations


class CoordError(Exception):
    """One clear line: what, where, what to do."""

    status = 1


class UsageProblem(CoordError):
    """The input or usage is wrong."""

    status = 2


class OperationFailed(CoordError):
    """The operation failed at run time."""
