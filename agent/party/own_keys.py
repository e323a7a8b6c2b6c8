"""Keys that a party has already: in files that nobody else can read, or in a keosd, which signs with them."""

from __future__ import annotations

import hashlib
import secrets
import stat
from pathlib import Path

from agent.errors import ConfigError, KeosdError
from agent.keys.keosd import Keosd, KeosdKey
from antelope.errors import BadKey
from antelope.keys import PrivateKey, PublicKey

_TRIAL = b"bootcoord trial"
"""Begins what a key in keosd signs to show that it can."""


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


def public_key(where: str) -> PublicKey | None:
    """The public key that was given in the place of a file; None: it is a file's path."""
    try:
        return PublicKey.parse(where)
    except BadKey:
        return None


def own_key(where: str, keosd: Keosd | None) -> PrivateKey | KeosdKey | None:
    """The key in the file that where names, or the one of keosd whose public key it is; None where it is empty.

    Raises ConfigError: a file that others can read, a keosd that does not answer, has no open wallet with the key, or
    does not sign with it: the store may drop a key that keosd has.
    """
    if not where:
        return None
    public = public_key(where)
    if public is None:
        return read_key(Path(where).expanduser())
    if public.kind != 0:
        raise ConfigError(f"{public}: only keys of the form EOS… or PUB_K1_… can sign here")
    if keosd is None:
        raise ConfigError(f"{public}: a public key names one that a keosd has: say where that listens, with --keosd")
    try:
        if public not in keosd.public_keys():
            raise ConfigError(keosd.key(public).missing)
        keosd.key(public).sign(hashlib.sha256(_TRIAL + secrets.token_bytes(32)).digest())
    except KeosdError as error:
        raise ConfigError(str(error)) from error
    return keosd.key(public)
