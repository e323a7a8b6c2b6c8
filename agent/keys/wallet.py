"""`agent wallet`: keys of this host's store into a keosd of the same machine, for who wants to use cleos with them."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from agent.keys.keosd import Keosd, KeosdError
from agent.keys.store import KeyStore
from antelope.keys import PrivateKey, PublicKey
from support.files import write_atomic

_WALLET_EXISTS, _KEY_EXISTS, _ALREADY_UNLOCKED = 3120001, 3120008, 3120007
# Source: libraries/chain/include/eosio/chain/exceptions.hpp of AntelopeIO/leap, wallet_exception.


def run(store: KeyStore, arguments: argparse.Namespace) -> str:
    """Imports, and says what the wallet holds then. Raises KeosdError, KeyError for an account without a key here."""
    keosd = Keosd.at(arguments.keosd)
    password = store.accounts_file.parent / f"{_plain(arguments.wallet)}.wallet-password"
    keys = [store.private(name) for name in arguments.account]
    held = import_keys(keosd, arguments.wallet, keys, password)
    lines = [f"wallet {arguments.wallet} holds {len(held)} keys; its password is in {password}", *map(str, held)]
    return "\n".join(lines) + "\n"


def import_keys(keosd: Keosd, wallet: str, keys: Iterable[PrivateKey], password_file: Path) -> tuple[PublicKey, ...]:
    """Puts the keys into that wallet, which is created where it is missing; all public keys that it then has.

    password_file: 0600, holds the wallet's password, written when the wallet is created. Doing it again changes
    nothing. Raises KeosdError, OSError.
    """
    password = _opened(keosd, wallet, password_file)
    for key in keys:
        keosd.call("import_key", [wallet, key.wif], fine=_KEY_EXISTS)
    pairs = keosd.call("list_keys", [wallet, password])
    return tuple(PublicKey.parse(public) for public, _secret in pairs)


def _opened(keosd: Keosd, wallet: str, password_file: Path) -> str:
    """The password of the wallet, which is unlocked then."""
    created = keosd.call("create", wallet, fine=_WALLET_EXISTS)
    if created is not None:
        write_atomic(password_file, f"{created}\n".encode(), 0o600)
        return str(created)
    if not password_file.is_file():
        raise KeosdError(
            f"keosd has a wallet {wallet!r} already, and its password is not in {password_file}: name another"
        )
    password = password_file.read_text().strip()
    keosd.call("open", wallet)
    keosd.call("unlock", [wallet, password], fine=_ALREADY_UNLOCKED)
    return password


def _plain(wallet: str) -> str:
    if not wallet.isalnum():
        raise KeosdError(f"wallet {wallet[:40]!r}: letters and digits only")
    return wallet
