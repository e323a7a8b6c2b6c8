"""What the library packs, prints and signs, byte for byte against cleos."""

from __future__ import annotations

import hashlib
import json
import random
import shlex
from pathlib import Path
from typing import Any

import pytest

from antelope import actions
from antelope.abi import Abi
from antelope.abi_types import BUILT_IN
from antelope.asset import Asset, Symbol
from antelope.authority import Authority
from antelope.cleos import cleos_command
from antelope.genesis import CONFIGURATION
from antelope.keys import PrivateKey, PublicKey, Signature
from antelope.layouts import LAYOUTS, unpack_data
from antelope.transaction import Action, PermissionLevel, SignedTransaction, Transaction
from tests.live.antelope.conftest import Chain, cleos, contract

pytestmark = pytest.mark.live

SYS = Symbol(4, "SYS")
KEY = PrivateKey(hashlib.sha256(b"a key of this test").digest())
OTHER = PrivateKey(hashlib.sha256(b"another key of this test").digest())
ABIS = {"eosio": ("eosio.system", "eosio.bios"), "eosio.token": ("eosio.token",), "eosio.msig": ("eosio.msig",)}
LEVELS = (PermissionLevel("alice"), PermissionLevel("bob", "owner"))
WEIGHTED = Authority(
    3,
    ((OTHER.public, 2), (KEY.public, 1)),
    (("zed", "active", 1), ("alice", "eosio.code", 1), ("alice", "active", 2)),
    ((7200, 1), (3600, 1)),
)
INNER = Transaction(1_800_000_000, 17, 2**32 - 1, (Action("eosio", "reqauth", LEVELS, b"\x01\x02"),), 300, 255, 86400)
DRY = ("--dont-broadcast", "--skip-sign", "--json")

EVERY_ACTION = (
    actions.newaccount("eosio", "alice", WEIGHTED, Authority.key(KEY.public)),
    actions.setcode("alice", bytes(range(256))),
    actions.setabi("alice", b"\x0eeosio::abi/1.1"),
    actions.updateauth("alice", "active", "owner", Authority.account("eosio.prods", "active")),
    actions.updateauth("alice", "owner", "", WEIGHTED),
    actions.activate("0ec7e080177b2c02b278d5088611686b49d739925a92d9bfcacd7fc6b74053bd"),
    actions.setpriv("eosio.msig", True),
    actions.init(0, SYS),
    actions.buyram("eosio", "alice", Asset(1, SYS)),
    actions.buyrambytes("eosio", "alice", 2**32 - 1),
    actions.setparams({name: number for number, (name, _, _) in enumerate(CONFIGURATION, 1)}),
    actions.delegatebw("eosio", "alice", Asset(4500, SYS), Asset(0, SYS), transfer=True),
    actions.undelegatebw("eosio", "alice", Asset(1, SYS), Asset((1 << 62) - 1, SYS)),
    actions.regproducer("alice", KEY.public, "https://example.org/ünï", 65535),
    actions.unregprod("alice"),
    actions.voteproducer("alice", "", ["zed", "b.a", "b", "a1", "a5", "aa"]),
    actions.voteproducer("alice", "bob"),
    actions.regproxy("alice", isproxy=True),
    actions.claimrewards("alice"),
    actions.create("eosio", Asset((1 << 62) - 1, SYS)),
    actions.issue("eosio", Asset(1, Symbol(0, "ABCDEFG")), "a 'quoted' memo $(touch X)"),
    actions.transfer("alice", "bob", Asset(123, Symbol(18, "A")), "x" * 256),
    actions.open("alice", SYS, "bob"),
    actions.propose("alice", "change", LEVELS, INNER),
    actions.approve("alice", "change", LEVELS[0]),
    actions.approve("alice", "change", LEVELS[0], bytes(range(32))),
    actions.unapprove("alice", "change", LEVELS[1]),
    actions.exec("alice", "change", "bob"),
    actions.cancel("alice", "change", "bob"),
)


def abi_with(account: str, action: str) -> Path:
    """The ABI file of the contract that has this action."""
    for name in ABIS[account]:
        file = contract(name, "abi")
        if action in Abi.parse(file.read_bytes()).actions:
            return file
    raise AssertionError(f"no ABI at hand has {account}::{action}")


def test_every_layout_has_a_case() -> None:
    """No action of the table of layouts is left out of the comparison with cleos."""
    assert {(one.account, one.name) for one in EVERY_ACTION} == {
        (account, name) for account, names in LAYOUTS.items() for name in names
    }


