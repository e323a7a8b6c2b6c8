"""The seal: what it contains, and what prevents it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from antelope.genesis import DEVELOPMENT_KEY, Genesis
from antelope.keys import PublicKey
from antelope.names import name_to_int, pack_name
from boot.audit.genesis import chain_id
from inventory.allocation import allocate, holdings
from inventory.compare import compare
from inventory.errors import InventoryError
from inventory.rows import Allocation
from inventory.seal import seal
from inventory.sealed import Sealed
from inventory.versions import ALWAYS
from tests.unit.inventory.material import (
    ABI,
    BOOT_ABI,
    SUPPORTED,
    Collect,
    Load,
    contracts,
    feature,
    key,
    wasm,
)

SMALL = "[users]\ncount = 12\n[producers]\ncount = 3\nelected = 2\n"


def test_contents(network: Load, collect: Collect) -> None:
    """Genesis, supplies, allocation, producers and votes are in the document as the network has them."""
    found = network(SMALL + "[votes]\nproxied = 1")
    collected = collect(found)
    bundle = seal(found, collected)
    sealed = bundle.sealed
    assert sealed.genesis["initial_key"] == sealed.eosio_key == key("eosio")
    assert sealed.genesis["initial_timestamp"] == "2026-01-02T03:04:05.500"
    assert sealed.chain_id == Genesis.from_json(json.dumps(sealed.genesis)).chain_id()
    assert (sealed.symbol, sealed.max_supply, sealed.issue) == ("4,SYS", 10**14, 10**13)
    rows = Allocation(bundle.artifacts[sealed.allocation])
    assert rows.artifact == allocate(found, holdings(found), collected.account_keys).artifact
    assert sealed.accounts == len(rows) == 15
    assert [(p.account, p.account_key, p.signing_key, p.elected) for p in sealed.producers] == [
        (name, key(name), key(f"sign {name}"), elected)
        for name, elected in (("defproducera", True), ("defproducerb", True), ("defproducerc", False))
    ]
    assert [contract.account for contract in sealed.contracts] == ["eosio.token", "eosio.msig", "eosio"]
    assert sealed.proxies == ("defproducera",)
    assert (sealed.votes[-1].voter, sealed.votes[-1].proxy) == ("useraaaaaaak", "defproducera")


def test_artifacts(network: Load, collect: Collect) -> None:
    """Every file that the document names is there, under its sha256, and the document reads back."""
    bundle = seal(network(SMALL), collect(network(SMALL)))
    assert set(bundle.artifacts) == set(bundle.sealed.artifacts)
    assert all(hashlib.sha256(data).hexdigest() == digest for digest, data in bundle.artifacts.items())
    assert Sealed.parse(bundle.sealed.canonical()).canonical() == bundle.sealed.canonical()


def test_manifest(network: Load, collect: Collect) -> None:
    """The same network and reports give the same manifest. Any other report gives another manifest."""
    found = network(SMALL)
    manifest = seal(found, collect(found)).sealed.manifest
    assert manifest == seal(found, collect(found)).sealed.manifest
    later = collect(found).now + timedelta(seconds=1)
    others = (
        {"eosio_key": key("other")},
        {"now": later},
        {"features": {found.genesis_node.host: [one for one in SUPPORTED if one != feature("GET_SENDER")]}},
        {"contracts": contracts(found, boot=(wasm("preactivate_feature", data=b"other"), BOOT_ABI))},
        {"signing_keys": {p.account: key(p.account + "!") for p in found.producers}},
    )
    manifests = {seal(found, collect(found, **parts)).sealed.manifest for parts in others}
    assert len(manifests | {manifest}) == len(others) + 1


def test_wanted_features(network: Load, collect: Collect) -> None:
    """Features that the inventory names are taken in the order of activation, and no others."""
    text = SMALL + '[system]\nfeatures = ["NO_DUPLICATE_DEFERRED_ID", "REPLACE_DEFERRED", "PREACTIVATE_FEATURE"]'
    sealed = seal(network(text), collect(network(text))).sealed
    assert [f.name for f in sealed.features] == ["PREACTIVATE_FEATURE", "REPLACE_DEFERRED", "NO_DUPLICATE_DEFERRED_ID"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ('"GET_SENDR"', "system.features[1]: this nodeos does not support GET_SENDR; did you mean GET_SENDER?"),
        ('"NO_DUPLICATE_DEFERRED_ID"', "system.features[1]: NO_DUPLICATE_DEFERRED_ID depends on REPLACE_DEFERRED; add"),
        (
            '"DISABLE_DEFERRED_TRXS_STAGE_1"',
            "system.features[1]: DISABLE_DEFERRED_TRXS_STAGE_1 cannot be activated: this",
        ),
    ],
)
def test_bad_features(names: str, expected: str, network: Load, collect: Collect) -> None:
    """A feature that is unknown, lacks a dependency, or would brick the chain is refused."""
    found = network(SMALL + f'[system]\nfeatures = ["PREACTIVATE_FEATURE", {names}]')
    with pytest.raises(InventoryError) as caught:
        seal(found, collect(found))
    assert expected in str(caught.value)


def test_system_accounts(network: Load, collect: Collect) -> None:
    """The tutorial's ten, what the code names as constant or as data, contract accounts, and the inventory's own."""
    text = SMALL + '[system]\naccounts = ["eosio.grants"]\n[[contracts.list]]\naccount = "eosio.wrap"'
    found = network(text)
    # i64.const eosio.fees, as a compiler writes it; worked out by hand from its 64 bits.
    value, encoded = name_to_int("eosio.fees"), []
    for shift in range(0, 70, 7):
        encoded.append(value >> shift & 0x7F | 0x80)
    encoded[-1] = 0 if not value >> 63 else 0x7F
    code = wasm("send_deferred", data=b"\x42" + bytes(encoded) + pack_name("eosio.reserv"))
    sealed = seal(found, collect(found, contracts=contracts(found, code))).sealed
    assert set(sealed.system_accounts) == {*ALWAYS, "eosio.fees", "eosio.reserv", "eosio.wrap", "eosio.grants"}


def test_timestamp(network: Load, collect: Collect) -> None:
    """A written start is kept; one in the future is refused, since nodeos would wait for it."""
    found = network(SMALL + '[genesis]\ntimestamp = "2026-01-02T03:04:05.500"')
    assert seal(found, collect(found)).sealed.genesis["initial_timestamp"] == "2026-01-02T03:04:05.500"
    with pytest.raises(InventoryError, match=r"genesis.timestamp: .* is in the future"):
        seal(found, collect(found, now=collect(found).now - timedelta(seconds=1)))


@pytest.mark.parametrize(
    ("written", "sealed"),
    [
        ("2018-06-08T08:08:08.888", "2018-06-08T08:08:08.888"),
        ("2018-06-08T08:08:08.88Z", "2018-06-08T08:08:08.880"),
        ("2018-06-08T08:08:08", "2018-06-08T08:08:08.000"),
    ],
)
def test_timestamp_between_half_seconds(written: str, sealed: str, network: Load, collect: Collect) -> None:
    """It is part of the chain id to the millisecond, and written as nodeos reads it."""
    found = network(SMALL + f'[genesis]\ntimestamp = "{written}"')
    genesis = seal(found, collect(found)).sealed.genesis
    assert genesis["initial_timestamp"] == sealed
    assert chain_id(genesis) == seal(found, collect(found)).sealed.chain_id


def test_initial_key(network: Load, collect: Collect) -> None:
    """An initial_key that the genesis node did not make is an error; its own, in any form, is accepted."""
    found = network(SMALL + f'[genesis]\ninitial_key = "{key("eosio")}"')
    assert seal(found, collect(found)).sealed.eosio_key == key("eosio")
    with pytest.raises(InventoryError, match=r"genesis.initial_key: is not the key that the genesis node made"):
        seal(found, collect(found, eosio_key=key("other")))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"eosio_key": DEVELOPMENT_KEY}, "genesis: the genesis node has nodeos' public development key"),
        ({"eosio_key": "EOS1"}, "users: eosio: public key 'EOS1'"),
        ({"eosio_key": PublicKey.parse(key("eosio")).modern}, "users: eosio: PUB_K1_"),
        ({"account_keys": {}}, "users: 15 accounts have no key: useraaaaaaaa, useraaaaaaab, useraaaaaaac, …"),
        ({"signing_keys": {}}, "producers: defproducera has reported no signing key"),
        ({"features": {"local": [{}]}}, "nodeos: its protocol features cannot be read"),
        ({"features": {"local": None}}, "nodeos: its protocol features cannot be read"),
        ({"features": {"local": SUPPORTED[:1]}}, "nodeos: its protocol features cannot be read"),
        ({"features": {"local": SUPPORTED[4:5]}}, "nodeos: does not support PREACTIVATE_FEATURE; it is too old"),
    ],
)
def test_bad_reports(parts: dict[str, object], expected: str, network: Load, collect: Collect) -> None:
    """Hosts' reports are checked before they are sealed."""
    found = network(SMALL)
    with pytest.raises(InventoryError) as caught:
        seal(found, collect(found, **parts))
    assert expected in str(caught.value)


