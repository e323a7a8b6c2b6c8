"""Records the command lines and environments of all processes while it runs."""

from __future__ import annotations

import threading
from pathlib import Path

import base58

from antelope.keys import PrivateKey

EVERY = 0.05
"""Seconds between two looks: less than a nodeos takes to start."""


class Onlooker:
    """A context manager that collects them; any user of the machine could collect the command lines."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Onlooker:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(EVERY):
            for name in ("cmdline", "environ"):
                for path in Path("/proc").glob(f"[0-9]*/{name}"):
                    try:
                        self.seen.add(path.read_bytes())
                    except OSError:
                        continue


def holding(folder: Path, secrets: list[bytes], but: tuple[str, ...]) -> dict[str, int]:
    """Files below the folder that hold secrets, with how many, except those whose path ends like one of `but`.

    nodeos' memory image of the chain's state, gigabytes of mostly nothing, is left out.
    """
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and "/data/state/" not in str(path) and not path.is_symlink() and not str(path).endswith(but):
            data = path.read_bytes()
            if hits := sum(secret in data for secret in secrets):
                found[str(path.relative_to(folder))] = hits
    return found


def forms(wif: str) -> list[bytes]:
    """All forms of a private key: WIF, PVT_K1_, hexadecimal, and its bytes."""
    secret = base58.b58decode_check(wif)[1:33]
    return [wif.encode(), str(PrivateKey.parse(wif)).encode(), secret.hex().encode(), secret]
