"""Errors of the libraries as the agent's own: the one place that knows what each of them means here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from agent import errors
from agent.errors import AgentError
from antelope.errors import AntelopeError, NodeError
from boot.audit import AuditError
from support.artifacts import DamagedError, MissingError
from support.invitation import InvitationError
from support.journal import JournalError
from support.locks import LockedError
from support.processes import StillRunningError
from support.retry import DeadlineError
from support.tls import TlsError

_OWN: tuple[tuple[type[Exception], type[AgentError]], ...] = (
    (AntelopeError, errors.ChainError),
    (AuditError, errors.AuditFailed),
    (DamagedError, errors.StorageError),
    (DeadlineError, errors.OverdueError),
    (InvitationError, errors.CredentialError),
    (JournalError, errors.StorageError),
    (MissingError, errors.StorageError),
    (StillRunningError, errors.StillRunning),
    (TlsError, errors.CredentialError),
    (OSError, errors.SystemFault),
)
"""The first that fits; OSError last, as a DeadlineError is one, too."""


def translated(error: BaseException) -> AgentError | None:
    """The agent's own error for this one; None: it is a fault of the program."""
    if isinstance(error, AgentError):
        return error
    if isinstance(error, NodeError):
        return errors.ChainError(str(error), retryable=error.retryable)
    if isinstance(error, LockedError):
        running = f" (process {error.pid})" if error.pid else ""
        return errors.FolderBusy(f"an agent runs in {error.path.parent} already{running}")
    for kind, own in _OWN:
        if isinstance(error, kind):
            return own(_line(error))
    return None


@contextmanager
def translating() -> Iterator[None]:
    """Raises AgentError for what may go wrong in the block; a fault of the program passes as it is."""
    try:
        yield
    except Exception as error:
        own = translated(error)
        if own is None or own is error:
            raise
        raise own from error


def _line(error: BaseException) -> str:
    """Without Python's own words around a path."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)
