"""One table of the differences between versions of the contracts and of nodeos, and how each is recognised.

Versions are recognised by the code, the ABI and the list of protocol features, never by a name or a version number.
docs/contracts.md says what each difference means for a user; `antelope.intrinsics` says what code may import.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from antelope.abi import Abi
from antelope.features import DIGESTS
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

CANDIDATES = ("eosio.fees", "eosio.powup", "eosio.reserv", "eosio.reward", "eosio.wram", "eosio.wrap")
"""Accounts that some system contracts need in addition, according to VaultaFoundation/system-contracts up to 3.10."""

INLINE_MSIG_LEAST = 524_288
"""Bytes: with a smaller max_inline_action_size, an eosio.msig that executes inline cannot set a system contract."""

BUNDLED_FEATURES = tuple(DIGESTS)[: tuple(DIGESTS).index("GET_BLOCK_NUM") + 1]
"""Names of the protocol features that the bundled nodeos supports; a test asks it."""

LICENCE = (
    "it is under the Business Source License 1.1: until a version is four years old, production use is granted to "
    "networks with EOS' genesis only; other use is free"
)
"""The note about a nodeos that `is_under_bsl`."""

_VAULTA = b"rebranded to Vaulta"
"""Part of the message with which such a system contract refuses anybody else's claim."""
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


def executes_for_others(account: str, abi: Abi) -> bool:
    """Whether a contract needs privileges to do its work: one of its actions takes a whole transaction and executes it
    with the authority of others, as in eosio.msig and eosio.wrap.

    True for eosio.* accounts only: no other account gets such power unless the inventory says so.
    """
    document = abi.to_json()
    fields = {struct["name"]: struct["fields"] for struct in document["structs"]}
    taken = (field["type"] for action in document["actions"] for field in fields.get(action["type"], ()))
    return account.startswith("eosio.") and "transaction" in taken


def claims_through_vaulta(system: bytes) -> bool:
    """Whether this system contract takes claimrewards from core.vaulta alone, as eosio.system does from 3.10 on."""
    return _VAULTA in system


def never_defers(features: Collection[str]) -> bool:
    """Whether a nodeos that supports these features, by name, never executes a deferred transaction.

    Spring, the only nodeos with SAVANNA, never does, in any version and with any features: deferred transactions just
    expire.
    """
    return "SAVANNA" in features


def is_under_bsl(features: Collection[str]) -> bool:
    """Whether it is a nodeos under the Business Source License 1.1, as Spring is (LICENSE of AntelopeIO/spring)."""
    return "SAVANNA" in features


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
