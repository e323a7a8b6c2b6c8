"""What goes wrong on the way to a host.

CoordError
└── OperationFailed
    └── DeployError           a host could not be reached, or something on it did not work
        ├── HostUnreachable       no SSH server answered in time
        ├── HostKeyRefused    the server showed another host key than the one that is known, or an unknown one
        ├── LoginRefused      SSH or sudo did not let us in
        ├── PythonMissing     there is no Python on the host that works
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
    """The server is not known to be the one that is meant; nothing was sent to it."""


class LoginRefused(DeployError):
    """SSH or sudo did not let us in."""


class PythonMissing(DeployError):
    """There is no Python on the host that works."""


class CommandFailed(DeployError):
    """A command on the host failed, or took too long."""


class SessionRefused(CommandFailed):
    """The server opens no further session on this connection (sshd's MaxSessions)."""
