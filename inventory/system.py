"""What follows from the contracts' code: which system accounts they need, and how eosio.msig executes."""

from __future__ import annotations

from collections.abc import Iterable

from antelope.names import name_to_int, pack_name
from antelope.wasm import imports

ALWAYS = (
    "eosio.bpay",
    "eosio.msig",
    "eosio.names",
    "eosio.ram",
    "eosio.ramfee",
    "eosio.rex",
    "eosio.saving",
    "eosio.stake",
    "eosio.token",
    "eosio.vpay",
)
"""The ten system accounts of the bios boot tutorial."""

CANDIDATES = ("eosio.fees", "eosio.powup", "eosio.reserv", "eosio.reward", "eosio.wrap")
"""Accounts that some system contracts need in addition, according to reference-contracts up to 3.10."""

INLINE_MSIG_LEAST = 524_288
"""Bytes: with a smaller max_inline_action_size, an eosio.msig that executes inline cannot set a system contract."""

_I64_CONST = b"\x42"


def system_accounts(wasms: Iterable[bytes], deployed: Iterable[str], extra: Iterable[str]) -> tuple[str, ...]:
    """The tutorial's ten, those with a contract, those that a contract's code refers to, and extra ones; sorted.

    An account that the code refers to is needed: a transfer to an account that does not exist fails.
    """
    code = tuple(wasms)
    named = {name for name in CANDIDATES if any(_names(wasm, name) for wasm in code)}
    contracts = {account for account in deployed if account != "eosio"}
    return tuple(sorted({*ALWAYS, *named, *contracts, *extra}))


def executes_deferred(msig: bytes) -> bool:
    """Whether this eosio.msig executes through a deferred transaction, as older ones do. Raises BadWasm."""
    return "send_deferred" in imports(msig)


def _names(wasm: bytes, name: str) -> bool:
    """Whether the code contains the name's value, as a constant or in its static data."""
    return _constant(name) in wasm or pack_name(name) in wasm


def _constant(name: str) -> bytes:
    """The instruction that pushes a name's value: i64.const with a signed LEB128 operand (WebAssembly core, 5.2.2)."""
    value = name_to_int(name)
    value -= (value >> 63) << 64
    encoded = bytearray(_I64_CONST)
    while True:
        byte, value = value & 0x7F, value >> 7
        last = (value == 0 and not byte & 0x40) or (value == -1 and byte & 0x40)
        encoded.append(byte if last else byte | 0x80)
        if last:
            return bytes(encoded)
