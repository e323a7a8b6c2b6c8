"""What goes wrong on the way to a host.

CoordError
└── OperationFailed
    └── DeployError           a host could not be reached, or something on it did not work
        ├── Unreachable       no SSH server answered in time
        ├── HostKeyRefused    the server showed another host key than the one that is known, or an unknown one
        ├── LoginRefused      SSH or sudo did not let us in
        ├── PythonMissing     there is no python3 on the host
        └── CommandFailed     a command on the host failed, or took too long
"""

from __future__ import annotations

from coordinator.errors import OperationFailed


class DeployError(OperationFailed):
    """A host could not be reached, or something on it did not work. The text does not name the host."""


class Unreachable(DeployError):
    """No SSH server answered in time."""

    retryable = True


class HostKeyRefused(DeployError):
    """The server is not known to be the one that is meant; nothing was sent to it."""


class LoginRefused(DeployError):
    """SSH or sudo did not let us in."""


class PythonMissing(DeployError):
    """There is no python3 on the host."""


class CommandFailed(DeployError):
    """A command on the host failed, or took too long."""
