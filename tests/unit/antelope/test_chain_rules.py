"""Genesis, protocol features, the RAM market and WebAssembly. Real nodeos is held against them in tests/live."""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antelope.errors import AntelopeError, BadGenesis, BadWasm, FormatError
from antelope.features import DIGESTS, order
from antelope.genesis import DEFAULT_CONFIGURATION, DEVELOPMENT_KEY, Genesis, configuration_errors
from antelope.keys import PrivateKey, PublicKey
from antelope.ram import RamMarket, fee
from antelope.wasm import imports

GENESIS = Genesis(datetime(2026, 1, 2, 3, 4, 5, 678000, UTC), PrivateKey(bytes(31) + b"\x07").public)


def test_chain_id_of_the_default_genesis() -> None:
    """The id that nodeos reports when it is given no genesis (seen in get_info of the bundled build)."""
    genesis = Genesis(datetime(2018, 6, 1, 12, tzinfo=UTC), PublicKey.parse(DEVELOPMENT_KEY))
    assert genesis.chain_id() == "8a34ec7df1b8cd06ff4a8abbaa7cc50300823350cadc59ab296cb00d104d2b8f"


def test_chain_id_of_eos() -> None:
    """The genesis of EOS, whose time is not on a half second, gives the chain's well-known id."""
    moment = datetime(2018, 6, 8, 8, 8, 8, 888000, UTC)
    key = PublicKey.parse("EOS7EarnUhcyYqmdnPon8rm7mBCTnBoot6o7fE2WzjvEX2TdggbL3")
    genesis = Genesis(moment, key, {**DEFAULT_CONFIGURATION, "max_inline_action_size": 4096})
    assert genesis.chain_id() == "aca376f206b8fc25a6ed44dbdc66547c36c6c33e3a119ffbeaef943642f0e906"
    assert json.loads(genesis.to_json())["initial_timestamp"] == "2018-06-08T08:08:08.888"


def test_genesis_survives_json_and_every_part_counts() -> None:
    """genesis.json gives back the same genesis; changing any single part changes the chain id."""
    assert Genesis.from_json(GENESIS.to_json()) == GENESIS
    assert json.loads(GENESIS.to_json())["initial_timestamp"] == "2026-01-02T03:04:05.678"
    changed = [
        replace(GENESIS, initial_timestamp=GENESIS.initial_timestamp + timedelta(milliseconds=1)),
        replace(GENESIS, initial_key=PrivateKey(bytes(31) + b"\x08").public),
    ]
    for name, value in DEFAULT_CONFIGURATION.items():
        changed.append(replace(GENESIS, initial_configuration={**DEFAULT_CONFIGURATION, name: value + 1}))
    ids = [GENESIS.chain_id(), *(one.chain_id() for one in changed)]
    assert len(set(ids)) == len(ids) == 2 + 1 + 17


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", GENESIS.to_json().replace("EOS", "EOX"), GENESIS.to_json().replace("2026-01", "2026-13"),
     GENESIS.to_json().replace("max_authority_depth", "depth"), GENESIS.to_json().replace("1048576", '"x"')],
)  # fmt: skip
def test_malformed_genesis(text: str) -> None:
    """A genesis.json that lacks a part, or has one that nodeos would ignore, is refused."""
    with pytest.raises(BadGenesis):
        Genesis.from_json(text)


def test_all_faults_of_a_configuration_are_named() -> None:
    """Every value that is out of range or contradicts another is named, all at once. nodeos' defaults pass."""
    assert configuration_errors(DEFAULT_CONFIGURATION) == []
    broken = {"max_authority_depth": 0, "max_transaction_cpu_usage": 200000}
    assert len(configuration_errors({**DEFAULT_CONFIGURATION, **broken})) == 2
    for bad in ({"max_authority_depth": 65536}, {"net_usage_leeway": -1}):
        assert len(configuration_errors({**DEFAULT_CONFIGURATION, **bad})) == 1
    assert len(configuration_errors({})) == 17


def feature(name: str, *dependencies: str) -> dict[str, Any]:
    """An entry of get_supported_protocol_features; features that are not known get a digest of their name."""

    def digest(one: str) -> str:
        return DIGESTS.get(one, one.encode().hex())

    return {
        "feature_digest": digest(name),
        "dependencies": [digest(one) for one in dependencies],
        "specification": [{"name": "builtin_feature_codename", "value": name}],
    }


