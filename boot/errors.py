"""The error of an audit that reached no verdict. It has a module of its own because the audit takes 3 MiB to import."""

from __future__ import annotations


class AuditError(Exception):
    """The chain could not be read, so nothing was judged. The message is one line: what, where, what to do."""

    exit_status = 1
    retryable = False
    hint = ""