def test_shared_signing_key(network: Load, collect: Collect) -> None:
    """No two producers sign with one key, and none with eosio's."""
    found = network(SMALL)
    keys = {"defproducera": key("x"), "defproducerb": key("x"), "defproducerc": key("eosio")}
    with pytest.raises(InventoryError) as caught:
        seal(found, collect(found, signing_keys=keys))
    assert "defproducerb signs with the key of defproducera" in str(caught.value)
    assert "defproducerc signs with the key of eosio" in str(caught.value)


def test_imported(network: Load, collect: Collect, tmp_path: Path) -> None:
    """Imported users get their own keys and drawn balances, the first the richest; bad names and gaps are refused."""
    (tmp_path / "a.json").touch()
    found = network('[users]\naccounts_json = "a.json"\ncount = 2\n[votes]\nvoters = 2')
    imported = {"kim": key("kim"), "lee": key("lee"), "max": key("max")}
    rows = seal(found, collect(found, imported=imported))
    first, second, *others = Allocation(rows.artifacts[rows.sealed.allocation])
    assert (first.account, str(first.key), second.account) == ("kim", key("kim"), "lee")
    assert first.total > second.total
    assert [row.account for row in others] == ["defproducera", "defproducerb", "defproducerc", "defproducerd"]
    bad = (
        ({"kim": key("kim")}, "users.count: the accounts.json has 1 users"),
        ({"eosio.x": key("x"), "lee": key("lee")}, "users.accounts_json: 'eosio.x' is reserved for the system"),
        ({"defproducera": key("x"), "lee": key("lee")}, "users.accounts_json: defproducera is also a producer"),
    )
    for names, expected in bad:
        with pytest.raises(InventoryError) as caught:
            seal(found, replace(collect(found, imported=imported), imported=names))
        assert expected in str(caught.value)


