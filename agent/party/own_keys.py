"""Keys that a party has already: taken into the agent's key store from files that nobody else can read."""

from __future__ import annotations

import stat
from pathlib import Path

from agent.config import ConfigError
from agent.keys import KeyStore
from antelope.errors import BadKey
from antelope.keys import PrivateKey


def read_key(path: Path) -> PrivateKey:
    """The one private key (5… or PVT_K1_…) in a file of the operator's own, 0600. Raises ConfigError."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise ConfigError(f"{path}: not a file")
        if found.st_mode & 0o077:
            raise ConfigError(f"{path}: others can read it: chmod 600 {path}")
        words = path.read_text(encoding="ascii", errors="replace")[:1000].split()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    if len(words) != 1:
        raise ConfigError(f"{path}: one private key is expected, and nothing else")
    try:
        return PrivateKey.parse(words[0])
    except BadKey as error:
        raise ConfigError(f"{path}: {error}") from None


def adopt(keys: KeyStore, account: str, account_key: Path | None, producer_key: Path | None) -> None:
    """Has the party's keys in the store: those of the files, and new ones where there are none.

    Raises ConfigError, KeyStoreError (the store has another key already).
    """
    keys.adopt(
        account,
        key=read_key(account_key) if account_key else None,
        signer=read_key(producer_key) if producer_key else None,
    )
    keys.make([account], [account])
