"""Errors of the agent. Each has a one-line message, an exit status, a hint, and says whether a retry may help.

AgentError                    exit status 1, not retryable, unless noted below
├── InputError                what the operator wrote or set up is wrong (exit status 2)
│   ├── ConfigError           agent.toml, party.toml, or the command line
│   ├── CredentialError       an invitation's token, a key, a certificate
│   ├── KeyStoreError         the key store, or a file of keys
│   ├── NodeosError           this nodeos cannot be used
│   └── SpecError             a node's description has a part that may not be used (also ValueError)
├── DutyError                 a task is refused, or cannot be done (retryable as it says)
├── PushError                 a piece of a step's work cannot be done (retryable as it says)
├── ChainError                a node refused or did not answer, or a value is invalid (retryable as it says)
├── StalledError              the chain has stalled (retryable)
├── OverdueError              something did not happen within its deadline (retryable)
├── AuditFailed               the chain could not be read, so there is no verdict (retryable)
├── KeosdError                keosd refused, or cannot be reached (retryable)
├── SystemFault               the operating system refused: files, sockets, processes (retryable)
├── StorageError              the journal or an artifact cannot be used
├── FolderBusy                another agent runs in the data folder
├── StillRunning              a process did not end
├── NodeFault                 a node of this host cannot be started, stopped or found
│   ├── PortTaken             another process listens on one of its ports (retryable)
│   ├── DiskFull, FolderInUse something else is in the way
│   ├── OtherChain            it does not run the sealed chain
│   ├── Damaged               files in its folder are not as nodeos left them
│   │   ├── DamagedState      its state: it can be built again from its blocks
│   │   ├── DamagedForks      its reversible blocks
│   │   ├── DamagedBlocks     its block log or the log's index
│   │   └── DamagedFeatures   its descriptions of protocol features, which nodeos writes itself
│   ├── Crashed               it ended itself by a signal (SIGSEGV, SIGABRT)
│   ├── BadConfiguration      this nodeos does not take its options, or its key is used elsewhere
│   ├── NotAnswering          it runs, and does not answer in time (retryable)
│   │   └── Unfinished        it ended, or took too long, before it answered
│   ├── NotNow                stale production would be wrong, or is not needed
│   └── UnknownNode           no node of that name
├── SessionEnded              the connection to the coordinator is over (retryable)
│   └── Refused               the coordinator does not want this agent
│       ├── Replaced          another machine has this host's place
│       └── AccessEnded       a party's access was ended (exit status 3)
├── JoinError                 an invitation could not be redeemed
├── ControlError              what a party's operator asked for was not done
└── InternalError             a fault of the agent itself; its log has the cause

Errors of the libraries (antelope, support, boot) become these at one place: agent.foreign. All of them are Explained
(support/errors.py).
"""

from __future__ import annotations

from typing import ClassVar

from agent.exits import ENDED, FAILED, WRONG


class AgentError(Exception):
    """What the agent could not do, in one line."""

    exit_status: ClassVar[int] = FAILED
    """Of a command that ends with it."""
    retryable: bool = False
    """Whether the same may succeed later, without anybody's help."""

    def __init__(self, message: str, *, hint: str = "", retryable: bool | None = None) -> None:
        """message: what, where, why. hint: what a person can do. retryable: where it differs from the class's."""
        super().__init__(message)
        self.hint = hint
        if retryable is not None:
            self.retryable = retryable

    def __str__(self) -> str:
        """The message as one line, without the hint: support.errors.explanation adds that."""
        return " ".join(str(self.args[0]).split())


class InputError(AgentError):
    """What the operator wrote or set up is wrong."""

    exit_status = WRONG


class ConfigError(InputError):
    """agent.toml, party.toml or the command line is missing something, or wrong."""


class CredentialError(InputError):
    """An invitation's token, a key or a certificate is not what it should be."""


class KeyStoreError(InputError):
    """Keys cannot be read or kept, or a file of keys is wrong."""


class NodeosError(InputError):
    """This nodeos cannot be used."""


class SpecError(InputError, ValueError):
    """A node's description has a part that may not be used."""


class DutyError(AgentError):
    """The agent refuses a task, or cannot do it."""


class PushError(AgentError):
    """A piece of work could not be done."""


class ChainError(AgentError):
    """A node refused or did not answer, or a value is invalid in the protocol."""


class StalledError(AgentError):
    """The chain stands still, so the fate of transactions cannot be told."""

    retryable = True


class OverdueError(AgentError):
    """Something did not happen within its deadline."""

    retryable = True


class AuditFailed(AgentError):
    """The chain could not be read, so there is no verdict."""

    retryable = True


class KeosdError(AgentError):
    """keosd refused, or cannot be reached."""

    retryable = True

    def __init__(self, message: str, code: int = 0) -> None:
        """code: keosd's own, 0 when there was no answer."""
        super().__init__(message)
        self.code = code


class SystemFault(AgentError):
    """The operating system refused: a file, a socket, a process."""

    retryable = True


class StorageError(AgentError):
    """The journal or an artifact cannot be used."""


class FolderBusy(AgentError):
    """Another agent runs in the data folder."""


class StillRunning(AgentError):
    """A process did not end after SIGTERM; it was not killed."""


class NodeFault(AgentError):
    """A node cannot be started, stopped or found; the line says which and why."""


class PortTaken(NodeFault):
    """Another process listens on one of its ports."""

    retryable = True


class DiskFull(NodeFault):
    """Its disk has too little space left."""


class FolderInUse(NodeFault):
    """A living process that is not ours has its data open."""


class OtherChain(NodeFault):
    """Its data, or what it runs, is of another chain than the sealed one."""


class Damaged(NodeFault):
    """Files in its folder were torn or lost."""


class DamagedState(Damaged):
    """Its state was not closed, or is damaged, or half made: only a replay of its blocks helps."""


class DamagedForks(Damaged):
    """Its reversible blocks cannot be read."""


class DamagedBlocks(Damaged):
    """Its block log, or the log's index, cannot be read to its end."""


class DamagedFeatures(Damaged):
    """A description of a protocol feature cannot be read."""


class Crashed(NodeFault):
    """It ended itself by a signal, such as SIGSEGV or SIGABRT."""


class BadConfiguration(NodeFault):
    """It cannot start with this configuration."""


class NotAnswering(NodeFault):
    """It runs but did not answer in time."""

    retryable = True


class Unfinished(NotAnswering):
    """It ended or took too long before it answered. This says nothing about its data."""


class NotNow(NodeFault):
    """Stale production would be wrong, or is not needed."""


class UnknownNode(NodeFault):
    """This host has no node of that name."""


class SessionEnded(AgentError):
    """The connection to the coordinator is over: dial again."""

    retryable = True


class Refused(SessionEnded):
    """The coordinator does not want this agent: dialling again would not help."""

    retryable = False


class Replaced(Refused):
    """Another machine has this host's place in the network."""


class AccessEnded(Refused):
    """A party's access was ended: starting its agent again would not help either."""

    exit_status = ENDED


class JoinError(AgentError):
    """The invitation could not be redeemed."""


class ControlError(AgentError):
    """What a party's operator asked for was not done."""


class InternalError(AgentError):
    """A fault of the agent itself."""
