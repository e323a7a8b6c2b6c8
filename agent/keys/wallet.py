"""`agent wallet`: keys of this host's store into a keosd of the same machine, for who wants to use cleos with them."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from agent.keys.keosd import KeosdError, import_keys
from agent.keys.store import KeyStore

DEFAULT_SOCKET = Path("~/eosio-wallet/keosd.sock")
"""Where keosd listens unless it is told otherwise."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def add_options(parser: argparse.ArgumentParser) -> None:
    """What the command takes beside --data."""
    parser.add_argument("account", nargs="+", help="accounts whose keys are imported")
    parser.add_argument(
        "--keosd", default=str(DEFAULT_SOCKET), help="its socket, or http://127.0.0.1:PORT (%(default)s)"
    )
    parser.add_argument("--wallet", default="bootcoord", help="made where it is missing (%(default)s)")


def run(store: KeyStore, arguments: argparse.Namespace) -> str:
    """Imports, and says what the wallet holds then. Raises KeosdError, KeyError for an account without a key here."""
    keosd = _address(arguments.keosd)
    password = store.accounts_file.parent / f"{_plain(arguments.wallet)}.wallet-password"
    held = asyncio.run(
        import_keys(keosd, arguments.wallet, [store.private(name) for name in arguments.account], password)
    )
    lines = [f"wallet {arguments.wallet} holds {len(held)} keys; its password is in {password}", *map(str, held)]
    return "\n".join(lines) + "\n"


def _address(text: str) -> str:
    """A socket's absolute path, or a URL on loopback: a private key leaves this machine by no other way."""
    if not text.startswith("http"):
        return str(Path(text).expanduser().absolute())
    if urlsplit(text).scheme != "http" or urlsplit(text).hostname not in LOOPBACK:
        raise KeosdError(
            f"{text}: private keys go to a keosd of this machine only: name its socket, or http://127.0.0.1:PORT"
        )
    return text


def _plain(wallet: str) -> str:
    if not wallet.isalnum():
        raise KeosdError(f"wallet {wallet[:40]!r}: letters and digits only")
    return wallet
