"""sudo passwords: asked for at the terminal, once per host, and never stored. Ctrl-C cancels the prompt."""

from __future__ import annotations

import asyncio
import select
import sys
import termios
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import ParamSpec, TypeVar

from coordinator.hosts.deploy.errors import LoginRefused

P = ParamSpec("P")
T = TypeVar("T")

TERMINAL = Path("/dev/tty")
LOOK_SECONDS = 0.2
"""Seconds between two checks for Ctrl-C."""

GIVEN_UP = "sudo's password was not given"


class Passwords:
    """The sudo passwords of all hosts, for as long as one command runs. `ask` may be called from any thread."""

    def __init__(self, asking: Callable[[], AbstractContextManager[object]] = nullcontext) -> None:
        """asking: a context that is entered while a prompt is on the terminal."""
        self.stop = threading.Event()
        """Set when the command was interrupted."""
        self._asking = asking
        self._known: dict[str, str] = {}
        self._lock = threading.Lock()

    def ask(self, host: str) -> str:
        """The password on a host. Raises LoginRefused if there is no terminal to ask at, or on Ctrl-C."""
        with self._lock:
            if self.stop.is_set():
                raise LoginRefused(GIVEN_UP)
            if host not in self._known:
                with self._asking():
                    self._known[host] = self._prompt(f"sudo password on {host}: ")
            return self._known[host]

    def _prompt(self, text: str) -> str:
        try:
            terminal = TERMINAL.open("r+b", buffering=0)
        except OSError:  # no terminal: a pipe may provide it
            if not (line := sys.stdin.readline()):
                raise LoginRefused("sudo needs a password, and there is no terminal to ask for it") from None
            return line.rstrip("\n")
        with terminal:
            before = termios.tcgetattr(terminal)
            hidden = list(before)
            hidden[3] &= ~termios.ECHO
            termios.tcsetattr(terminal, termios.TCSAFLUSH, hidden)
            try:
                terminal.write(text.encode())
                while not select.select([terminal], [], [], LOOK_SECONDS)[0]:
                    if self.stop.is_set():
                        raise LoginRefused(GIVEN_UP)
                return terminal.readline().decode(errors="replace").rstrip("\n")
            finally:
                termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
                terminal.write(b"\n")


async def in_thread(stop: threading.Event, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs blocking work in a thread. When cancelled it sets `stop`, on which the work must end soon."""
    try:
        return await asyncio.to_thread(work, *args, **kwargs)
    except asyncio.CancelledError:
        stop.set()
        raise
