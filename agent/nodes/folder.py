"""A node's folder: what it is, how it ran last, its files.

DATA/nodes/NAME/   0700
    node.json      how it ran last (NodeRecord)
    process.json   its process; there exactly while the node is meant to run
    recovering     there while its state is made again after a crash
    config.ini     0600, holds the signing key
    genesis.json
    data/          nodeos' own: blocks, state
    log/           nodeos.log and nodeos.log.1 (support.nodelogs)
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent.errors import SpecError
from agent.nodeos.spec import NodeSpec
from antelope.strict_json import read_json
from boot.step import NodeMode
from inventory.network import Role
from support.files import write_atomic
from support.nodelogs import LOG
from support.processes import RECORD, Process

RECOVERING = "recovering"
_BEGIN = "---- bootcoord starts nodeos "


@dataclass(frozen=True)
class NodeRecord:
    """How a node ran last."""

    spec: NodeSpec
    mode: NodeMode
    chain_id: str

    def pack(self) -> bytes:
        """As node.json holds it."""
        return json.dumps(asdict(self) | {"mode": self.mode.value}, indent=1).encode()

    @staticmethod
    def unpack(data: bytes) -> NodeRecord:
        """Raises ValueError."""
        try:
            values = read_json(data, size=1 << 20)
            raw = values["spec"]
            spec = NodeSpec(**raw | {"role": Role(raw["role"]), "peers": tuple(raw["peers"])})
            return NodeRecord(spec, NodeMode(values["mode"]), str(values["chain_id"]))
        except (KeyError, TypeError, AttributeError, ValueError, SpecError) as error:
            raise ValueError("not a node's record") from error


@dataclass(frozen=True)
class NodeFolder:
    """The files of one node."""

    path: Path

    @property
    def name(self) -> str:
        """The node's."""
        return self.path.name

    @property
    def config(self) -> Path:
        """config.ini."""
        return self.path / "config.ini"

    @property
    def genesis(self) -> Path:
        """genesis.json."""
        return self.path / "genesis.json"

    @property
    def data(self) -> Path:
        """nodeos' own folder."""
        return self.path / "data"

    @property
    def log(self) -> Path:
        """What nodeos writes."""
        return self.path / LOG

    @property
    def process(self) -> Process | None:
        """The process on record, alive or not; None when the node is not meant to run."""
        return Process.read(self.path / RECORD)

    def remember(self, process: Process) -> None:
        """Puts the node's process on record: from now on the node is meant to run."""
        process.write(self.path / RECORD)

    def forget(self) -> None:
        """The node is not meant to run any more."""
        (self.path / RECORD).unlink(missing_ok=True)

    @property
    def recovering(self) -> bool:
        """Whether its state is being made again, which an agent that died may have left half done."""
        return (self.path / RECOVERING).exists()

    def begin_recovery(self) -> None:
        """From now on a start recovers, until one has. Raises OSError."""
        write_atomic(self.path / RECOVERING, b"", 0o600)

    def end_recovery(self) -> None:
        """A start has."""
        (self.path / RECOVERING).unlink(missing_ok=True)

    def make(self) -> None:
        """Creates it, closed to others. Raises OSError."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path.chmod(0o700)

    def record(self) -> NodeRecord | None:
        """How the node ran last; None when it never did, or the record cannot be read."""
        try:
            return NodeRecord.unpack((self.path / "node.json").read_bytes())
        except (OSError, ValueError):
            return None

    def write(self, record: NodeRecord, config: str, genesis: bytes) -> None:
        """Writes everything a start needs. Raises OSError."""
        write_atomic(self.genesis, genesis, 0o600)
        write_atomic(self.config, config.encode(), 0o600)
        write_atomic(self.path / "node.json", record.pack(), 0o600)

    def begin_log(self, command: Sequence[str]) -> None:
        """Marks in the log where a run begins, and by which command (which holds no secret). Raises OSError."""
        self.log.parent.mkdir(exist_ok=True)
        with self.log.open("a") as file:
            file.write(f"{_BEGIN}{datetime.now(UTC).isoformat(timespec='milliseconds')} {' '.join(command)}\n")

    def last_run(self, most: int = 1 << 20) -> str:
        """What the node logged in its last run, the last bytes only."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - most))
                _before, _mark, run = file.read(most).decode("utf-8", "replace").rpartition(_BEGIN)
        except FileNotFoundError:
            return ""
        return run.partition("\n")[2] if _mark else run

    def owned(self) -> bool:
        """Whether a living process has the chain's state open: nodeos locks it, and a second one calls it dirty."""
        try:
            handle = os.open(self.data / "state" / "shared_memory.bin", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(handle)
        return False

    def drop_state(self) -> None:
        """Removes what nodeos rebuilds from its blocks."""
        shutil.rmtree(self.data / "state", ignore_errors=True)

    def drop_chain(self) -> None:
        """Removes blocks and state: for a node whose peers have them."""
        shutil.rmtree(self.data, ignore_errors=True)
