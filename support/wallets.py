"""This user's records of keosd's wallets, which outlive a purged network: passwords, and where each wallet is."""

from __future__ import annotations

import os
from pathlib import Path


def usual_name(network: str) -> str:
    """The wallet of a network's keys."""
    return f"bootcoord-{network}"


def password_file(wallet: str) -> Path:
    """The file of a wallet's passwords, one per line, the newest last: each keosd of this machine may have a wallet of
    that name. Raises RuntimeError if the user has no home folder.
    """
    return _folder() / f"{wallet}.password"


def address_file(wallet: str) -> Path:
    """The file that names the keosd which had the wallet last: http://127.0.0.1:PORT, or the path of a Unix socket.
    Raises RuntimeError if the user has no home folder.
    """
    return _folder() / f"{wallet}.keosd"


def _folder() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or ""
    folder = Path(base) if base.startswith("/") else Path.home() / ".local" / "state"
    return folder / "bootcoord" / "wallets"
