"""Stores snapshots: files of a node's state, named by their sha256, each with its description."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from support.artifacts import DamagedError, sha256_of
from support.files import write_atomic
from support.records import record_of

KEEP = 3
"""How many snapshots one store keeps by default: the newest ones."""
KEEP_DAYS = 7.0
"""Maximum days that they are kept, by default. A node that started from one has its own link."""
PART = 4 << 20
"""Bytes of a snapshot that are passed on at once."""


@dataclass(frozen=True)
class Snapshot:
    """The description of a snapshot."""

    sha256: str
    """Of the file, hex. Nodes of one version of nodeos write the same bytes for the same block."""
    size: int
    """Bytes."""
    block: int
    """The number of the block whose state it is."""
    block_id: str
    chain_id: str
    node: str
    """Who wrote it, or `fetched`."""
    nodeos: str
    """Version of the nodeos that wrote it."""
    taken: float
    """Unix seconds."""

    @property
    def name(self) -> str:
        """Its name for people."""
        return f"{self.block}-{self.sha256[:12]}"

    @property
    def told(self) -> dict[str, Any]:
        """The fields of the message in which agent and coordinator tell each other of it."""
        return {name: value for name, value in asdict(self).items() if name != "chain_id"}

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"name": self.name}


class SnapshotStore:
    """A folder of snapshots: SHA256.bin, and SHA256.json with the description."""

    def __init__(self, folder: Path) -> None:
        """Creates the folder when the first one is kept."""
        self.folder = folder

    def path(self, sha256: str) -> Path:
        """The file, whether or not it exists."""
        return self.folder / f"{sha256}.bin"

    def part(self, sha256: str) -> Path:
        """The part of a snapshot that was fetched so far."""
        return self.folder / f"{sha256}.part"

    def all(self) -> tuple[Snapshot, ...]:
        """All snapshots, the newest first. Unreadable ones are left out."""
        found = (self._read(path) for path in self.folder.glob("*.json"))
        whole = (one for one in found if one is not None and self.path(one.sha256).is_file())
        return tuple(sorted(whole, key=lambda one: (one.block, one.taken), reverse=True))

    def find(self, name: str) -> Snapshot | None:
        """The snapshot of that name, or whose sha256 begins so (8 digits at least); for an empty name the newest."""
        return next((one for one in self.all() if matches(one, name)), None)

    def keep(self, path: Path, snapshot: Snapshot) -> None:
        """Moves a file into the store. Raises DamagedError if its content is not what its name says, and OSError."""
        if sha256_of(path) != snapshot.sha256:
            raise DamagedError(f"{path} is not the snapshot {snapshot.sha256[:16]}…: it is damaged, or another")
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path != self.path(snapshot.sha256):
            shutil.move(path, self.path(snapshot.sha256))
        self.path(snapshot.sha256).chmod(0o600)
        write_atomic(self.folder / f"{snapshot.sha256}.json", json.dumps(asdict(snapshot)).encode(), 0o600)

    def remove(self, sha256: str) -> None:
        """Removes a snapshot and its description. Raises OSError."""
        (self.folder / f"{sha256}.json").unlink(missing_ok=True)
        for path in self.folder.glob(f"{sha256}.*"):
            path.unlink(missing_ok=True)

    def prune(self, now: float, keep: int = KEEP, days: float = KEEP_DAYS) -> tuple[Snapshot, ...]:
        """Removes snapshots that are too many or too old, and old parts; never the newest one. now: Unix seconds."""
        old = now - days * 86_400
        gone = [one for place, one in enumerate(self.all()) if place >= max(1, keep) or (place and one.taken < old)]
        for one in gone:
            self.remove(one.sha256)
        for part in self.folder.glob("*.part"):
            if part.stat().st_mtime < old:
                part.unlink(missing_ok=True)
        return tuple(gone)

    def _read(self, path: Path) -> Snapshot | None:
        try:
            found = record_of(Snapshot, path.read_bytes())
        except (OSError, ValueError):
            return None
        return found if found.sha256 == path.stem else None


class Incoming:
    """A snapshot that arrives in parts. What has arrived is kept, and a later try continues from it."""

    def __init__(self, path: Path, size: int) -> None:
        """path: where the parts are put. size: bytes of the whole; more is refused. Raises OSError."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path, self._size = path, size
        self._hash = hashlib.sha256()
        self._file = path.open("a+b")
        os.chmod(path, 0o600)
        self._file.seek(0)
        while part := self._file.read(PART):
            self._hash.update(part)
        self.arrived = self._file.tell()
        """Bytes."""

    def close(self) -> None:
        """Closes the file and keeps what has arrived."""
        self._file.close()

    def take(self, data: bytes) -> None:
        """Appends the next part. Raises DamagedError if more arrives than was announced, and OSError."""
        if self.arrived + len(data) > self._size:
            raise DamagedError(f"a snapshot of {self._size} bytes was announced, and more came")
        self._file.write(data)
        self._hash.update(data)
        self.arrived += len(data)

    def finish(self, sha256: str) -> Path:
        """The whole file. Raises DamagedError when it is not the one that was asked for; then it is removed."""
        self._file.flush()
        if self.arrived != self._size or self._hash.hexdigest() != sha256:
            self._path.unlink(missing_ok=True)
            raise DamagedError(f"what came is not the snapshot {sha256[:16]}…: it was changed on its way, or cut off")
        return self._path


def matches(snapshot: Snapshot, name: str) -> bool:
    """Whether a person means this one: its name, the beginning of its sha256, or nothing."""
    return not name or snapshot.name == name or (len(name) >= 8 and snapshot.sha256.startswith(name))
