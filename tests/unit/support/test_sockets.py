"""Unix sockets in folders of any depth."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from support.sockets import NAME, connect, listening


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One line back."""
    writer.write(await reader.readline())
    writer.close()


async def test_a_deep_folder_has_one_too(tmp_path: Path) -> None:
    """A path of more than 107 bytes; closed to others while it serves, and gone afterwards."""
    folder = tmp_path / "/".join(["a-folder-with-a-long-name"] * 8)
    folder.mkdir(parents=True)
    async with listening(folder, echo, 1000):
        assert stat.S_IMODE((folder / NAME).stat().st_mode) == 0o600
        reader, writer = await connect(folder, 1000)
        writer.write(b"who is there?\n")
        assert await reader.readline() == b"who is there?\n"
        writer.close()
    assert not (folder / NAME).exists()
    with pytest.raises(OSError, match="No such file"):
        await connect(folder, 1000)


async def test_a_socket_that_was_left_behind_is_no_obstacle(tmp_path: Path) -> None:
    """After a kill -9 the file is there, and nobody behind it."""
    (tmp_path / NAME).touch()
    async with listening(tmp_path, echo, 1000):
        _, writer = await connect(tmp_path, 1000)
        writer.close()
