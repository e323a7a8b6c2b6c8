"""Actions of the contract on `eosio`: eosio.bios or eosio.boot at first, then eosio.system."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from antelope.asset import Asset, Symbol
from antelope.errors import AbiError
from antelope.keys import PublicKey
from antelope.layouts import SYSTEM, pack_data
from antelope.names import name_to_int
from antelope.transaction import Action, PermissionLevel


def _action(name: str, actor: str, auth: PermissionLevel | None, *values: Any) -> Action:
    return Action(SYSTEM, name, (auth or PermissionLevel(actor),), pack_data(SYSTEM, name, *values))


def activate(digest: str, auth: PermissionLevel | None = None) -> Action:
    """Activates a protocol feature from the next block on; digest is hexadecimal. Raises AbiError."""
    try:
        raw = bytes.fromhex(digest)
    except ValueError as error:
        raise AbiError(f"feature digest {digest[:80]!r} is not hexadecimal") from error
    return _action("activate", SYSTEM, auth, raw)


def setpriv(account: str, is_priv: bool, auth: PermissionLevel | None = None) -> Action:
    """Makes an account privileged, or revokes that."""
    return _action("setpriv", SYSTEM, auth, account, int(is_priv))


def setparams(parameters: Mapping[str, int], auth: PermissionLevel | None = None) -> Action:
    """Sets all chain parameters of a genesis' initial_configuration."""
    return _action("setparams", SYSTEM, auth, parameters)


def init(version: int, symbol: Symbol, auth: PermissionLevel | None = None) -> Action:
    """Initialises eosio.system with its core symbol, whose token must have been issued already."""
    return _action("init", SYSTEM, auth, version, symbol)


def buyram(payer: str, receiver: str, quantity: Asset, auth: PermissionLevel | None = None) -> Action:
    """Buys RAM for this quantity of tokens, fee included."""
    return _action("buyram", payer, auth, payer, receiver, quantity)


def buyrambytes(payer: str, receiver: str, ram_bytes: int, auth: PermissionLevel | None = None) -> Action:
    """Buys about this many bytes of RAM, at the market's price."""
    return _action("buyrambytes", payer, auth, payer, receiver, ram_bytes)


def delegatebw(
    from_: str, receiver: str, net: Asset, cpu: Asset, transfer: bool = False, auth: PermissionLevel | None = None
) -> Action:
    """Stakes for a receiver; with transfer, the stake and its voting weight become the receiver's own."""
    return _action("delegatebw", from_, auth, from_, receiver, net, cpu, transfer)


def undelegatebw(from_: str, receiver: str, net: Asset, cpu: Asset, auth: PermissionLevel | None = None) -> Action:
    """Unstakes; the tokens are paid out three days later."""
    return _action("undelegatebw", from_, auth, from_, receiver, net, cpu)


def regproducer(
    producer: str, key: PublicKey, url: str = "", location: int = 0, auth: PermissionLevel | None = None
) -> Action:
    """Registers a producer with its block-signing key; schedules are sorted by location, a 16-bit number."""
    return _action("regproducer", producer, auth, producer, key, url, location)


def unregprod(producer: str, auth: PermissionLevel | None = None) -> Action:
    """Unregisters a producer, so that it is no longer elected."""
    return _action("unregprod", producer, auth, producer)


def voteproducer(
    voter: str, proxy: str = "", producers: Iterable[str] = (), auth: PermissionLevel | None = None
) -> Action:
    """Votes with all of a voter's stake, for a proxy or for up to 30 producers, which are sorted here as required."""
    return _action("voteproducer", voter, auth, voter, proxy, sorted(producers, key=name_to_int))


def regproxy(proxy: str, isproxy: bool, auth: PermissionLevel | None = None) -> Action:
    """Makes an account a proxy that others can vote through, or revokes that."""
    return _action("regproxy", proxy, auth, proxy, isproxy)


def claimrewards(owner: str, auth: PermissionLevel | None = None) -> Action:
    """Claims a producer's rewards; refused within 24 hours of the last claim."""
    return _action("claimrewards", owner, auth, owner)
