"""Files named by the sha256 of their content."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from support.errors import SupportError
from support.files import write_atomic

_NAME = re.compile(r"[0-9a-f]{64}")


class DamagedError(SupportError, ValueError):
    """An artifact's content does not match its name."""


class MissingError(SupportError, KeyError):
    """An artifact's file is not there."""

    def __str__(self) -> str:
        """The plain message, which KeyError would quote."""
        return str(self.args[0])


def sha256_of(path: Path) -> str:
    """sha256 (hex) of a file's content, without reading all of it into memory. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class ArtifactStore:
    """A folder of files, each named by the sha256 (64 hex digits) of its bytes."""

    def __init__(self, folder: Path, remedy: str = "put it back") -> None:
        """The folder is created at the first write. remedy: what to do when a file is missing or damaged."""
        self.folder = folder
        self._remedy = remedy

    def put(self, data: bytes) -> str:
        """Stores the bytes. Returns their sha256 as hex. Raises OSError."""
        sha256 = hashlib.sha256(data).hexdigest()
        if not self.has(sha256) or self.path(sha256).read_bytes() != data:
            write_atomic(self.path(sha256), data)
        return sha256

    def path(self, sha256: str) -> Path:
        """The artifact's path, whether or not it exists. Raises ValueError on anything but 64 hex digits."""
        if not _NAME.fullmatch(sha256):
            raise ValueError(f"not the name of an artifact: {sha256[:80]!r}")
        return self.folder / sha256

    def has(self, sha256: str) -> bool:
        """Whether it exists (unverified). Raises ValueError as `path` does."""
        return self.path(sha256).is_file()

    def checked(self, sha256: str) -> Path:
        """The file, verified, without reading all of it into memory. Raises as `get` does."""
        path = self.path(sha256)
        try:
            if sha256_of(path) == sha256:
                return path
        except FileNotFoundError:
            raise MissingError(f"{path} is missing: {self._remedy}") from None
        raise DamagedError(f"{path} does not hold what its name says: {self._remedy}")

    def intact(self, sha256: str) -> bool:
        """Whether it exists and is verified."""
        try:
            self.checked(sha256)
            return True
        except (MissingError, DamagedError):
            return False

    def size(self) -> int:
        """The size of all artifacts in bytes."""
        return sum(path.stat().st_size for path in self.folder.glob("*")) if self.folder.is_dir() else 0

    def get(self, sha256: str) -> bytes:
        """The bytes, verified. Raises MissingError if the file is missing, DamagedError if its content differs."""
        path = self.path(sha256)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise MissingError(f"{path} is missing: {self._remedy}") from None
        if hashlib.sha256(data).hexdigest() != sha256:
            raise DamagedError(f"{path} does not hold what its name says: {self._remedy}")
        return data
