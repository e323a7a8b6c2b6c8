"""The reason that an agent leaves when it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.ending import FILE, Ending


def test_what_was_left_is_read_and_forgotten(tmp_path: Path) -> None:
    """A very long reason is shortened; a new start removes it."""
    assert Ending.read(tmp_path) is None
    Ending("node a: its disk is full: “no space”").write(tmp_path)
    assert Ending.read(tmp_path) == Ending("node a: its disk is full: “no space”")
    Ending("\N{SNOWMAN}" * 5000).write(tmp_path)
    read = Ending.read(tmp_path)
    assert read
    assert read.reason == "\N{SNOWMAN}" * len(read.reason)
    Ending.forget(tmp_path)
    Ending.forget(tmp_path)
    assert Ending.read(tmp_path) is None


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"reason": 7}', b'{"reason": ""}', b"{}", b"\xff", b'"x"', b"[" * 9000]
)
def test_anything_else_is_no_reason(content: bytes, tmp_path: Path) -> None:
    """A file of another form counts as missing."""
    (tmp_path / FILE).write_bytes(content)
    assert Ending.read(tmp_path) is None
