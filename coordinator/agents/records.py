"""What a coordinator stores: the agents' register, the CA, the artifacts that agents fetch, the journal, the lock."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from types import TracebackType

from coordinator.advising import typed
from coordinator.agents.ca import CertificateAuthority
from coordinator.agents.register import Register
from coordinator.errors import OperationFailed
from coordinator.state.folder import JOURNAL, remedy
from coordinator.state.numbers import Numbers
from protos.moves import credible
from support.artifacts import ArtifactStore
from support.journal import Journal
from support.locks import FileLock, LockedError
from support.snapshots import SnapshotStore

log = logging.getLogger(__name__)


MOVED, FENCED = "moved", "fenced"
"""Numbers: when this state came to this machine by a restore or an adoption, and when it came to another one; in Unix
seconds, 0: never.
"""


class HubError(OperationFailed):
    """The coordinator cannot accept agents."""


class BusyError(HubError):
    """Another coordinator of this network is running."""

    retryable = True


class Records:
    """Opened by one coordinator at a time: the lock is held until `close`.

    The state folder has `ca/`, `artifacts/`, `snapshots/`, `journal.sqlite` and `lock`.
    """

    def __init__(self, folder: Path, network: str, *, adopting: bool = False) -> None:
        """Opens or creates them. Raises BusyError, TlsError, JournalError, OSError.

        adopting: the state is being rebuilt, so parties with a certificate of this CA are registered again.
        """
        self.network = network
        self.adopting = adopting
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = FileLock(folder / "lock")
        try:
            self._lock.acquire()
        except LockedError as error:
            raise BusyError(
                f"another coord is working on {network} (process {error.pid}): wait until it ends"
            ) from error
        try:
            self.artifacts = ArtifactStore(folder / "artifacts", remedy())
            self.snapshots = SnapshotStore(folder / "snapshots")
            self.authority = CertificateAuthority(folder / "ca", network)
            self.journal = Journal(folder / JOURNAL, remedy())
        except BaseException:
            self._lock.release()
            raise
        try:
            self.numbers = Numbers(self.journal)
            self.register = Register(self.journal)
        except BaseException:
            self.close()
            raise

    def fence(self, moved: int) -> None:
        """Handles an agent's report of a coordinator whose state moved at that time. If that is later than this one's
        move, this one no longer leads.

        A time in the future is not believed: agents would refuse this coordinator even after it leads again.
        """
        if moved <= self.numbers[MOVED]:
            return
        if not credible(moved, time.time()):
            log.warning("an agent claims that this state moved in the future (%d): that is ignored", moved)
            return
        log.error("%s", _fenced())
        self.numbers[FENCED] = moved

    @property
    def leads(self) -> bool:
        """Whether this machine leads: no later move of the state to another machine is known."""
        return self.numbers[FENCED] <= self.numbers[MOVED]

    def check_leading(self) -> None:
        """Raises HubError if this state has moved to another machine."""
        if not self.leads:
            raise HubError(f"{self.network}: {_fenced()}")

    def lead(self) -> None:
        """Makes this machine lead from now on, whichever machine did before."""
        self.numbers[MOVED] = max(int(time.time()), self.numbers[MOVED] + 1, self.numbers[FENCED] + 1)

    def close(self) -> None:
        """Closes the journal and releases the lock."""
        self.journal.close()
        self._lock.release()

    def __enter__(self) -> Records:
        """Closes the records when the block ends."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _fenced() -> str:
    return (
        "its state was restored on another machine, which leads now: work there, or take it back here with: "
        f"{typed('adopt')}"
    )
