"""Errors of reaching a host and working on it.

CoordError
└── OperationFailed
    └── DeployError           a host could not be reached, or something on it did not work
        ├── HostUnreachable       no SSH server answered in time
        ├── HostKeyRefused    the server showed an unknown host key, or one other than the known one
        ├── LoginRefused      SSH or sudo refused the login
        ├── PythonMissing     the host has no working Python
        ├── OtherMachine      the address is that of another machine than the enrolled one
        └── CommandFailed     a command on the host failed, or took too long
            └── SessionRefused    the server opens no further session on this connection
"""

from __future__ import annotations

from coordinator.errors import OperationFailed

PYTHON_HINT = "install Python 3.11 or newer, all of it, for all users, as in apt install python3"


class DeployError(OperationFailed):
    """A host could not be reached, or something on it did not work. The text does not name the host."""


class HostUnreachable(DeployError):
    """No SSH server answered in time."""

    retryable = True


class HostKeyRefused(DeployError):
    """The server's identity is not verified; nothing was sent to it."""


class LoginRefused(DeployError):
    """SSH or sudo refused the login."""


class PythonMissing(DeployError):
    """The host has no working Python."""


class OtherMachine(DeployError):
    """The address is that of another machine than the enrolled one, which has the keys."""


class CommandFailed(DeployError):
    """A command on the host failed, or took too long."""


class SessionRefused(CommandFailed):
    """The server refuses a further session on this connection (sshd's MaxSessions)."""
