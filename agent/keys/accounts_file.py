"""The tutorial's accounts.json: accounts with their key pairs, as users and producers.

    {"users": [{"name": "useraaaaaaaa", "pub": "EOS…", "pvt": "5…"}, …], "producers": […]}

Source: bios-boot-tutorial/accounts.json of EOSIO.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.errors import KeyStoreError
from antelope.errors import BadJson, BadKey, BadName
from antelope.keys import PrivateKey, PublicKey, SigningKey
from antelope.names import check_name
from antelope.strict_json import read_json

IN_KEOSD = "keosd"
"""Stands in place of a private key that a keosd holds."""
_MOST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key pair as text; the secret half never shows in its repr."""

    public: str
    """EOS…"""
    secret: str = field(repr=False)
    """5… (WIF), or IN_KEOSD."""

    @staticmethod
    def generate() -> KeyPair:
        """A new one."""
        key = PrivateKey.generate()
        return KeyPair(str(key.public), key.wif)

    @staticmethod
    def of(key: SigningKey) -> KeyPair:
        """The pair to store: with the private key, or with the note that a keosd holds it."""
        return KeyPair(str(key.public), key.wif if isinstance(key, PrivateKey) else IN_KEOSD)

    @property
    def in_keosd(self) -> bool:
        """Whether only the public key is here."""
        return self.secret == IN_KEOSD

    @property
    def private(self) -> PrivateKey:
        """The private key as one that can sign."""
        return PrivateKey.parse(self.secret)


Accounts = dict[str, KeyPair]


def pack(users: Mapping[str, KeyPair], producers: Mapping[str, KeyPair]) -> bytes:
    """The file's bytes, an account a line."""

    def rows(accounts: Mapping[str, KeyPair]) -> str:
        rows = ({"name": name, "pub": pair.public, "pvt": pair.secret} for name, pair in accounts.items())
        return ",".join(f"\n{json.dumps(row)}" for row in rows)

    return f'{{"users":[{rows(users)}],\n"producers":[{rows(producers)}]}}\n'.encode()


def read(path: Path, *, trusted: bool = False) -> tuple[Accounts, Accounts]:
    """Users and producers of such a file. Other parts are ignored.

    trusted: it is our own file, so key pairs need no check. Raises KeyStoreError; its message never contains a secret.
    """
    try:
        if not path.is_file():
            raise KeyStoreError(f"{path}: no such file")
        if path.stat().st_size > _MOST_BYTES:
            raise KeyStoreError(f"{path}: larger than {_MOST_BYTES >> 20} MB, too large for an accounts.json")
        document = read_json(path.read_bytes(), size=_MOST_BYTES)
    except BadJson as error:
        raise KeyStoreError(f"{path}, {error}") from None
    except OSError as error:
        raise KeyStoreError(f"{path}: {error.strerror}") from error
    return parse(path, document, trusted=trusted)


def parse(path: Path | str, document: Any, *, trusted: bool = False) -> tuple[Accounts, Accounts]:
    """The same for a document that is read already. path: where it is from, for messages."""
    if not isinstance(document, dict) or not {"users", "producers"} & document.keys():
        raise KeyStoreError(f'{path}: not an accounts.json: an object with "users" and "producers" is expected')
    seen: dict[str, str] = {}
    users = _accounts(path, "users", document.get("users", []), seen, trusted)
    return users, _accounts(path, "producers", document.get("producers", []), seen, trusted)


def _accounts(path: Path | str, part: str, rows: Any, seen: dict[str, str], trusted: bool) -> Accounts:
    if not isinstance(rows, list):
        raise KeyStoreError(f"{path}, {part}: a list is expected")
    found: Accounts = {}
    for number, row in enumerate(rows):
        place = f"{part}[{number}]"
        try:
            name, public, secret = (row[key] for key in ("name", "pub", "pvt"))
            if not all(isinstance(value, str) for value in (name, public, secret)):
                raise TypeError
            check_name(name)
        except (KeyError, TypeError, IndexError):
            raise KeyStoreError(f'{path}, {place}: "name", "pub" and "pvt" are expected, all texts') from None
        except BadName as error:
            raise KeyStoreError(f"{path}, {place}: {error}") from None
        if name in seen:
            raise KeyStoreError(f"{path}, {place}: {name} is there already as {seen[name]}")
        seen[name] = place
        found[name] = KeyPair(public, secret) if trusted else _proved(path, f"{place} ({name})", public, secret)
    return found


def _proved(path: Path | str, place: str, public: str, secret: str) -> KeyPair:
    try:
        key, private = PublicKey.parse(public), PrivateKey.parse(secret)
    except BadKey as error:
        raise KeyStoreError(f"{path}, {place}: {error}") from None
    if private.public != key:
        raise KeyStoreError(f"{path}, {place}: pub and pvt do not belong together")
    return KeyPair(str(key), private.wif)


def public_keys(accounts: Iterable[tuple[str, KeyPair]]) -> dict[str, PublicKey]:
    """The public key of each account."""
    return {name: PublicKey.parse(pair.public) for name, pair in accounts}


def identity(path: Path) -> tuple[int, int, int] | None:
    """An identity of the file that changes when it is written; None if there is no file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
