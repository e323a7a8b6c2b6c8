"""Finds keys that are gone from a host's disk while its nodes still run with them: until these nodes start again,
nothing else shows it.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.errors import KeyStoreError
from agent.keys.accounts_file import Accounts
from agent.keys.store import KeyStore
from boot.reads import few


def lost_keys(store: KeyStore, signing: Iterable[str]) -> tuple[str, ...]:
    """What is missing, a line for each key file; empty if nothing is. A running agent knows what its files had.

    signing: the accounts whose nodes run here to sign.
    """
    signing_there, accounts_there = store.signing_file.exists(), store.accounts_file.exists()
    users: Accounts = {}
    producers: Accounts = {}
    signers: Accounts = {}
    try:
        keyless = [account for account in signing if not store.signer_keys(account)]
        if not (signing_there and accounts_there):
            users, producers, signers, _successors = store.pairs()
    except KeyStoreError as error:
        return (str(error),)
    found = []
    if not signing_there and (gone := sorted({*signers, *keyless})):
        found.append(f"keys/{store.signing_file.name} is gone, with the block-signing {_keys(gone)}")
    elif keyless:
        found.append(f"keys/{store.signing_file.name} has no block-signing key of {few(keyless)}, whose node runs")
    if not accounts_there and (users or producers):
        found.append(f"keys/{store.accounts_file.name} is gone, with the account {_keys((*sorted(producers), *users))}")
    return tuple(found)


def _keys(accounts: Iterable[str]) -> str:
    names = tuple(accounts)
    return f"key{'s' if len(names) > 1 else ''} of {few(names)}"
