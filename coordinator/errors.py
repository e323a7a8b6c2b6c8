"""Errors that `coord` reports to its user, each with its exit status, a hint, and whether to retry.

CoordError
├── UsageProblem              the input or usage is wrong; nothing was changed (exit status 2)
└── OperationFailed           the operation failed, or found a difference (exit status 1)
    ├── HubError              agents cannot be accepted                              (agents/records.py)
    │   └── BusyError         another coordinator of this network runs; retryable
    ├── LinkError             an agent cannot be given a task                        (agents/link.py)
    │   ├── RevokedError      it was revoked
    │   ├── AwayError         it was waited for in vain
    │   └── ObserverError     this command only observes
    ├── RegisterError         a name cannot be enrolled                              (agents/register.py)
    ├── NoAnswer              the running coord does not answer; retryable           (state/control.py)
    ├── TaskFailedError       an agent could not carry a task out                    (engine/access.py)
    │   └── LostNodeError     a node has failed for good                             (engine/lost_nodes.py)
    └── DeployError           a host could not be reached, or something there failed (hosts/deploy/)
        ├── HostUnreachable   no SSH server answered in time; retryable
        │   └── Dropped       the server closed the connection before the login
        ├── HostKeyRefused    the server's identity is not verified
        │   └── WrongHostKey  it shows a key other than the expected one
        ├── LoginRefused      SSH or sudo refused the login
        ├── CommandFailed     a command on the host failed, or took too long
        │   └── SessionRefused the server takes no further session on this connection
        ├── PythonMissing     the host has no working Python
        ├── OtherMachine      the address is another machine's than the enrolled one
        ├── BundleError       what is to be sent to the hosts cannot be built here
        └── Interrupted       the operator interrupted the work

AgentAway (agents/link.py) is antelope's Unreachable: a node cannot be asked, because its agent is not connected.
Refusals sent to agents and parties (JoinRefused, InviteRefused, Unacceptable) never reach the user as errors.
For the errors of other packages see support/errors.py.
"""

from __future__ import annotations


class CoordError(Exception):
    """One clear line: what, where, what to do."""

    exit_status = 1
    retryable = False
    hint = ""


class UsageProblem(CoordError):
    """The input or usage is wrong."""

    exit_status = 2


class OperationFailed(CoordError):
    """The operation failed at run time."""
