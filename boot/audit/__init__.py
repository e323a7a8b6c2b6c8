"""The audit of a whole chain against the sealed network. Its code is independent of the boot's steps.

`audit` reads everything through a `ChainReader`, then judges it with pure checks, one file per group.
"""

from boot.audit.report import Accounts, AuditReport, Check, WrongAccount
from boot.audit.run import audit
from boot.audit.seen import Observed
from boot.audit.survey import TakeSnapshot
from boot.audit.text import render
from boot.errors import AuditError

__all__ = [
    "Accounts",
    "AuditError",
    "AuditReport",
    "Check",
    "Observed",
    "TakeSnapshot",
    "WrongAccount",
    "audit",
    "render",
]
