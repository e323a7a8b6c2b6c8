"""Checks a nodeos snapshot before a node starts from it: which chain it is from, and which block.

Format: libraries/chain/snapshot.cpp of Leap. A file holds sections; each has its size, its number of rows and its name.
"""

from __future__ import annotations

from pathlib import Path

from antelope.errors import FormatError

MAGIC = bytes.fromhex("5005513001000000")
_END = 0xFFFFFFFFFFFFFFFF
_LARGEST = 1 << 20
"""Maximum bytes of a section that is read."""
_MOST = 1000
"""Maximum sections of a file."""
BLOCK, GLOBALS = "eosio::chain::block_state", "eosio::chain::global_property_object"


def check(path: Path, chain_id: str, block_id: str) -> None:
    """Whether a file is a snapshot of that chain at that block. Raises FormatError, OSError.

    The accounts in it are not checked: only a hash can vouch for them.
    """
    sections = _read(path, (BLOCK, GLOBALS))
    if len(sections) < 2:
        raise FormatError("it is a snapshot of a version that is not known here")
    if bytes.fromhex(chain_id) not in sections[GLOBALS]:
        raise FormatError(f"it is of another chain than {chain_id[:16]}…")
    if bytes.fromhex(block_id) not in sections[BLOCK]:
        raise FormatError(f"it is of another block than {int(block_id[:8], 16)}, {block_id[:16]}…")


def _read(path: Path, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """The contents of these sections, without those that do not exist."""
    found: dict[str, bytes] = {}
    whole = path.stat().st_size
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise FormatError("it is not a snapshot")
        for _ in range(_MOST):
            start, size = file.tell() + 8, int.from_bytes(file.read(8), "little")
            if size == _END:
                return found
            if not 8 < size <= whole - start:
                raise FormatError("the snapshot is cut off")
            file.seek(8, 1)
            name, _, _ = file.read(min(size - 8, 200)).partition(b"\0")
            if name.decode("utf-8", "replace") in wanted:
                file.seek(start + 8 + len(name) + 1)
                found[name.decode()] = file.read(min(start + size - file.tell(), _LARGEST))
            file.seek(start + size)
    raise FormatError("it is not a snapshot")
