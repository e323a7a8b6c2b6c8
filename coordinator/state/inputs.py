"""Digests of large input files, cached by the file's identity, so that an unchanged one is not read again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from antelope.strict_json import read_json
from inventory.network import Users, UserSource
from support.artifacts import sha256_of
from support.files import write_atomic

_SETTLED = 2.0
"""Seconds. A file modified more recently than this is not cached: a second write within the same clock tick would leave
its times unchanged."""


class Inputs:
    """The cache `inputs.json` in a network's state folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def rows_digest(self, users: Users) -> str:
        """`UserRows.digest` of a CSV's rows. Raises OSError, and InventoryError as reading the rows does.

        A file with unchanged times and size counts as unchanged, and so does one with the same sha256. Only a changed
        file is read row by row.
        """
        if users.source is not UserSource.CSV or users.file is None:
            return ""
        file = users.file
        return self._remembered(f"users.csv {file}", file, lambda: users.rows.digest)

    def _remembered(self, name: str, file: Path, compute: Callable[[], str]) -> str:
        known = self._read()
        entry = known.get(name, {})
        identity = _identity(file)
        if entry.get("identity") == identity:
            return str(entry["digest"])
        sha256 = sha256_of(file)
        digest = str(entry["digest"]) if entry.get("sha256") == sha256 else compute()
        kept = identity if _settled(identity) else None
        write_atomic(
            self._path, json.dumps(known | {name: {"identity": kept, "sha256": sha256, "digest": digest}}).encode()
        )
        return digest

    def _read(self) -> dict[str, dict[str, Any]]:
        """The cached entries; empty if the file is missing or damaged, which only costs time."""
        try:
            found = read_json(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) and all(isinstance(entry, dict) for entry in found.values()) else {}


def _identity(file: Path) -> list[int]:
    """If these are unchanged, the file was not written: the change time cannot be set back."""
    found = file.stat()
    return [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def _settled(identity: list[int]) -> bool:
    return max(identity[3:]) / 1e9 < time.time() - _SETTLED
