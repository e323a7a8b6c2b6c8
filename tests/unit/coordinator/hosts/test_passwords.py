"""sudo's passwords, asked for at a terminal."""

from __future__ import annotations

import asyncio
import os
import pty
import termios
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from coordinator.hosts import passwords
from coordinator.hosts.deploy.errors import LoginRefused
from coordinator.hosts.passwords import Passwords, in_thread

PROMPT = b"sudo password on h1: "


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The operator's end of a terminal."""
    master, slave = pty.openpty()
    monkeypatch.setattr(passwords, "TERMINAL", Path(os.ttyname(slave)))
    yield master
    os.close(master)
    os.close(slave)


def typed(keyboard: int, line: bytes) -> None:
    """Waits for the prompt, then types."""
    assert os.read(keyboard, 100) == PROMPT
    os.write(keyboard, line)


def test_a_password_is_asked_for_once_and_not_echoed(keyboard: int) -> None:
    """The second question is answered from memory; the terminal shows the prompt alone, and echoes again afterwards."""
    typist = threading.Thread(target=typed, args=(keyboard, b"se cret\n"))
    typist.start()
    asked = Passwords()
    assert [asked.ask("h1"), asked.ask("h1")] == ["se cret"] * 2
    typist.join()
    assert os.read(keyboard, 100).strip() == b""
    assert termios.tcgetattr(keyboard)[3] & termios.ECHO


async def test_an_interrupted_command_does_not_wait_for_the_answer(keyboard: int) -> None:
    """When cancelled, the prompt ends, and no prompt for another host follows."""
    asked = Passwords()
    question = asyncio.create_task(in_thread(asked.stop, asked.ask, "h1"))
    assert await asyncio.to_thread(os.read, keyboard, 100) == PROMPT
    question.cancel()
    with pytest.raises(asyncio.CancelledError):
        await question
    with pytest.raises(LoginRefused, match="was not given"):
        await asyncio.wait_for(asyncio.to_thread(asked.ask, "h2"), 30)
