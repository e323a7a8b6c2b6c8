"""Unix sockets in folders of any depth."""

from __future__ import annotations

import asyncio
import socket
import stat
from contextlib import AsyncExitStack, ExitStack
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
    """After a kill -9 the file is there without a listener."""
    (tmp_path / NAME).touch()
    async with listening(tmp_path, echo, 1000):
        _, writer = await connect(tmp_path, 1000)
        writer.close()


async def test_its_end_is_quiet(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Newer versions of Python would try to remove its file a second time, and say that they cannot."""
    async with AsyncExitStack() as ending:
        taking = ending.enter_context(ExitStack())
        await ending.enter_async_context(listening(tmp_path, echo, 1000))
        taking.enter_context(socket.socket())  # takes the number of the handle by which the other was bound
    assert caplog.messages == []
    assert not (tmp_path / NAME).exists()
