"""A backup of the host's keys: only its ciphertext ever leaves the host, and only its operator's key opens it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from agent.errors import KeyStoreError
from agent.keys.accounts_file import Accounts, pack, parse
from agent.keys.store import KeyStore
from antelope.errors import BadJson
from antelope.strict_json import read_json
from support.age import encrypt, recipient

FORMAT = "bootcoord keys 1"
SIZE_LIMIT = 256 << 20


@dataclass(frozen=True)
class KeyBackup:
    """The content of a backup, decrypted."""

    network: str
    host: str
    users: Accounts
    producers: Accounts
    signers: Accounts
    successors: Accounts
    """The successors of signers that are being changed."""

    @staticmethod
    def unpack(data: bytes) -> KeyBackup:
        """Raises KeyStoreError; its message never contains a secret."""
        try:
            document = read_json(data, size=SIZE_LIMIT)
        except BadJson as error:
            raise KeyStoreError(f"the backup of keys, {error}") from None
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise KeyStoreError(f"this is not a backup of keys ({FORMAT!r} is expected)")
        users, producers = parse("the backup of keys, accounts", document.get("accounts"))
        _none, signers = parse("the backup of keys, signing", document.get("signing"))
        _none, successors = parse("the backup of keys, successors", document.get("successors"))
        network, host = str(document.get("network")), str(document.get("host"))
        return KeyBackup(network, host, users, producers, signers, successors)


def back_up(store: KeyStore, network: str, host: str, recipients: Sequence[str]) -> bytes:
    """All keys of the store, encrypted to these recipients (age1…). Raises AgeError."""
    users, producers, signers, successors = store.pairs()
    document = {
        "format": FORMAT,
        "network": network,
        "host": host,
        "accounts": json.loads(pack(users, producers)),
        "signing": json.loads(pack({}, signers)),
        "successors": json.loads(pack({}, successors)),
    }
    return encrypt(json.dumps(document).encode(), [recipient(text) for text in recipients])


def put_back(store: KeyStore, network: str, host: str, data: bytes) -> tuple[str, ...]:
    """Takes the keys of a decrypted backup into the store. Returns the accounts whose keys are here now.

    Existing keys stay. Raises KeyStoreError if an account has another key here, or the backup is from another
    network's or host's.
    """
    backup = KeyBackup.unpack(data)
    if (backup.network, backup.host) != (network, host):
        raise KeyStoreError(f"the keys are those of {backup.host} in {backup.network}, this is {host} in {network}")
    store.merge(backup.users, backup.producers, backup.signers, backup.successors)
    return tuple(sorted({*backup.users, *backup.producers, *backup.signers}))
