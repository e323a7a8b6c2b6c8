"""`agent wallet`: imports keys of this host's store into a keosd on the same machine, for use with cleos.

Each network has a wallet of its own there. Its password is kept in the user's home, not in the agent's folder, because
keosd's wallets outlive a purged network.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from agent.errors import KeosdError, KeyStoreError
from agent.keys.keosd import Keosd
from agent.keys.store import KeyStore
from antelope.keys import PrivateKey, PublicKey
from support.files import write_atomic
from support.wallets import address_file, password_file, usual_name

_EXISTS, _NO_SUCH_WALLET, _WRONG_PASSWORD, _UNLOCKED, _KEY_EXISTS = 3120001, 3120002, 3120005, 3120007, 3120008
# Source: libraries/chain/include/eosio/chain/exceptions.hpp of AntelopeIO/leap, wallet_exception.

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}", re.ASCII)
"""Names that keosd accepts (valid_filename of wallet_manager.cpp), except hidden files."""


def run(store: KeyStore, network: str, keosd: str, wallet: str | None, accounts: Sequence[str]) -> str:
    """Opens and unlocks the wallet, imports the accounts' keys, and says what it holds then.

    Raises KeosdError, KeyStoreError for an account without a key here, OSError.
    """
    name = wallet or usual_name(network)
    if _NAME.fullmatch(name) is None:
        raise KeosdError(f"wallet {name[:40]!r}: 1 to 64 letters, digits and ._- only")
    try:
        passwords = password_file(name)
    except RuntimeError as error:
        raise KeosdError(f"{error}: set XDG_STATE_HOME to a folder for the wallet's password") from error
    place = Keosd.at(keosd)
    held = import_keys(place, name, [_key(store, account) for account in accounts], passwords)
    write_atomic(address_file(name), f"{place.address}\n".encode(), 0o600)  # `coord cleos` asks there
    lines = [f"wallet {name} is open and holds {len(held)} keys; its password is in {passwords}", *map(str, held)]
    return "\n".join(lines) + "\n"


def _key(store: KeyStore, account: str) -> PrivateKey:
    try:
        return store.private(account)
    except KeyError as error:
        raise KeyStoreError(str(error.args[0])) from error


def import_keys(keosd: Keosd, wallet: str, keys: Sequence[PrivateKey], passwords: Path) -> tuple[PublicKey, ...]:
    """Unlocks that wallet and puts the keys into it; all public keys that it then has. Where it is missing it is made,
    if there are keys for it.

    passwords: see `password_file`; 0600. Doing it again changes nothing. Raises KeosdError, OSError.
    """
    password = _unlocked(keosd, wallet, passwords) or _made(keosd, wallet, keys, passwords)
    for key in keys:
        keosd.call("import_key", [wallet, key.wif], fine=_KEY_EXISTS)
    return tuple(PublicKey.parse(public) for public, _secret in keosd.call("list_keys", [wallet, password]))


def _unlocked(keosd: Keosd, wallet: str, passwords: Path) -> str:
    """Unlocks an existing wallet and returns its password; empty if there is no such wallet."""
    for password in (
        *reversed(_known(passwords)),
        "",
    ):  # no wallet has an empty password, so this asks whether the wallet exists
        try:
            keosd.call("unlock", [wallet, password], fine=_UNLOCKED)
            keosd.call("list_keys", [wallet, password])  # an unlocked wallet also says if the password is wrong
        except KeosdError as error:
            if error.code == _NO_SUCH_WALLET:
                return ""
            if error.code != _WRONG_PASSWORD:
                raise
        else:
            return password
    raise KeosdError(
        f"keosd at {keosd.address} has a wallet {wallet!r} whose password is not in {passwords}: write it there, as a "
        "line of its own, or name another wallet (--wallet)"
    )


def _made(keosd: Keosd, wallet: str, keys: Sequence[PrivateKey], passwords: Path) -> str:
    if not keys:
        raise KeosdError(
            f"keosd at {keosd.address} has no wallet {wallet!r} yet: name the accounts whose keys to import"
        )
    known = _known(passwords)
    write_atomic(passwords, _lines(known), 0o600)  # first, so that no password can get lost
    password = str(keosd.call("create", wallet))
    write_atomic(passwords, _lines([*known, password]), 0o600)
    return password


def _known(passwords: Path) -> list[str]:
    try:
        return passwords.read_text(encoding="utf-8").split()
    except FileNotFoundError:
        return []


def _lines(passwords: Iterable[str]) -> bytes:
    return "".join(f"{password}\n" for password in passwords).encode()
