"""Keys that a party already has: in private files, or in a keosd that signs with them."""

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
"""Prefix of what a key in keosd signs as a test."""


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
    """The public key, if one was given instead of a file; None if it is a path."""
    try:
        return PublicKey.parse(where)
    except BadKey:
        return None


def keosd_key(where: str, keosd: Keosd | None) -> KeosdKey | None:
    """keosd's key of that public key; None if it is empty. Raises ConfigError as `own_key` does."""
    if where and public_key(where) is None:
        raise ConfigError(f"{where[:60]!r} is not a public key (EOS...); without one, the agent makes the key")
    key = own_key(where, keosd)
    return key if isinstance(key, KeosdKey) else None


def own_key(where: str, keosd: Keosd | None) -> PrivateKey | KeosdKey | None:
    """The key in the file `where`, or keosd's key if `where` is a public key; None if it is empty.

    Raises ConfigError if others can read the file, or if keosd does not answer, has no open wallet with the key, or
    does not sign with it. This must be certain, because the store may drop its own copy of the key.
    """
    if not where:
        return None
    public = public_key(where)
    if public is None:
        return read_key(Path(where).expanduser())
    if public.kind != 0:
        raise ConfigError(f"{public}: only keys of the form EOS… or PUB_K1_… can sign here")
    if keosd is None:
        raise ConfigError(f"{public}: a public key stands for a key in keosd: name keosd's address with --keosd")
    try:
        if public not in keosd.public_keys():
            raise ConfigError(keosd.key(public).missing)
        keosd.key(public).sign(hashlib.sha256(_TRIAL + secrets.token_bytes(32)).digest())
    except KeosdError as error:
        raise ConfigError(str(error)) from error
    return keosd.key(public)