def test_features_follow_their_dependencies() -> None:
    """Each feature comes after its dependencies, in the same order whatever the node's own order is."""
    listed = [feature(name) for name in list(DIGESTS)[:5]]
    listed += [feature("NEW", "PREACTIVATE_FEATURE"), feature("GET_SENDER", "NEWER"), feature("NEWER", "NEW")]
    orders = set()
    for seed in range(20):
        shuffled = list(listed)
        random.Random(seed).shuffle(shuffled)  # noqa: S311 - reproducible, not secret
        orders.add(tuple(name for name, _ in order(shuffled)))
    assert orders == {(*list(DIGESTS)[:5], "NEW", "NEWER", "GET_SENDER")}


def test_impossible_features_are_refused() -> None:
    """A dependency that is missing or circular, and an answer without the needed parts, are errors."""
    with pytest.raises(AntelopeError, match="A depends on 42, which the node does not support"):
        order([feature("A", "B")])
    with pytest.raises(AntelopeError, match="depend on each other"):
        order([feature("A", "B"), feature("B", "A")])
    with pytest.raises(AntelopeError, match="malformed"):
        order([{"feature_digest": "00"}])


def test_feature_table_is_consistent() -> None:
    """23 features, each with a digest of its own."""
    assert len(set(DIGESTS.values())) == len(DIGESTS) == 23
    assert all(len(bytes.fromhex(digest)) == 32 for digest in DIGESTS.values())


@given(st.integers(2, 10**14), st.integers(10**6, 10**13))
def test_ram_market_conserves_and_prices_rise(quantity: int, quote: int) -> None:
    """Bytes and units are conserved, and the same purchase never gives more bytes the second time."""
    before = RamMarket(64 << 30, quote)
    try:
        received, after = before.bytes_for(quantity)
    except AntelopeError:
        return
    assert before.base_balance == after.base_balance + received
    assert after.quote_balance == before.quote_balance + quantity - fee(quantity)
    try:
        assert after.bytes_for(quantity)[0] <= received
    except AntelopeError:
        return


def test_ram_refusals() -> None:
    """Nothing at all, less than nothing, and a quantity that the fee eats up buy no RAM."""
    market = RamMarket.at_init(10**13)
    for quantity in (0, -5, 1):
        with pytest.raises(AntelopeError):
            market.bytes_for(quantity)


def _module(*entries: bytes) -> bytes:
    section = bytes([len(entries)]) + b"".join(b"\x03env" + entry for entry in entries)
    return b"\0asm\x01\0\0\0" + b"\x00\x02\x01x" + b"\x02" + bytes([len(section)]) + section + b"\x0a\x00"


def test_imports_of_every_kind() -> None:
    """Functions are listed; imported tables, memories and globals are stepped over."""
    table, memory = b"\x01t\x01\x70\x01\x01\x02", b"\x01m\x02\x00\x01"
    module = _module(b"\x01f\x00\x05", table, memory, b"\x01g\x03\x7f\x00", b"\x0dsend_deferred\x00\x81\x01")
    assert imports(module) == {"f", "send_deferred"}
    assert imports(b"\0asm\x01\0\0\0") == set()


@pytest.mark.parametrize("data", [b"", b"\0asm", b"\0asm\x02\0\0\0", b"PK\x03\x04"])
def test_bytes_that_are_not_a_module(data: bytes) -> None:
    """Bytes without the header of WebAssembly 1 are refused."""
    with pytest.raises(BadWasm):
        imports(data)


@given(st.binary(max_size=60))
def test_damaged_modules(data: bytes) -> None:
    """Whatever follows the header, the answer is a set of names or a FormatError."""
    for head in (b"", b"\x02"):
        try:
            assert all(isinstance(name, str) for name in imports(b"\0asm\x01\0\0\0" + head + data))
        except FormatError:
            continue


def test_every_prefix_of_a_module_is_an_answer_or_an_error() -> None:
    """A truncated module gives no names that the whole one does not have."""
    module = _module(b"\x01f\x00\x05", b"\x01h\x00\x06")
    for end in itertools.chain(range(8, len(module))):
        try:
            assert imports(module[:end]) <= {"f", "h"}
        except BadWasm:
            continue
