"""The coordinator's state for one network: the folder `.coord/NETWORK/` and the journal in it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from coordinator.advising import typed
from coordinator.errors import OperationFailed
from coordinator.reporter import StepResult
from coordinator.state.inputs import Inputs
from inventory.sealed import Sealed
from support.artifacts import ArtifactStore
from support.files import write_atomic
from support.journal import Journal
from support.snapshots import SnapshotStore

JOURNAL = "journal.sqlite"
SEALED = "sealed.json"
"""The sealed network's file, written at the seal."""

_SCHEMA = (
    """CREATE TABLE step (
        name TEXT PRIMARY KEY, state TEXT NOT NULL, seconds REAL NOT NULL, detail TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE pushed (
        step TEXT NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL, block INTEGER NOT NULL, PRIMARY KEY (step, key, id)
    ) STRICT""",
)


def remedy() -> str:
    """What to do if something here is missing or damaged: it can be rebuilt from the hosts and the chain."""
    return f"run: {typed('adopt')}"


@dataclass(frozen=True)
class StepRecord:
    """How a step last ended."""

    name: str
    result: StepResult
    seconds: float
    detail: str
    transactions: int

    @property
    def done(self) -> bool:
        """Whether any run completed it."""
        return self.result is StepResult.DONE


class StateFolder:
    """What commands about the same network store for each other."""

    def __init__(self, root: Path, network: str, *, adopting: bool = False) -> None:
        """Creates the folder (0700) if there is none. root: usually `.coord`. adopting: lost state is about to be
        rebuilt, so its absence is not an error.
        """
        self.folder = root.absolute() / network
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.artifacts = ArtifactStore(self.folder / "artifacts", remedy())
        self.snapshots = SnapshotStore(self.folder / "snapshots")
        self.boot_log = self.folder / "boot.log"
        self.inputs = Inputs(self.folder / "inputs.json")
        self._sealed: Sealed | None = None
        self._adopting = adopting

    @staticmethod
    def exists(root: Path, network: str) -> bool:
        """Whether root has any state of this network."""
        return any((root / network / name).exists() for name in (JOURNAL, SEALED, "hosts"))

    @cached_property
    def journal(self) -> Journal:
        """Opened on first use: nodes can be stopped without it, for instance on a full disk. Raises JournalError."""
        journal = Journal(self.folder / JOURNAL, remedy())
        journal.part("boot", _SCHEMA)
        return journal

    def close(self) -> None:
        """Closes the journal."""
        if "journal" in self.__dict__:
            self.journal.close()

    def host_data(self, host: str) -> Path:
        """The data folder of a local host's agent."""
        return self.folder / "hosts" / host

    @property
    def sealed(self) -> Sealed | None:
        """The sealed network; None before the seal. It is read once, because it never changes."""
        if self._sealed is None:
            self._sealed = self._read_sealed()
        return self._sealed

    def _read_sealed(self) -> Sealed | None:
        """Raises OperationFailed if it is lost or damaged, unless it is about to be rebuilt."""
        path = self.folder / SEALED
        if not path.exists() and (self._adopting or not any(step.done for step in self.steps().values())):
            return None
        if wrong := self.wrong_seal(begun=True):
            if self._adopting:
                return None
            raise OperationFailed(f"{path} {wrong}: {remedy()}")
        return Sealed.parse(path.read_bytes())

    def wrong_seal(self, begun: bool) -> str:
        """What is wrong with the sealed network's file; empty if nothing is. begun: whether there must be one."""
        path = self.folder / SEALED
        try:
            sealed = Sealed.parse(path.read_bytes())
        except FileNotFoundError:
            return "is missing" if begun else ""
        except ValueError as error:
            return f"is damaged ({error})"
        if not self.artifacts.has(sealed.manifest):
            return f"is not what was sealed: no artifact has its hash, {sealed.manifest[:16]}…"
        return ""

    def seal(self, sealed: Sealed, artifacts: dict[str, bytes]) -> None:
        """Stores the sealed network for good. Artifacts go first, so that a sealed network always has all of them."""
        for data in artifacts.values():
            self.artifacts.put(data)
        self.artifacts.put(sealed.canonical())
        write_atomic(self.folder / "genesis.json", json.dumps(dict(sealed.genesis), indent=2).encode() + b"\n")
        write_atomic(self.folder / SEALED, sealed.canonical())

    def record_step(self, name: str, result: StepResult, seconds: float, detail: str) -> None:
        """Records how a step ended. One that was already done keeps the duration of that run."""
        if result is StepResult.ALREADY:
            known = self.journal.row("SELECT state FROM step WHERE name = ?", name)
            if known and known[0] == StepResult.DONE:
                return
            result = StepResult.DONE
        self.journal.write("INSERT OR REPLACE INTO step VALUES (?, ?, ?, ?)", name, str(result), seconds, detail)

    def record_pushes(self, step: str, pushed: Iterable[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
        """Records transactions (key, id, block). Returns those that are new."""
        statement = "INSERT OR IGNORE INTO pushed VALUES (?, ?, ?, ?)"
        with self.journal.transaction():
            return [one for one in pushed if self.journal.write(statement, step, *one) > 0]

    def pushes(self) -> dict[str, list[tuple[str, str, int]]]:
        """Every transaction that was recorded (key, id, block), by step."""
        found: dict[str, list[tuple[str, str, int]]] = {}
        for step, *pushed in self.journal.rows("SELECT step, key, id, block FROM pushed"):
            found.setdefault(step, []).append((pushed[0], pushed[1], pushed[2]))
        return found

    def steps(self) -> dict[str, StepRecord]:
        """Every step that has ever ended, by name."""
        rows = self.journal.rows(
            """SELECT step.name, state, seconds, detail, (SELECT count(*) FROM pushed WHERE pushed.step = step.name)
               FROM step"""
        )
        return {row[0]: StepRecord(row[0], StepResult(row[1]), *row[2:]) for row in rows}
