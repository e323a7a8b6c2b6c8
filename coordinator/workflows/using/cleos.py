"""Runs cleos on a running network: chooses the program, the node and the wallet, and reports how it ended."""

from __future__ import annotations

import http.client
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from coordinator.errors import OperationFailed
from inventory.network import BUNDLED, Network
from support.bundled import Say, fetch
from support.wallets import address_file, usual_name

SECONDS = 2.0
"""Seconds for a keosd on this machine to accept a connection."""
_CRASHES = (-signal.SIGABRT, -signal.SIGSEGV)
_FAILED = (b"error", b"failed")
_NO_KEOSD = b"is keosd running?"


def program(network: Network, tell: Say) -> tuple[tuple[str, ...], bool]:
    """The command that runs cleos, and whether it is the bundled one. Where the inventory names a nodeos, it is the
    cleos beside that, or on the PATH. tell: is told of a download. Raises BundledError.
    """
    own = [host.nodeos for host in network.hosts if host.local and host.nodeos != BUNDLED]
    for path in own:
        if beside := shutil.which("cleos", path=str(Path(path).parent)) or shutil.which("cleos"):
            return (beside,), False
    return fetch(tell).command("cleos"), True


def wallet_url(network: Network) -> str | None:
    """The keosd into which `agent wallet` has put keys of this network, if one listens there."""
    with suppress(OSError, RuntimeError, ValueError):
        address = address_file(usual_name(network.name)).read_text(encoding="utf-8").strip()
        if address.startswith("/"):
            with closing(socket.socket(socket.AF_UNIX)) as there:
                there.settimeout(SECONDS)
                there.connect(address)
            return f"unix://{address}"
        place = urlsplit(address)
        with closing(http.client.HTTPConnection(str(place.hostname), place.port, timeout=SECONDS)) as asked:
            asked.connect()
        return address
    return None


@dataclass(frozen=True)
class Ended:
    """How cleos ended."""

    status: int
    """As a shell reports it; 0 if the bundled cleos has done its work and then crashed while it exited."""
    lacks_keosd: bool
    """It could not reach a keosd."""


def run(command: Sequence[str], bundled: bool) -> Ended:
    """Runs it on this terminal. Raises OperationFailed if it cannot be started."""
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603
    except OSError as error:
        raise OperationFailed(f"{command[0]} cannot be run: {error.strerror}") from error
    said = {sys.stdout: bytearray(), sys.stderr: bytearray()}
    pipes = ((process.stdout, sys.stdout), (process.stderr, sys.stderr))
    threads = [threading.Thread(target=_pass_on, args=(pipe, to.buffer, said[to])) for pipe, to in pipes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ended(process.wait(), bundled, bytes(said[sys.stdout]), bytes(said[sys.stderr]))


def ended(status: int, bundled: bool, out: bytes, err: bytes) -> Ended:
    """How its end is shown to a user. status: negative for a signal, as in Python."""
    return Ended(_status(status, bundled, out, err), _NO_KEOSD in err)


def _status(status: int, bundled: bool, out: bytes, err: bytes) -> int:
    if bundled and status in _CRASHES and not any(word in err.lower() for word in _FAILED):
        return 0 if out or b"executed transaction" in err else 128 - status
    return 128 - status if status < 0 else status


def _pass_on(pipe: IO[bytes], to: IO[bytes], said: bytearray) -> None:
    """Copies output as it arrives, so that cleos can ask for a password."""
    while piece := pipe.read1(65536):  # type: ignore[attr-defined]
        said += piece
        with suppress(BrokenPipeError):
            to.write(piece)
            to.flush()