@pytest.mark.parametrize("action", EVERY_ACTION, ids=lambda one: f"{one.account}-{one.name}-{len(one.data)}")
def test_actions_are_packed_as_cleos_packs_them(action: Action) -> None:
    """Builder, our ABI packer and cleos give the same bytes, and all read back the same JSON."""
    file = abi_with(action.account, action.name)
    data = unpack_data(action.account, action.name, action.data)
    convert = ["--abi-file", f"{action.account}:{file}", "convert"]
    packed = cleos(*convert, "pack_action_data", action.account, action.name, json.dumps(data, ensure_ascii=False))
    assert packed == action.data.hex()
    abi = Abi.parse(file.read_bytes())
    assert abi.pack_action(action.name, data) == action.data
    assert abi.unpack_action(action.name, action.data) == data
    # cleos writes the JSON of a proposal's inner action in its own way; the bytes were compared above.
    if action.name != "propose":
        theirs = cleos(*convert, "unpack_action_data", action.account, action.name, action.data.hex())
        assert json.loads(theirs) == data


def _random_value(type_: str, dice: random.Random) -> Any:
    """A value of a built-in type, in the form in which nodeos writes it."""
    size = {"float32": 4, "float64": 8, "float128": 16, "checksum160": 20, "checksum256": 32, "checksum512": 64}
    if type_ in ("public_key", "signature"):
        key = PrivateKey(dice.randbytes(32))
        return str(key.public if type_ == "public_key" else key.sign(dice.randbytes(32)))
    if type_ in ("bytes", "string"):
        return dice.randbytes(dice.choice((0, 1, 127, 128, 300))).hex()
    code = "".join(dice.choices("ABCXYZ", k=dice.randint(1, 7)))
    asset = str(Asset(dice.randint(-(1 << 62) + 1, (1 << 62) - 1), Symbol(dice.randint(0, 18), code)))
    texts = {"symbol": f"{dice.randint(0, 18)},{code}", "symbol_code": code, "asset": asset}
    if type_ in texts:
        return texts[type_]
    # cleos reads texts of times beyond 2106 modulo 2^32 seconds.
    raw = {"time_point": dice.randint(0, 4_200_000_000_000) * 1000, "bool": dice.randint(0, 1)}
    if type_ == "extended_asset":
        return {"quantity": asset, "contract": _random_value("name", dice)}
    if type_.startswith("var"):
        bits = dice.choice((1, 7, 8, 14, 31))
        return dice.randint(-(1 << bits), (1 << bits) - 1) if type_ == "varint32" else dice.randint(0, (2 << bits) - 1)
    width = size.get(type_, 16 if "128" in type_ else 8)
    packed = raw[type_].to_bytes(width, "little") if type_ in raw else dice.randbytes(width)
    if type_ == "float64":
        packed = dice.choice((packed[:7] + b"\x3f", packed[:6] + b"\xf0\xbf", bytes(8)))
    if type_ == "float32":
        packed = packed[:3] + b"\x3f"
    one = Abi.parse({"version": "eosio::abi/1.1"})
    width_of = {"int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "bool": 1}
    width_of |= {"time_point_sec": 4, "block_timestamp_type": 4}
    return one.unpack(type_, packed[: width_of.get(type_, width)])


def _corpus_abi() -> dict[str, Any]:
    """An ABI whose one action takes every built-in type, in arrays, optionals, variants, bases and extensions."""
    every = [{"name": f"f_{type_}", "type": type_} for type_ in BUILT_IN]
    return {
        "version": "eosio::abi/1.2",
        "types": [{"new_type_name": "rows", "type": "row[]"}],
        "structs": [
            {"name": "head", "base": "", "fields": [{"name": "choice", "type": "either"}]},
            {"name": "row", "base": "head", "fields": every},
            {
                "name": "all",
                "base": "",
                "fields": [
                    {"name": "rows", "type": "rows"},
                    {"name": "maybe", "type": "uint16?"},
                    {"name": "later", "type": "string$"},
                    {"name": "last", "type": "name[]$"},
                ],
            },
        ],
        "actions": [{"name": "all", "type": "all", "ricardian_contract": ""}],
        "variants": [{"name": "either", "types": ["uint8", "string", "asset[]"]}],
    }


@pytest.mark.parametrize("seed", range(4))
def test_every_type_packs_as_in_cleos(seed: int, tmp_path: Path) -> None:
    """Random values of every built-in type give cleos' bytes and cleos' JSON."""
    dice = random.Random(seed)  # noqa: S311 - reproducible, not secret
    choices: list[Any] = [["uint8", 255], ["string", "x"], ["asset[]", ["1.0 A", "-0.5 A"]]]
    rows = [
        {"choice": dice.choice(choices), **{f"f_{type_}": _random_value(type_, dice) for type_ in BUILT_IN}}
        for _ in range(20)
    ]
    data: dict[str, Any] = {"rows": rows, "maybe": dice.choice((None, 7))}
    data |= dice.choice(({}, {"later": "é"}, {"later": "", "last": ["a", "b.c"]}))
    file = tmp_path / "corpus.abi"
    file.write_text(json.dumps(_corpus_abi()))
    abi = Abi.parse(file.read_bytes())
    packed = abi.pack_action("all", data)
    convert = ["--abi-file", f"corpus:{file}", "convert"]
    assert cleos(*convert, "pack_action_data", "corpus", "all", json.dumps(data, ensure_ascii=False)) == packed.hex()
    theirs = json.loads(cleos(*convert, "unpack_action_data", "corpus", "all", packed.hex()))
    ours = abi.unpack_action("all", packed)
    for mine, yours in zip(ours["rows"], theirs["rows"], strict=True):
        for name in yours:
            assert (name, mine[name]) == (name, yours[name])
    assert ours == theirs
    assert abi.pack_action("all", theirs) == packed


def test_keys_of_cleos() -> None:
    """Keys that cleos makes are read, and their public halves derived, as cleos has it."""
    for _ in range(5):
        private, public = (line.split(": ")[1] for line in cleos("create", "key", "--to-console").splitlines())
        key = PrivateKey.parse(private)
        assert (key.wif, str(key.public)) == (private, public)
        assert PrivateKey.parse(key.modern) == key
    r1_public = cleos("create", "key", "--r1", "--to-console").splitlines()[1].split(": ")[1]
    assert str(PublicKey.parse(r1_public)) == r1_public


def test_signatures_are_those_that_cleos_recovers() -> None:
    """cleos recovers our keys from our signatures, and we recover its key from its signature."""
    chain_id = hashlib.sha256(b"a chain").hexdigest()
    transaction = Transaction(1_800_000_000, 3, 4, EVERY_ACTION[:5], 9, 8, 7)
    signed = transaction.sign(chain_id, [KEY, OTHER])
    body = {**transaction.to_json(), "signatures": [str(one) for one in signed.signatures], "context_free_data": []}
    said = json.loads(cleos("validate", "signatures", json.dumps(body), "-c", chain_id))
    assert set(said) == {str(KEY.public), str(OTHER.public)}
    theirs = json.loads(cleos("sign", json.dumps(transaction.to_json()), "-k", OTHER.wif, "-c", chain_id))
    signature = Signature.parse(theirs["signatures"][0])
    assert signature.verify(transaction.signing_digest(chain_id), OTHER.public)


def test_packed_transactions_are_those_of_cleos() -> None:
    """Packed form and JSON of a transaction are cleos' own."""
    transaction = Transaction(1_800_000_000, 65535, 2**32 - 1, EVERY_ACTION[:3], 300, 255, 86400)
    signed = transaction.sign("00" * 32, [KEY])
    body = {**transaction.to_json(), "signatures": [str(signed.signatures[0])]}
    packed = json.loads(cleos("convert", "pack_transaction", json.dumps(body)))
    assert packed["packed_trx"] == signed.packed.hex()
    assert SignedTransaction.from_json(packed) == signed
    plain = json.loads(cleos("convert", "unpack_transaction", json.dumps(signed.to_json())))
    assert {name: plain[name] for name in transaction.to_json()} == transaction.to_json()


@pytest.mark.parametrize("name", ["eosio.bios", "eosio.system", "eosio.token", "eosio.msig", "eosio.wrap"])
def test_contracts_are_set_as_cleos_sets_them(name: str, bare_chain: Chain) -> None:
    """cleos set contract makes our setcode and our setabi, byte for byte, for every contract at hand."""
    wasm, abi = contract(name, "wasm"), contract(name, "abi")
    arguments = ["set", "contract", "eosio.names", str(wasm.parent), wasm.name, abi.name]
    said = cleos("-u", bare_chain.url, *arguments, *DRY, "--suppress-duplicate-check")
    made = json.loads(said[said.index("{") :])["actions"]
    ours = (
        actions.setcode("eosio.names", wasm.read_bytes()),
        actions.setabi("eosio.names", Abi.parse(abi.read_bytes()).packed()),
    )
    assert made == [one.to_json() for one in ours]


def test_printed_commands_make_the_same_action(chain: Chain) -> None:
    """The command that cleos_command prints makes, in cleos, exactly that action."""
    unknown = Action("eosio.token", "nothing", LEVELS, b"\x01\x02\xff")
    control = actions.transfer("alice", "bob", Asset(1, SYS), "\x08\x0c\x01 \\u0041 \\\\b")
    readable = actions.transfer("alice", "bob", Asset(1, SYS), "tab\t line\n 'quote' \"double\" back\\slash / ü €")
    own = [one for one in EVERY_ACTION if one.name not in ("setcode", "setabi", "activate")]
    for action in (*own, unknown, control, readable):
        words = shlex.split(cleos_command(action))
        assert words[0] == "cleos"
        said = cleos("-u", chain.url, *words[1:], *DRY)
        (made,) = json.loads(said[said.index("{") :])["actions"]
        assert made == action.to_json()


def test_printed_commands_name_contracts_by_hash() -> None:
    """setcode and setabi print `cleos set code` and `set abi` with a file named by its sha256."""
    code, abi = actions.setcode("alice", b"code"), actions.setabi("alice", b"packed")
    assert cleos_command(code) == f"cleos set code alice {hashlib.sha256(b'code').hexdigest()} -p alice@active"
    assert cleos_command(abi) == f"cleos set abi alice {hashlib.sha256(b'packed').hexdigest()} -p alice@active"
    assert cleos_command(actions.setcode("alice", b"")) == "cleos set code --clear alice -p alice@active"
