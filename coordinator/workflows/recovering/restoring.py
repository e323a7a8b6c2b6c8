"""`coord restore`: a backup becomes the state folder of this machine, which from then on leads the network."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from coordinator.agents.records import Records
from coordinator.errors import UsageProblem
from coordinator.state.backup import BackupFile, Index, open_backup
from coordinator.state.folder import StateFolder
from coordinator.state.losses import losses
from support.files import write_atomic

if TYPE_CHECKING:
    from pyrage.x25519 import Identity

RESTORED = "restored.json"
INVENTORY = "inventory.toml"


@dataclass(frozen=True)
class Restored:
    """The result of `coord restore`."""

    index: Index
    folder: Path
    already: bool
    """This backup was restored here before, and nothing was changed."""

    @property
    def inventory(self) -> Path:
        """The inventory as it was when the backup was made."""
        return self.folder / INVENTORY


def restore(path: Path, root: Path, given: Sequence[Identity], passphrase: str) -> Restored:
    """Restores the coordinator's state. Raises UsageProblem (nothing was changed), AgeError, OSError."""
    with open_backup(path) as backup:
        folder = root.absolute() / backup.index.network
        digest = _digest(path)
        if _restored(folder) == digest:
            return Restored(backup.index, folder, already=True)
        if folder.exists() and any(folder.iterdir()):
            raise UsageProblem(
                f"{folder} holds a state of {backup.index.network}, and is not overwritten: restore into another "
                "folder (--state DIR), or move it away"
            )
        keys = backup.keys(given, passphrase)
        root.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=root, prefix=".restoring-"))
        try:
            _unpack(backup, keys, scratch)
            _check(backup, scratch)
            write_atomic(scratch / backup.index.network / RESTORED, json.dumps({"backup": digest}).encode(), 0o600)
            if folder.exists():
                folder.rmdir()
            os.rename(scratch / backup.index.network, folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return Restored(backup.index, folder, already=False)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _restored(folder: Path) -> str:
    """The backup that this folder was made from; empty if it was not."""
    try:
        return str(json.loads((folder / RESTORED).read_bytes())["backup"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _unpack(backup: BackupFile, keys: Sequence[Identity], root: Path) -> None:
    target = root / backup.index.network
    target.mkdir(mode=0o700)
    with tempfile.TemporaryFile(dir=root) as plain:
        backup.state(plain, keys)
        plain.seek(0)
        try:
            _extract(plain, target)
        except tarfile.TarError as error:
            raise UsageProblem(f"{backup.path}: its state is damaged: {error}") from error


def _extract(plain: BinaryIO, target: Path) -> None:
    with tarfile.open(fileobj=plain, mode="r:") as tar:
        for member in tar:
            name = PurePosixPath(member.name)
            source = tar.extractfile(member) if member.isfile() else None
            if source is None or name.is_absolute() or ".." in name.parts:
                raise tarfile.TarError(f"{member.name[:200]!r} is not a file of a state folder")
            place = target / name
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with place.open("xb") as file:
                os.fchmod(file.fileno(), member.mode & 0o600 if "key" in name.suffix else member.mode & 0o644)
                shutil.copyfileobj(source, file)


def _check(backup: BackupFile, root: Path) -> None:
    """Makes the unpacked state lead the network. Raises UsageProblem if it is incomplete."""
    name = backup.index.network
    with closing(StateFolder(root, name)) as state:
        if found := losses(state):
            raise UsageProblem(f"{backup.path}: what it holds is not whole: {found[0].path.name} {found[0].what}")
        manifest = state.sealed.manifest if state.sealed else ""
        if manifest != backup.index.manifest:
            raise UsageProblem(f"{backup.path}: its state is that of another network")
    with Records(root / name, name) as records:
        if records.authority.pin != backup.index.ca:
            raise UsageProblem(f"{backup.path}: its CA is not the one that it names")
        records.lead()
