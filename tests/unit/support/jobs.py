"""Jobs that the tests of the cage run in it."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any


def add(request: Any) -> Any:
    """A sum."""
    sys.stdout.write("something a library says\n")
    return sum(request)


def refuse(request: Any) -> Any:
    """What it was given is wrong."""
    raise ValueError(f"not\n{request}")


def fail(request: Any) -> Any:
    """A mistake."""
    return {}[request]


def swallow(request: Any) -> Any:
    """Takes all memory."""
    return len([bytes(1 << 20) for _ in range(1 << 20)])


def spin(request: Any) -> Any:
    """Takes all time, and does not want to be ended."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGXCPU):
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass


def sleep(request: Any) -> Any:
    """Says who it is, and waits."""
    with open(request, "a", encoding="ascii") as file:
        file.flush()
    time.sleep(600)


def descend(request: Any) -> Any:
    """Calls itself."""
    return descend(request)


def talk(request: Any) -> Any:
    """Says much."""
    return "x" * request


def write(request: Any) -> Any:
    """Writes a file."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with open(request, "wb") as file:
        file.write(b"x")
    return True


def environment(request: Any) -> Any:
    """What it can see of who asked."""
    return sorted(os.environ)


def die(request: Any) -> Any:
    """Ends without a word."""
    os.kill(os.getpid(), signal.SIGSEGV)
