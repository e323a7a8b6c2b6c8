"""The chain and block of a snapshot are read from the file alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from antelope.errors import FormatError
from antelope.snapshot_file import BLOCK, GLOBALS, MAGIC, check

CHAIN, ID = "ab" * 32, "00000046" + "cd" * 28


def _section(name: str, data: bytes) -> bytes:
    body = (1).to_bytes(8, "little") + name.encode() + b"\0" + data
    return len(body).to_bytes(8, "little") + body


def _file(path: Path, *sections: bytes) -> Path:
    path.write_bytes(MAGIC + b"".join(sections) + b"\xff" * 8)
    return path


def test_a_right_one(tmp_path: Path) -> None:
    """Other sections are skipped."""
    block, chain = _section(BLOCK, b"x" + bytes.fromhex(ID)), _section(GLOBALS, bytes.fromhex(CHAIN))
    check(_file(tmp_path / "s", _section("contract_tables", bytes(5000)), block, chain), CHAIN, ID)


@pytest.mark.parametrize(
    ("sections", "why"),
    [
        ([_section(BLOCK, bytes.fromhex(ID)), _section(GLOBALS, bytes(32))], "of another chain than ab"),
        ([_section(BLOCK, bytes(32)), _section(GLOBALS, bytes.fromhex(CHAIN))], "of another block than 70"),
        ([_section(GLOBALS, bytes.fromhex(CHAIN))], "of a version that is not known"),
        ([_section(BLOCK, bytes.fromhex(ID))[:30]], "cut off"),
    ],
    ids=["chain", "block", "version", "cut"],
)
def test_a_wrong_one(tmp_path: Path, sections: list[bytes], why: str) -> None:
    """Each in a line."""
    with pytest.raises(FormatError, match=why):
        check(_file(tmp_path / "s", *sections), CHAIN, ID)


def test_what_is_no_snapshot(tmp_path: Path) -> None:
    """A file of something else, and an empty one."""
    for data in (b"", b"\0" * 100, MAGIC):
        (tmp_path / "s").write_bytes(data)
        with pytest.raises(FormatError):
            check(tmp_path / "s", CHAIN, ID)
