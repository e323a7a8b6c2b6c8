"""Looks for private keys where they must not be: in files, and in processes' memory. Needs root, changes nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import base58

from antelope.keys import PrivateKey

CHUNK = 32 << 20
OVERLAP = 127
"""Bytes; every form of a key is shorter."""

Needles = Sequence[bytes]


def keys_of(store: Path) -> list[PrivateKey]:
    """The keys of an agent's key store."""
    files = [json.loads(path.read_text()) for path in sorted(store.glob("*.json"))]
    return [PrivateKey.parse(pair["pvt"]) for file in files for pair in (*file["users"], *file["producers"])]


def forms(keys: Iterable[PrivateKey]) -> Needles:
    """All forms of these keys: WIF, PVT_K1_…, hexadecimal, and the 32 bytes themselves."""
    found: list[bytes] = []
    for key in keys:
        raw = base58.b58decode(key.wif)[1:33]
        found += [key.wif.encode(), key.modern.encode(), raw.hex().encode(), raw]
    return found


def in_files(folder: Path, needles: Needles) -> set[Path]:
    """The files below a folder that hold any of them; other file systems that are mounted below it are left out."""
    found, device = set(), folder.stat().st_dev
    for top, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if Path(top, name).lstat().st_dev == device]
        for path in (Path(top, name) for name in names):
            if path.is_file() and not path.is_symlink():
                with path.open("rb", buffering=0) as file:
                    if any(_hold(part, needles) for span in _written(file) for part in _parts(file, *span)):
                        found.add(path)
    return found


def in_memory(pid: int, needles: Needles) -> bool:
    """Whether a process's memory holds, or still shows, any of them. Memory mapped from files is checked there."""
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in maps:
            span, rights, *_ = line.split()
            if rights.startswith("rw") and rights.endswith("p"):
                first, last = (int(part, 16) for part in span.split("-"))
                if any(_hold(part, needles) for part in _parts(memory, first, last)):
                    return True
    return False


def _hold(part: bytes, needles: Needles) -> bool:
    return any(needle in part for needle in needles)


def _written(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """The parts of a file that are not holes: a node's state has a gigabyte of holes."""
    end = size = os.fstat(file.fileno()).st_size
    place = 0
    while place < size:
        try:
            place = os.lseek(file.fileno(), place, os.SEEK_DATA)
        except OSError:
            return  # a hole to the end
        end = os.lseek(file.fileno(), place, os.SEEK_HOLE)
        yield place, end
        place = end


def _parts(file: BinaryIO, first: int, last: int) -> Iterator[bytes]:
    kept = b""
    for place in range(first, last, CHUNK):
        file.seek(place)
        try:
            read = file.read(min(CHUNK, last - place))
        except OSError:
            return  # not in memory, such as a stack's guard
        yield kept + read
        kept = read[-OVERLAP:]
