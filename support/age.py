"""Encryption in the age format (age-encryption.org/v1), which the tools `age` and `rage` read as well."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

from support.errors import SupportError

if TYPE_CHECKING:
    from pyrage.x25519 import Identity, Recipient

_IDENTITY = re.compile(rb"^AGE-SECRET-KEY-1[0-9A-Z]+\s*$", re.MULTILINE)
IDENTITY_FILE_LIMIT = 64 << 10
"""Maximum bytes of a file of identities."""


class AgeError(SupportError):
    """A recipient, an identity or an encrypted file cannot be used."""

    exit_status = 2


def recipient(text: str) -> Recipient:
    """A public key, `age1…`. Raises AgeError."""
    from pyrage import RecipientError, x25519  # only backups need it

    try:
        return x25519.Recipient.from_str(text.strip())
    except (RecipientError, ValueError) as error:
        raise AgeError(
            f"{text.strip()[:80]!r} is not an age recipient (age1…): make a key pair with age-keygen"
        ) from error


def new_identity() -> Identity:
    """A new private key; its public one is `to_public()`."""
    from pyrage import x25519

    return x25519.Identity.generate()


def identities(data: bytes, where: str) -> tuple[Identity, ...]:
    """The private keys in a file as age-keygen writes it. Raises AgeError."""
    from pyrage import IdentityError, x25519

    found = [line.strip().decode("ascii") for line in _IDENTITY.findall(data[:IDENTITY_FILE_LIMIT])]
    if not found:
        raise AgeError(f"{where} holds no age identity (AGE-SECRET-KEY-1…), as age-keygen writes it")
    try:
        return tuple(x25519.Identity.from_str(text) for text in found)
    except (IdentityError, ValueError):
        raise AgeError(f"{where}: an age identity in it is damaged") from None


def encrypt(data: bytes, recipients: Sequence[Recipient]) -> bytes:
    """Raises AgeError."""
    import pyrage

    try:
        return bytes(pyrage.encrypt(data, list(recipients)))
    except pyrage.EncryptError as error:
        raise AgeError(f"age cannot encrypt: {error}") from error


def encrypt_stream(reader: BinaryIO, writer: BinaryIO, recipients: Sequence[Recipient]) -> None:
    """As `encrypt`, for data that need not fit into memory. Raises AgeError, OSError."""
    import pyrage

    try:
        pyrage.encrypt_io(reader, writer, list(recipients))
    except pyrage.EncryptError as error:
        raise AgeError(f"age cannot encrypt: {error}") from error


def decrypt(data: bytes, keys: Sequence[Identity], what: str) -> bytes:
    """Raises AgeError if none of the keys fits, or the data is damaged."""
    import pyrage

    try:
        return bytes(pyrage.decrypt(data, list(keys)))
    except pyrage.DecryptError as error:
        raise AgeError(f"{what} cannot be decrypted with this key: {error}") from error


def decrypt_stream(reader: BinaryIO, writer: BinaryIO, keys: Sequence[Identity], what: str) -> None:
    """As `decrypt`, for data that need not fit into memory. Raises AgeError, OSError."""
    import pyrage

    try:
        pyrage.decrypt_io(reader, writer, list(keys))
    except pyrage.DecryptError as error:
        raise AgeError(f"{what} cannot be decrypted with this key: {error}") from error


def lock(identity: Identity, passphrase: str) -> bytes:
    """An identity's file, encrypted with a passphrase (scrypt). Raises AgeError."""
    import pyrage

    return bytes(pyrage.passphrase.encrypt(f"{identity}\n".encode(), passphrase))


def unlock(data: bytes, passphrase: str, what: str) -> tuple[Identity, ...]:
    """The identities in a file that `lock` made. Raises AgeError."""
    import pyrage

    try:
        return identities(bytes(pyrage.passphrase.decrypt(data, passphrase)), what)
    except pyrage.DecryptError as error:
        raise AgeError(f"{what}: the passphrase is wrong, or the file is damaged") from error
