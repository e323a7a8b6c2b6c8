"""The file of a backup: a tar with an index in the clear, and parts that age has encrypted.

backup.json        network, chain, when, and each part's size and sha256
state.age          a tar of the state folder: journal, CA, sealed network, artifacts
keys/HOST.age      a host's keys, encrypted on that host
identity.age       with a passphrase: the key that opens the others, encrypted with it
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from antelope.errors import BadJson
from antelope.strict_json import read_json
from coordinator.errors import UsageProblem
from support.age import IDENTITY_FILE_LIMIT, AgeError, decrypt, decrypt_stream, identities, unlock

if TYPE_CHECKING:
    from pyrage.x25519 import Identity

FORMAT = "bootcoord backup 1"
INDEX, STATE, IDENTITY = "backup.json", "state.age", "identity.age"
INDEX_LIMIT = 4 << 20
KEYS_LIMIT = 256 << 20
_NAME = re.compile(r"state\.age|identity\.age|keys/[a-z0-9][a-z0-9.-]{0,62}\.age", re.ASCII)
_NETWORK = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)


def keys_part(host: str) -> str:
    """The name of the part with a host's keys."""
    return f"keys/{host}.age"


@dataclass(frozen=True)
class Index:
    """The index of a backup."""

    network: str
    chain_id: str
    """Hex; empty: not sealed yet."""
    manifest: str
    ca: str
    """sha256 (hex) of the CA's certificate."""
    made_at: str
    """ISO, UTC."""
    version: str
    """The version of the coord that made it."""
    parts: Mapping[str, tuple[int, str]]
    """Size in bytes and sha256 (hex) of each part, by name."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts whose keys are in it."""
        names = (part for part in self.parts if part.startswith("keys/"))
        return tuple(sorted(name.removeprefix("keys/").removesuffix(".age") for name in names))

    def pack(self) -> bytes:
        """As backup.json holds it."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1).encode() + b"\n"

    @staticmethod
    def unpack(data: bytes) -> Index:
        """Raises ValueError."""
        try:
            document = read_json(data, size=INDEX_LIMIT)
            if document.pop("format") != FORMAT:
                raise ValueError(f"{FORMAT!r} is expected")
            parts = {str(name): (int(size), str(sha256)) for name, (size, sha256) in document.pop("parts").items()}
            index = Index(**{name: str(value) for name, value in document.items()}, parts=parts)
        except (BadJson, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{INDEX} is not the index of a backup") from error
        if not _NETWORK.fullmatch(index.network) or not all(map(_NAME.fullmatch, parts)) or STATE not in parts:
            raise ValueError(f"{INDEX} names parts that no backup has")
        return index


def write_backup(path: Path, index: Index, parts: Mapping[str, BinaryIO]) -> None:
    """Writes the file (0600), completely or not at all. parts: open files, each at its beginning. Raises OSError."""
    with tempfile.NamedTemporaryFile(dir=path.absolute().parent, prefix=f".{path.name[:32]}.", delete=False) as file:
        try:
            with tarfile.open(fileobj=file, mode="w") as tar:
                _add(tar, INDEX, len(packed := index.pack()), io.BytesIO(packed))
                for name, source in parts.items():
                    source.seek(0)
                    _add(tar, name, index.parts[name][0], source)
            file.flush()
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _add(tar: tarfile.TarFile, name: str, size: int, source: BinaryIO) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    tar.addfile(info, source)


def measured(source: BinaryIO) -> tuple[int, str]:
    """Size and sha256 (hex) of a file, from its beginning."""
    source.seek(0)
    digest = hashlib.sha256()
    while data := source.read(1 << 20):
        digest.update(data)
    return source.tell(), digest.hexdigest()


class BackupFile:
    """A backup that was opened, its parts checked against their hashes."""

    def __init__(self, path: Path, tar: tarfile.TarFile, index: Index) -> None:
        self.path = path
        self.index = index
        self._tar = tar

    def keys(self, given: Sequence[Identity], passphrase: str) -> tuple[Identity, ...]:
        """The private keys that open it. Raises UsageProblem, AgeError."""
        if given:
            return tuple(given)
        if IDENTITY not in self.index.parts:
            raise UsageProblem(f"{self.path} is encrypted to a key: say --identity FILE")
        return unlock(self._read(IDENTITY), passphrase, str(self.path))

    def host_keys(self, host: str, keys: Sequence[Identity]) -> bytes:
        """A host's keys, decrypted. Raises UsageProblem, AgeError."""
        if host not in self.index.hosts:
            held = ", ".join(self.index.hosts) or "no host"
            raise UsageProblem(f"{self.path} has the keys of {held}, not those of {host}")
        return decrypt(self._read(keys_part(host)), keys, f"{self.path}, {keys_part(host)}")

    def state(self, writer: BinaryIO, keys: Sequence[Identity]) -> None:
        """Writes the decrypted tar of the state folder. Raises AgeError, OSError."""
        with self._open(STATE) as source:
            decrypt_stream(source, writer, keys, f"{self.path}, {STATE}")

    def _read(self, name: str) -> bytes:
        with self._open(name) as source:
            return source.read()

    @contextmanager
    def _open(self, name: str) -> Iterator[BinaryIO]:
        """A part, checked. It is copied first, because the file may change between two reads."""
        with tempfile.TemporaryFile() as copy:
            source = self._tar.extractfile(name)
            if source is None:
                raise UsageProblem(f"{self.path}: {name} is not a file")
            while data := source.read(1 << 20):
                copy.write(data)
            if measured(copy) != self.index.parts[name]:
                raise UsageProblem(f"{self.path}: {name} is damaged: it does not match its hash in {INDEX}")
            copy.seek(0)
            yield copy


@contextmanager
def open_backup(path: Path) -> Iterator[BackupFile]:
    """Opens a backup, and checks that its parts are there. Raises UsageProblem."""
    try:
        if not path.is_file():
            raise UsageProblem(f"{path} is not a file; a backup is read more than once, so a pipe will not do")
        with tarfile.open(path, mode="r:") as tar:
            members = tar.getmembers()
            if not members or members[0].name != INDEX or members[0].size > INDEX_LIMIT:
                raise UsageProblem(f"{path} is not a backup of coord: it does not begin with {INDEX}")
            first = tar.extractfile(members[0])
            index = Index.unpack(first.read() if first else b"")
            found = {member.name: member.size for member in members[1:] if member.isfile()}
            if found != {name: size for name, (size, _) in index.parts.items()}:
                raise UsageProblem(f"{path} is damaged: its parts are not those that {INDEX} names")
            yield BackupFile(path, tar, index)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise UsageProblem(f"{path} is not a backup of coord, or is damaged: {error}") from error
    except OSError as error:
        if error.filename is None or Path(error.filename) != path:
            raise
        raise UsageProblem(f"{path}: {error.strerror}") from error


def read_identities(path: Path) -> tuple[Identity, ...]:
    """The operator's private keys. Raises AgeError."""
    try:
        with path.open("rb") as file:  # which may be a device that never ends
            return identities(file.read(IDENTITY_FILE_LIMIT), str(path))
    except OSError as error:
        raise AgeError(f"{path}: {error.strerror}") from error


def json_of(index: Index) -> dict[str, Any]:
    """For `--json`."""
    return {
        "network": index.network, "chain_id": index.chain_id, "manifest": index.manifest, "ca": index.ca,
        "made_at": index.made_at, "hosts": list(index.hosts),
    }  # fmt: skip