CHANGES = {
    "token": '[token]\nissue = "999999999.0000 SYS"',
    "genesis": "[genesis.configuration]\nmax_transaction_lifetime = 60",
    "contracts": '[[contracts.list]]\naccount = "eosio.wrap"',
    "system": '[system]\naccounts = ["eosio.grants"]',
    "stake": '[stake]\nliquid = "1.0000 SYS"',
    "votes": "[votes]\nvoters = 5",
}


@pytest.mark.parametrize("section", CHANGES)
def test_compare(section: str, network: Load, collect: Collect) -> None:
    """Only the edited section is named."""
    sealed = seal(network(SMALL), collect(network(SMALL))).sealed
    assert compare(sealed, network(SMALL)) == []
    assert compare(sealed, network(SMALL + CHANGES[section])) == [section]


def test_compare_accounts(network: Load, collect: Collect) -> None:
    """Other users and producers are named by their sections."""
    sealed = seal(network(SMALL), collect(network(SMALL))).sealed
    assert compare(sealed, network(SMALL.replace("12", "13"))) == ["users"]
    assert compare(sealed, network(SMALL.replace("elected = 2", "elected = 3"))) == ["producers"]


def test_compare_what_is_not_sealed(network: Load, collect: Collect) -> None:
    """Hosts, ports, peers, options and the coordinator's address may change."""
    sealed = seal(network(SMALL), collect(network(SMALL))).sealed
    text = (
        '[topology]\nkind = "ring"\n[coordinator]\nlisten = "127.0.0.1:7000"\n[nodeos]\noptions = { max-clients = 9 }\n'
        '[[hosts]]\nname = "other"\nlocal = true\n[[nodes]]\naccount = "defproducera"\np2p_port = 1234\n'
    )
    assert compare(sealed, network(SMALL + text)) == []


def test_compare_files(network: Load, collect: Collect) -> None:
    """A contract's file that was changed in place is noticed."""
    found = network(SMALL)
    collected = collect(found)
    sealed = seal(found, collected).sealed
    assert compare(sealed, found, collected.contracts.deployed, collected.contracts.boot) == []
    assert compare(sealed, found, {"eosio": (wasm("new"), ABI)}) == ["contracts"]
    assert compare(sealed, found, None, (wasm("new"), ABI)) == ["contracts"]


@pytest.mark.parametrize("document", [b"[]", b"1", b"null", b'"text"', b"{}", b"", b"[" * 100_000, b"\xff"])
def test_documents_that_are_not_a_sealed_network_are_refused(document: bytes) -> None:
    """Whatever is not a sealed network is refused: a party gets it from a coordinator that it does not trust."""
    with pytest.raises(ValueError, match="not a sealed network of this version"):
        Sealed.parse(document)
