"""Which errors are meant for the user, and the exit status of each."""

from __future__ import annotations

from antelope.errors import NodeError
from boot.audit import AuditError
from boot.plan import PlanError
from coordinator.agents.link import LinkError
from coordinator.agents.records import HubError
from coordinator.agents.register import RegisterError
from inventory.errors import InventoryError
from support.artifacts import DamagedError, MissingError
from support.bundled import BundledError
from support.journal import JournalError
from support.processes import StillRunningError
from support.retry import DeadlineError
from support.tls import TlsError

WRONG_INPUT = (InventoryError, PlanError)
FAILED = (
    NodeError,
    AuditError,
    HubError,
    LinkError,
    RegisterError,
    BundledError,
    DamagedError,
    MissingError,
    JournalError,
    StillRunningError,
    DeadlineError,
    TlsError,
    OSError,
)


def worded(error: Exception) -> str:
    """The message. Each mistake in an inventory is a line that begins with the file's name."""
    if isinstance(error, InventoryError):
        return str(error)
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"coord: {error.filename}: {error.strerror}"
    return f"coord: {error}"


def status_of(error: Exception) -> int | None:
    """The exit status for an error whose message is meant for the user; None: it is a bug."""
    if isinstance(error, WRONG_INPUT):
        return 2
    return 1 if isinstance(error, FAILED) else None
