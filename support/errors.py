"""What every error for users must provide, and the base class of this package's errors.

The packages draw their own trees: antelope/errors.py, inventory/errors.py, agent/errors.py, coordinator/errors.py. Each
class there has the attributes of `Explained`. An exception without them is a bug, unless it is an OSError.

SupportError
├── JournalError              the journal cannot be used
│   └── DamagedJournal        its file does not hold a sound database
├── DamagedError              an artifact's content does not match its name
├── MissingError              an artifact's file is not there
├── TlsError                  a key or certificate is missing, damaged, or not what it should be
├── InvitationError           a text is not a valid token
├── AgeError                  a recipient, an identity or an encrypted file cannot be used
├── BundledError              the bundled runtime is not available
│   └── UnsupportedMachineError, DownloadError, WrongHashError, DiskFullError
├── LockedError               another process holds the lock
├── StillRunningError         a process did not end after SIGTERM
└── DeadlineError             what was waited for did not come true in time; retryable
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class Explained(Protocol):
    """An error whose message is a line for the user: what, where, what to do."""

    @property
    def exit_status(self) -> int:
        """The exit status of a command that ends with it. 1: the operation failed; 2: the input or usage is wrong."""

    @property
    def retryable(self) -> bool:
        """Whether the same operation may succeed later by itself."""

    @property
    def hint(self) -> str:
        """What to do, if the message does not say so already; may be empty."""


class SupportError(Exception):
    """Base of this package's errors."""

    exit_status = 1
    retryable = False
    hint = ""


def exit_status(error: BaseException) -> int | None:
    """The exit status of a command that ends with this error; None: it is a bug, and not meant for the user."""
    if isinstance(error, Explained):
        return error.exit_status
    return 1 if isinstance(error, OSError) else None


def explanation(error: BaseException) -> str:
    """The error as the user reads it: its message, and its hint."""
    if isinstance(error, Explained):
        return f"{error}; {error.hint}" if error.hint else str(error)
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
