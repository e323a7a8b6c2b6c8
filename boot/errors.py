"""The error of an audit that reached no verdict: apart from the audit, which takes 3 MiB to import."""

from __future__ import annotations


class AuditError(Exception):
    """The chain could not be read: nothing was judged. One line: what, where, what to do."""

    exit_status = 1
    retryable = False
    hint = ""
