"""`coord backup`: the state folder and hosts' keys in one file, encrypted to its operator's key or passphrase.

A host's keys are encrypted on that host, by a command of its agent that is run over SSH. There is no task for it: an
attacker who takes over a coordinator's connection to the agents cannot have keys encrypted to a key of their own.
"""

from __future__ import annotations

import io
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO, cast

from coordinator.advising import typed
from coordinator.agents.ca import CertificateAuthority
from coordinator.errors import OperationFailed, UsageProblem
from coordinator.hosts.keys import back_up_keys
from coordinator.state.backup import IDENTITY, STATE, Index, keys_part, measured, write_backup
from coordinator.state.folder import JOURNAL, StateFolder
from coordinator.state.losses import check_whole
from inventory.network import Network
from support.age import encrypt_stream, lock, new_identity, recipient

LEFT_OUT = ("hosts", "lock", JOURNAL, f"{JOURNAL}-wal", f"{JOURNAL}-shm", "restored.json")
"""Left out when files are copied: local hosts' data, locks, and the journal, which is copied separately in one
transaction.
"""
PASSPHRASE_LENGTH = 12
"""Minimum characters of a passphrase."""


@dataclass(frozen=True)
class Lock:
    """What a backup is encrypted to."""

    recipients: tuple[str, ...] = ()
    """age1…"""
    passphrase: str = ""
    """Used instead of recipients."""

    def check(self) -> None:
        """Raises UsageProblem, AgeError."""
        if bool(self.recipients) == bool(self.passphrase):
            raise UsageProblem("say either who can decrypt the backup (--recipient age1…), or --passphrase")
        if self.passphrase and len(self.passphrase) < PASSPHRASE_LENGTH:
            raise UsageProblem(f"the passphrase has fewer than {PASSPHRASE_LENGTH} characters: it protects every key")
        for text in self.recipients:
            recipient(text)


def back_up(
    network: Network, root: Path, to: Path, locked: Lock, hosts: Collection[str], tell: Callable[[str], None]
) -> Index:
    """Writes the backup. hosts: whose keys are in it. Raises UsageProblem, AgeError, OperationFailed, OSError."""
    locked.check()
    unknown = sorted(set(hosts) - {host.name for host in network.hosts})
    if unknown:
        raise UsageProblem(f"{network.source}: there is no host {unknown[0]!r}")
    if to.exists():
        raise UsageProblem(f"{to} exists already: name another file with --to")
    if not StateFolder.exists(root, network.name):
        raise OperationFailed(f"{network.name} was never booted; run: {typed('boot')}")
    with closing(StateFolder(root, network.name)) as state, ExitStack() as files:
        check_whole(state)
        parts: dict[str, BinaryIO] = {}
        recipients = locked.recipients
        if locked.passphrase:
            # Hosts never see the passphrase: they encrypt to a key made here, which only the passphrase unlocks.
            identity = new_identity()
            recipients = (str(identity.to_public()),)
            parts[IDENTITY] = io.BytesIO(lock(identity, locked.passphrase))
        parts[STATE] = files.enter_context(_file())
        with _file() as plain:
            _pack_state(state.folder, network, plain)
            plain.seek(0)
            encrypt_stream(plain, parts[STATE], [recipient(text) for text in recipients])
        for host, keys in back_up_keys(state, network, hosts, recipients, tell).items():
            parts[keys_part(host)] = io.BytesIO(keys)
        index = _index(state, network, parts)
        write_backup(to, index, parts)
    return index


def _index(state: StateFolder, network: Network, parts: Mapping[str, BinaryIO]) -> Index:
    sealed, authority = state.sealed, CertificateAuthority(state.folder / "ca", network.name, make=False)
    return Index(
        network.name,
        sealed.chain_id if sealed else "",
        sealed.manifest if sealed else "",
        authority.pin,
        datetime.now(UTC).isoformat(timespec="seconds"),
        version("bootcoord"),
        {name: measured(part) for name, part in parts.items()},
    )


def _file() -> BinaryIO:
    """An unnamed temporary file, so that no plain text is left behind, whatever happens."""
    return cast(BinaryIO, tempfile.TemporaryFile())


def _pack_state(folder: Path, network: Network, writer: BinaryIO) -> None:
    with tarfile.open(fileobj=writer, mode="w") as tar, tempfile.TemporaryDirectory(dir=folder) as scratch:
        journal = Path(scratch, JOURNAL)
        _copy_journal(folder / JOURNAL, journal)
        tar.add(journal, JOURNAL)
        for path in _files(folder, scratch=Path(scratch)):
            tar.add(path, str(path.relative_to(folder)), recursive=False)
        tar.add(network.source, "inventory.toml")


def _files(folder: Path, scratch: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        top = path.relative_to(folder).parts[0]
        if top not in LEFT_OUT and path.is_file() and not path.is_symlink() and scratch not in path.parents:
            yield path


def _copy_journal(source: Path, target: Path) -> None:
    """Copies the journal consistently, even while a coordinator writes to it. Raises OperationFailed."""
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as one,
            closing(sqlite3.connect(target)) as two,
        ):
            one.backup(two)
    except sqlite3.Error as error:
        raise OperationFailed(f"{source} cannot be copied: {error}") from error


def without_keys(network: Network, index: Index) -> Sequence[str]:
    """The hosts whose keys are not in the backup."""
    return [host.name for host in network.hosts if host.name not in index.hosts]
