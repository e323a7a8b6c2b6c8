"""A node's folder: its layout, its files, and how the node ran last.

DATA/nodes/NAME/   0700
    node.json      how it ran last (NodeRecord)
    process.json   its process; there exactly while the node is meant to run
    recovering     there while its chain is mended, with the reason
    trouble        why it did not start, the first time since it last ran
    reached        about how far its chain was irreversible
    withheld       there while a producer's node runs without its key: when it may have signed last, and why
    set-aside/     what was damaged, by the time it was put there
    aside          there while something is put aside for as long as a remedy is tried: when, and what
    snapshot.bin, snapshot.json    what its chain began with, if not with a genesis (agent.nodes.beginning)
    config.ini     0600, holds the signing key
    genesis.json
    data/          nodeos' own: blocks, state
    log/           nodeos.log and nodeos.log.1 (support.nodelogs)
"""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent.errors import SpecError
from agent.nodeos.spec import NodeSpec
from agent.nodes.beginning import Beginning, Begun
from agent.nodes.run_log import RunLog
from antelope.strict_json import read_json
from boot.step import NodeMode
from inventory.network import Role
from support.files import remove_folder, write_atomic
from support.node_processes import DATA, RECORD, owned
from support.nodelogs import LOG
from support.processes import Process

REACHED_STEP = 120
"""Blocks between two records of how far the chain is."""
_ENTRY = 8
"""Bytes of a block's entry in the index of a block log."""


@dataclass(frozen=True)
class NodeRecord:
    """How a node ran last."""

    spec: NodeSpec
    mode: NodeMode
    chain_id: str
    keys: tuple[str, ...] = ()
    """The public keys (EOS…) that its process signs blocks with."""

    def pack(self) -> bytes:
        """The record as JSON for node.json."""
        return json.dumps(asdict(self) | {"mode": self.mode.value}, indent=1).encode()

    @staticmethod
    def unpack(data: bytes) -> NodeRecord:
        """Raises ValueError."""
        try:
            values = read_json(data, size=1 << 20)
            raw = values["spec"]
            spec = NodeSpec(**raw | {"role": Role(raw["role"]), "peers": tuple(raw["peers"])})
            keys = tuple(str(key) for key in values.get("keys", ()))
            return NodeRecord(spec, NodeMode(values["mode"]), str(values["chain_id"]), keys)
        except (KeyError, TypeError, AttributeError, ValueError, SpecError) as error:
            raise ValueError("not a node's record") from error


