"""Contracts come from the list, the directory or the bundle, always as the user meant."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from inventory.contract_files import Files, read_contracts
from inventory.errors import InventoryError
from tests.unit.inventory.material import ABI, BOOT, BOOT_ABI, Load, wasm

PAGE = (Path(__file__).parents[3] / "docs" / "contracts.md").read_text()
Put = Callable[..., None]
NEWER = (wasm("preactivate_feature", "set_proposed_producers_ex", "set_privileged"), BOOT_ABI)
"""As the eosio.bios of Leap 5 and Spring: it imports what WTMSIG_BLOCK_SIGNATURES opens."""
PLAIN = (wasm(), ABI)


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Writes a contract into a folder as contracts are built into."""

    def inner(place: str, files: Files = PLAIN) -> None:
        folder = tmp_path / place
        folder.mkdir(parents=True)
        for kind, data in zip(("wasm", "abi"), files, strict=True):
            (folder / f"{folder.name}.{kind}").write_bytes(data)

    return inner


def test_where_they_come_from(network: Load, put: Put, tmp_path: Path) -> None:
    """Contracts come from the list, else the directory, else the bundle."""
    for name in ("eosio.token", "eosio.system", "alice"):
        put(f"build/{name}")
    put("my/my")
    found = network(
        '[contracts]\ndirectory = "build"\n'
        '[[contracts.list]]\naccount = "eosio.token"\nwasm = "my/my/my.wasm"\nabi = "my/my/my.abi"\n'
        '[[contracts.list]]\naccount = "eosio.wrap"\n'
        '[[contracts.list]]\naccount = "alice"\nprivileged = true\n'
    )
    assert {source.account: source.wasm for source in found.contracts} == {
        "eosio.token": tmp_path / "my/my/my.wasm",
        "eosio.msig": None,
        "eosio": tmp_path / "build/eosio.system/eosio.system.wasm",
        "eosio.wrap": None,
        "alice": tmp_path / "build/alice/alice.wasm",
    }
    assert [source.account for source in found.contracts if source.privileged] == ["alice"]
    assert (found.boot_contract.bundled, found.contract_notes) == (True, ())


@pytest.mark.parametrize(
    ("folders", "chosen"),
    [
        ({"eosio.bios": BOOT}, "eosio.bios"),
        ({"eosio.boot": BOOT, "eosio.bios": NEWER}, "eosio.boot"),
        ({"mine": BOOT, "eosio.bios": NEWER}, "mine"),
        ({"eosio.boot": (wasm("preactivate_feature", data=b"longer"), BOOT_ABI), "small": BOOT}, "small"),
        ({"eosio.system": BOOT, "eosio.bios": NEWER}, None),
        ({"eosio.boot": PLAIN, "eosio.token": PLAIN}, None),
    ],
)
def test_the_boot_contract(folders: dict[str, Files], chosen: str | None, network: Load, put: Put) -> None:
    """The boot contract is the smallest one, of any name, with `activate` and without imports that need a feature."""
    for name, files in {"eosio.msig": PLAIN, **folders}.items():
        put(f"build/{name}", files)
    found = network('[contracts]\ndirectory = "build"').boot_contract
    assert (found.wasm and found.wasm.stem) == chosen


def test_a_newer_eosio_bios(network: Load, put: Put, tmp_path: Path) -> None:
    """A contract that cannot be set before the features is replaced by the bundled one, and the note says why."""
    put("build/eosio.bios", NEWER)
    put("build/eosio.msig")
    found = network('[contracts]\ndirectory = "build"')
    assert found.boot_contract.bundled
    assert found.contract_notes == (
        (
            f"before the system contract the bundled eosio.bios is on eosio: {tmp_path}/build/eosio.bios imports "
            "set_proposed_producers_ex, which WTMSIG_BLOCK_SIGNATURES opens: it cannot be on eosio before the features "
            "are active"
        ),
    )


def test_a_damaged_candidate_is_reported(network: Load, put: Put) -> None:
    """A folder that cannot be read as a contract causes a note, not a failure."""
    put("build/eosio.msig")
    put("build/eosio.boot", (b"\0asm\x01\0\0\0\x02\xff", BOOT_ABI))
    (note,) = network('[contracts]\ndirectory = "build"').contract_notes
    assert "eosio.boot cannot be read: the WebAssembly module is damaged" in note


def test_contracts_that_are_not_deployed(network: Load, put: Put, tmp_path: Path) -> None:
    """An unlisted system contract in the directory causes a note: its account is made, but no code is set."""
    for name in ("eosio.token", "eosio.fees", "eosio.wrap", "other", "eosio.bios"):
        put(f"build/{name}")
    text = '[contracts]\ndirectory = "build"\n[[contracts.list]]\naccount = "eosio.wrap"'
    assert network(text).contract_notes == (
        f"{tmp_path}/build has further contracts, which contracts.list does not name: eosio.fees",
    )


