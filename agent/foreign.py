"""Translates the libraries' errors into the agent's own. This is the only place that does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from agent import errors
from agent.errors import AgentError
from antelope.errors import AntelopeError, NodeError
from boot.errors import AuditError
from support.age import AgeError
from support.artifacts import DamagedError, MissingError
from support.errors import explanation
from support.identity import InvitationError, TlsError
from support.journal import JournalError
from support.locks import LockedError
from support.processes import StillRunningError
from support.retry import DeadlineError

_OWN: tuple[tuple[type[Exception], type[AgentError]], ...] = (
    (AgeError, errors.CredentialError),
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
"""The first match counts. OSError is last because DeadlineError is a subclass."""


def translated(error: BaseException) -> AgentError | None:
    """The agent's own error for this one; None if it is a bug."""
    if isinstance(error, AgentError):
        return error
    if isinstance(error, NodeError):
        return errors.ChainError(explanation(error), retryable=error.retryable)
    if isinstance(error, LockedError):
        running = f" (process {error.pid})" if error.pid else ""
        return errors.FolderBusy(f"an agent runs in {error.path.parent} already{running}")
    for kind, own in _OWN:
        if isinstance(error, kind):
            return own(explanation(error))
    return None


@contextmanager
def translating() -> Iterator[None]:
    """Raises AgentError in place of a library's error. A bug's exception passes unchanged."""
    try:
        yield
    except Exception as error:
        own = translated(error)
        if own is None or own is error:
            raise
        raise own from error
