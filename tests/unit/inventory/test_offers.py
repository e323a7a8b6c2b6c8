"""Whether the contracts' actions are those that a boot needs, and their code small enough."""

from __future__ import annotations

import json
import os
import re

import pytest

from antelope.abi_codec import fields_of
from tests.unit.inventory.material import (
    MSIG_ABI,
    SYSTEM_ABI,
    TOKEN_ABI,
    Load,
    wasm,
)
from tests.unit.inventory.test_fitness import SMALL, UPDATEAUTH, judged


def without(abi: bytes, action: str) -> bytes:
    """The ABI without one action or table."""
    document = json.loads(abi)
    for part in ("actions", "tables"):
        document[part] = [one for one in document[part] if one["name"] != action]
    return json.dumps(document).encode()


def with_fields(abi: bytes, action: str, *fields: str) -> bytes:
    """The ABI, an action of it with other fields, each NAME:TYPE; a first one without a type is its base."""
    document = json.loads(abi)
    struct = next(one for one in document["structs"] if one["name"] == action)
    struct["fields"] = [{"name": name, "type": kind} for name, kind in fields_of(" ".join(fields))]
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("account", "abi", "expected"),
    [
        ("eosio", without(SYSTEM_ABI, "init"), "contracts: eosio (bundled): has no action init, which the boot pushes"),
        (
            "eosio_msig",
            without(MSIG_ABI, "approvals2"),
            "contracts: eosio.msig (bundled): has no table approvals2, in which the boot looks for what was done",
        ),
        ("eosio_msig", without(MSIG_ABI, "exec"), "contracts: eosio.msig (bundled): has no action exec"),
        (
            "eosio_token",
            with_fields(TOKEN_ABI, "open", "owner:name", "symbol:symbol"),
            "contracts: eosio.token (bundled): its open takes (name, symbol), and the boot sends (name, symbol, name)",
        ),
    ],
)
def test_actions_that_a_boot_needs(account: str, abi: bytes, expected: str, network: Load) -> None:
    """A contract without them, or with other fields, would fail in the middle of the boot."""
    _, wrong = judged(network(SMALL), **{account: (wasm("send_deferred"), abi)})
    assert wrong.startswith(expected)
    assert "\n" not in wrong


@pytest.mark.parametrize(
    ("account", "abi"),
    [
        ("eosio", with_fields(SYSTEM_ABI, "setpriv", "account:name", "is_priv:int8")),
        ("eosio", with_fields(SYSTEM_ABI, "updateauth", *UPDATEAUTH.split(), "authorized_by:name$")),
        ("eosio_msig", with_fields(MSIG_ABI, "approve", "a:name", "b:name", "level:permission_level")),
    ],
)
def test_forms_of_the_same_actions(account: str, abi: bytes, network: Load) -> None:
    """Harmless differences between contract versions pass: binary extensions, signs, names of fields."""
    assert judged(network(SMALL), **{account: (wasm("send_deferred"), abi)})[1] == ""


@pytest.mark.parametrize(("limit", "fits"), [(524288, True), (20000, False)])
def test_a_limit_below_the_contracts_size(limit: int, fits: bool, network: Load) -> None:
    """Code too large for a transaction is reported with its size. It is random, so that it does not compress."""
    text = f"[genesis.configuration]\nmax_transaction_net_usage = {limit}\nmax_block_net_usage = 1048576\n"
    code = wasm(data=os.urandom(150_000))
    _, wrong = judged(network(SMALL + text), eosio=(code, SYSTEM_ABI))
    assert (wrong == "") is fits
    assert fits or re.match(
        r"contracts: eosio \(bundled\): code and ABI take 15\d{4} bytes of a transaction, and "
        r"genesis.configuration.max_transaction_net_usage is 20000: raise it$",
        wrong,
    )


def test_code_that_nodeos_never_accepts(network: Load) -> None:
    """Code of more than a MiB does not fit, however well it compresses."""
    _, wrong = judged(network(SMALL), eosio=(wasm(data=bytes(1 << 20)), SYSTEM_ABI))
    assert "nodeos takes 1048576: make them smaller" in wrong