@dataclass(frozen=True)
class Withheld:
    """A producer's node follows the chain without its key, so that it cannot sign."""

    why: str
    signed_last: float | None
    """When it may have signed last, in Unix seconds; None: never, or unknown."""


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
        return self.path / DATA

    @property
    def blocks(self) -> Path:
        """Where nodeos keeps its blocks."""
        return self.data / "blocks"

    @property
    def state(self) -> Path:
        """What nodeos builds from its blocks."""
        return self.data / "state"

    @property
    def log(self) -> RunLog:
        """What nodeos writes."""
        return RunLog(self.path / LOG)

    @property
    def process(self) -> Process | None:
        """The process on record, alive or not; None when the node is not meant to run."""
        return Process.read(self.path / RECORD)

    def remember(self, process: Process) -> None:
        """Puts the node's process on record: from now on the node is meant to run."""
        process.write(self.path / RECORD)

    def forget(self) -> None:
        """Records that the node is no longer meant to run."""
        (self.path / RECORD).unlink(missing_ok=True)

    @property
    def recovering(self) -> str | None:
        """Why its chain is being repaired, perhaps by an agent that died during it; None if it is not."""
        return self._note("recovering")

    def begin_recovery(self, why: str) -> None:
        """Makes every start try to recover the chain, until one succeeds. Raises OSError."""
        if self.recovering is None:
            write_atomic(self.path / "recovering", why.encode(), 0o600)

    def end_recovery(self) -> None:
        """Records that a start has recovered the chain."""
        (self.path / "recovering").unlink(missing_ok=True)

    def blame(self, why: str) -> str:
        """Records why a start failed. Returns the message: the first reason since the node last ran comes first."""
        first = self._note("trouble")
        if first is None:
            with contextlib.suppress(OSError):  # the reason may be that nothing can be written there
                write_atomic(self.path / "trouble", why.encode(), 0o600)
        return why if first in (None, why) else f"{first}; then: {why}"

    def forgive(self) -> None:
        """Forgets the trouble, because the node runs, or will run in another way."""
        with contextlib.suppress(OSError):
            (self.path / "trouble").unlink(missing_ok=True)

    @property
    def withheld(self) -> Withheld | None:
        """Why a producer's node runs without its key; None if it has the key."""
        note = self._note("withheld")
        if note is None:
            return None
        last, _, why = note.partition(" ")
        try:
            return Withheld(why, float(last) if last != "-" else None)
        except ValueError:
            return Withheld(why or note, None)

    def withhold(self, withheld: Withheld | None) -> None:
        """Records why it runs without its key; None if it has the key. Raises OSError."""
        if withheld is None:
            (self.path / "withheld").unlink(missing_ok=True)
            return
        last = "-" if withheld.signed_last is None else str(withheld.signed_last)
        write_atomic(self.path / "withheld", f"{last} {withheld.why}".encode(), 0o600)

    @property
    def reached(self) -> int:
        """A recent irreversible block of its chain; 0 if none is known."""
        noted = self._note("reached") or ""
        return int(noted) if noted.isascii() and noted.isdigit() else 0

    def note_reached(self, block: int) -> None:
        """Records an irreversible block now and then. An older one does as well, if the machine crashes. Raises
        OSError.
        """
        before = self.reached
        if block > 1 and (before <= 1 or block >= before + REACHED_STEP):
            write_atomic(self.path / "reached", str(block).encode(), 0o600, lasting=False)

    def lower_reached(self, block: int) -> None:
        """Records that later blocks are lost, or will come from peers. Raises OSError."""
        write_atomic(self.path / "reached", str(block).encode(), 0o600, lasting=self.reached > block)

    @property
    def known(self) -> int:
        """A block that its chain must have: it was irreversible, or is in the log's index."""
        index, first = self.blocks / "blocks.index", self.beginning
        logged = index.stat().st_size // _ENTRY if index.is_file() else 0
        return max(self.reached, logged + (first.block if first else 0))

    @property
    def begun_from(self) -> Begun:
        """The files that say what its chain began with."""
        return Begun(self.path)

    @property
    def beginning(self) -> Beginning | None:
        """The snapshot that its chain began with; None: the genesis."""
        return self.begun_from.read()

    @property
    def begun(self) -> bool:
        """Whether the chain has more than its first block, which every node makes by itself."""
        logs = self.blocks.rglob("*.index") if self.blocks.is_dir() else ()
        return (
            self.reached > 1
            or any(index.stat().st_size > _ENTRY for index in logs)
            or (self.blocks / "reversible" / "fork_db.dat").exists()
        )

    def _note(self, name: str) -> str | None:
        try:
            return (self.path / name).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return None

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
        """Writes everything a start needs; each start writes config.ini anew. Raises OSError."""
        if not self.genesis.is_file() or self.genesis.read_bytes() != genesis:
            write_atomic(self.genesis, genesis, 0o600)
        write_atomic(self.config, config.encode(), 0o600, lasting=False)
        write_atomic(self.path / "node.json", record.pack(), 0o600)

    def owned(self) -> bool:
        """Whether a living process has the chain's state open: nodeos locks it, and a second one calls it dirty."""
        return owned(self.data)

    def set_aside(self, *paths: Path, provisional: bool = False) -> Path:
        """Moves these files and folders, if they exist, to where nothing reads them. Returns where. Raises OSError.

        provisional: until `keep_aside`, `put_back` brings them back, also after a crash in between.
        """
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
        place = self.path / "set-aside" / now
        place.mkdir(parents=True, mode=0o700)
        for path in paths:
            if path.exists():
                shutil.move(path, place / path.name)  # its folder may be a link to another disk
        if provisional:
            names = [now, *(str(path.relative_to(self.path)) for path in paths)]
            write_atomic(self.path / "aside", "\n".join(names).encode(), 0o600)
        return place

    def keep_aside(self) -> None:
        """Keeps aside what was put aside provisionally. Raises OSError."""
        (self.path / "aside").unlink(missing_ok=True)

    def put_back(self) -> None:
        """Undoes a provisional `set_aside`, if there is one. Raises OSError."""
        when, *names = (self._note("aside") or "").split("\n")
        if not when:
            return
        place = self.path / "set-aside" / when
        for path in (self.path / name for name in names):
            if (kept := place / path.name).exists():
                if path.is_dir():
                    shutil.rmtree(path)
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(kept, path)
        with contextlib.suppress(FileNotFoundError):
            place.rmdir()
        self.keep_aside()

    def drop_chain(self) -> None:
        """Removes nodeos' own folder: for a chain that has not begun."""
        with contextlib.suppress(OSError):
            remove_folder(self.data)


def signing_there(nodes: Path) -> list[str]:
    """The accounts whose nodes are meant to run in this folder of nodes, and to sign."""
    folders = [NodeFolder(path) for path in sorted(nodes.glob("[!.]*/"))]
    records = [folder.record() for folder in folders if folder.process is not None]
    return [one.spec.account for one in records if one and one.spec.account and one.mode is not NodeMode.AUDIT]
