"""Chooses the port on which a coordinator listens, for years."""

from __future__ import annotations

import random
import socket
from pathlib import Path

LOCAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
"""First and last port that the kernel gives to outgoing connections (ip(7)). A coordinator that comes back could find
such a port taken."""
LEAST = 20000
"""Below are the ports of well-known services."""
USUAL_FIRST = 32768
"""Where the kernel's range begins on Linux, unless somebody changed it."""
TRIES = 50


def lasting_port(host: str) -> int:
    """A port of this address that is free now and that the kernel gives to nobody; 0 if none is found."""
    most = _first_local() - 1
    for _ in range(TRIES if most > LEAST else 0):
        port = random.randint(LEAST, most)  # noqa: S311 (no secret)
        if _free(host, port):
            return port
    return 0


def _first_local() -> int:
    try:
        return int(LOCAL_RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return USUAL_FIRST


def _free(host: str, port: int) -> bool:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.bind(address)
    except OSError:
        return False
    return True