@pytest.mark.parametrize("written", ["x/y", "x/y/build"])
def test_a_directory_above(written: str, network: Load, put: Put, tmp_path: Path) -> None:
    """A directory one or two levels too high is an error that names the right folder."""
    put("x/y/build/contracts/eosio.token")
    with pytest.raises(InventoryError) as caught:
        network(f'[contracts]\ndirectory = "{written}"')
    assert (
        f"contracts.directory: {tmp_path}/{written} has no folder with a contract in it; is it {tmp_path}/x/y/build/"
        in str(caught.value)
    )


def test_a_directory_below(network: Load, put: Put, tmp_path: Path) -> None:
    """The folder of a single contract is an error that names its parent folder."""
    put("build/eosio.token")
    with pytest.raises(InventoryError) as caught:
        network('[contracts]\ndirectory = "build/eosio.token"')
    assert str(caught.value).endswith(f"has no folder with a contract in it; is it {tmp_path}/build?")


def test_a_directory_of_other_contracts(network: Load, put: Put, tmp_path: Path) -> None:
    """Where nothing of it is used, the bundled contracts are not what was meant; where it is listed, it is."""
    put("build/mine")
    with pytest.raises(InventoryError, match=r"nothing in .*/build is a contract of this network; it must contain"):
        network('[contracts]\ndirectory = "build"')
    listed = network('[contracts]\ndirectory = "build"\n[[contracts.list]]\naccount = "mine"')
    assert listed.contracts[-1].wasm == tmp_path / "build/mine/mine.wasm"


def test_an_empty_directory(network: Load, tmp_path: Path) -> None:
    """Nothing in it would be used."""
    (tmp_path / "build").mkdir()
    with pytest.raises(InventoryError, match=r"has no folder with a contract in it; it must contain eosio\.token/"):
        network('[contracts]\ndirectory = "build"')


@pytest.mark.parametrize("kind", ["wasm", "abi"])
def test_half_a_contract(kind: str, network: Load, put: Put, tmp_path: Path) -> None:
    """A folder without one of its files, such as one of sources, does not mean the bundled contract."""
    put("build/eosio.token")
    put("build/eosio.msig")
    (tmp_path / f"build/eosio.msig/eosio.msig.{kind}").unlink()
    with pytest.raises(InventoryError) as caught:
        network('[contracts]\ndirectory = "build"')
    assert str(caught.value).endswith(
        f"contracts.directory: there is no {tmp_path}/build/eosio.msig/eosio.msig.{kind}; put it there, or remove "
        f"{tmp_path}/build/eosio.msig: then the bundled contract is taken"
    )


def test_folders_of_sources(network: Load, tmp_path: Path) -> None:
    """For a checkout of contracts that were not built, every missing file is named."""
    for name in ("eosio.token", "eosio.msig", "eosio.system"):
        (tmp_path / "contracts" / name / "src").mkdir(parents=True)
    with pytest.raises(InventoryError) as caught:
        network('[contracts]\ndirectory = "contracts"')
    assert str(caught.value).count("contracts.directory: there is no ") == 6


def test_an_unreadable_directory(network: Load, put: Put, tmp_path: Path) -> None:
    """One line, no traceback."""
    put("build/eosio.token")
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    (tmp_path / "build").chmod(0)
    try:
        with pytest.raises(InventoryError, match="cannot be read"):
            network('[contracts]\ndirectory = "build"')
    finally:
        (tmp_path / "build").chmod(0o700)


def test_the_bundle_is_left_alone(network: Load, put: Put) -> None:
    """The bundle is fetched only if one of its contracts is used."""

    def bundle() -> Path:
        raise AssertionError("asked")

    for name, files in {"eosio.token": PLAIN, "eosio.msig": PLAIN, "eosio.system": PLAIN, "boot": BOOT}.items():
        put(f"build/{name}", files)
    read = read_contracts(network('[contracts]\ndirectory = "build"'), bundle)
    assert read.boot == BOOT
    assert set(read.deployed) == {"eosio.token", "eosio.msig", "eosio"}
    with pytest.raises(AssertionError, match="asked"):
        read_contracts(network('[contracts]\ndirectory = "build"\n[[contracts.list]]\naccount = "eosio.wrap"'), bundle)


@pytest.mark.parametrize("example", re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))
def test_the_examples_of_the_page(example: str, network: Load, put: Put) -> None:
    """The examples of docs/contracts.md load if their files exist."""
    for name in ("eosio.token", "eosio.msig", "eosio.system", "core.vaulta"):
        put(f"build/contracts/{name}")
    assert network(example).contracts[0].wasm
