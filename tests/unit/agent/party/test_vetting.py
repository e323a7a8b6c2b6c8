"""The first sealed network that a party is offered: read in a cage, and refused as a whole if any part is unusable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.errors import DutyError
from agent.party.sealed_check import check
from agent.party.settings import PartySettings
from agent.party.vetting import vet
from antelope.errors import AntelopeError
from inventory.sealed import Sealed
from support.artifacts import ArtifactStore
from tests.unit.agent.party.conftest import ALICE, Home, home, sealed_network
from tests.unit.antelope import bombs
from tests.unit.hostile import mutated, outcome

SETTINGS = PartySettings(ALICE, "p2p.alice.example:9876")


def canonical(document: Any) -> bytes:
    """As a sealed network is written."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def changed(folder: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> tuple[Home, str]:
    """A party that is offered a manipulated network under its own manifest."""
    bundle = sealed_network(folder)
    document, artifacts = json.loads(bundle.sealed.canonical()), dict(bundle.artifacts)
    change(document, artifacts)
    text = canonical(document)
    manifest = hashlib.sha256(text).hexdigest()
    party = home(folder, SETTINGS, bundle)
    party.serve({manifest: text, **artifacts})
    return party, manifest


def put(artifacts: dict[str, bytes], data: bytes) -> str:
    """Makes it an artifact."""
    name = hashlib.sha256(data).hexdigest()
    artifacts[name] = data
    return name


def _deep(document: dict[str, Any], _: dict[str, bytes]) -> None:
    inner: Any = []
    for _n in range(500):
        inner = [inner]
    document["genesis"]["initial_key"] = inner


def _abi(definition: bytes) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    def change(document: dict[str, Any], artifacts: dict[str, bytes]) -> None:
        document["contracts"][0]["abi"] = put(artifacts, definition)

    return change


def _allocation(data: Callable[[bytes], bytes]) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    def change(document: dict[str, Any], artifacts: dict[str, bytes]) -> None:
        document["allocation"] = put(artifacts, data(artifacts[document["allocation"]]))

    return change


def _wasm(document: dict[str, Any], artifacts: dict[str, bytes]) -> None:
    document["contracts"][0]["wasm"] = put(artifacts, b"\0asm\1\0\0\0\2\xff\xff\xff\xff\x0f")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_deep, "not a sealed network"),
        (lambda document, _: document["genesis"].update(initial_timestamp="9999-99-99"), "genesis.json"),
        (lambda document, _: document.update(symbol="x"), "is not a symbol"),
        (lambda document, _: document.update(chain_id="0" * 64), "does not follow from its genesis"),
        (lambda document, _: document["producers"][0].update(signing_key="EOS1"), "public key"),
        (lambda document, _: document["producers"][0].update(account="../x"), "name"),
        (lambda document, _: document.update(contracts=document["contracts"] * 60), "contracts, more than 100"),
        (lambda document, _: document["contracts"][0].update(wasm="../../x"), "not the name of an artifact"),
        (lambda document, _: document.update(issue=1 << 70), "beyond"),
        (_abi(b"[" * 100_000), "nested deeper"),
        (_abi(json.dumps(bombs.chained(3) | {"structs": [bombs._struct("a", base="a")]}).encode()), "unknown type"),
        (_allocation(lambda data: data[:-1]), "not whole rows"),
        (_allocation(lambda data: data[:-74]), "rows, sealed are"),
        (_allocation(lambda data: bytes(len(data))), ""),
        (_wasm, "WebAssembly module"),
    ],
)  # fmt: skip
async def test_what_is_no_good_is_not_taken(
    tmp_path: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None], said: str
) -> None:
    """The task fails with the reason in one line, and the party may still accept another network."""
    party, manifest = changed(tmp_path, change)
    result = await party.do(hold={"sha256": manifest})
    assert not result.ok
    assert said in result.error, result.error
    assert len(result.error) < 3000
    assert "\n" not in result.error
    assert party.duties.manifest == ""
    party.serve({party.bundle.sealed.manifest: party.bundle.sealed.canonical(), **party.bundle.artifacts})
    await party.hold()


async def test_a_bomb_is_ended(tmp_path: Path) -> None:
    """A document of millions of values is refused within its budget of memory."""
    store = ArtifactStore(tmp_path)
    manifest = store.put(b'{"votes":[' + b"[]," * 5_000_000 + b"[]]}")
    with pytest.raises(DutyError, match="cannot be used"):
        await vet(tmp_path, manifest, whole=False)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[ArtifactStore, Sealed]:
    """A true network, in a store."""
    folder = tmp_path_factory.mktemp("sealed")
    bundle = sealed_network(folder)
    store = ArtifactStore(folder / "artifacts")
    for data in bundle.artifacts.values():
        store.put(data)
    return store, bundle.sealed


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_document_of_any_shape_is_taken_or_refused(world: tuple[ArtifactStore, Sealed], data: st.DataObject) -> None:
    """A coordinator writes anything into a part of it, as plain or canonical JSON."""
    store, sealed = world
    text = data.draw(mutated(json.loads(sealed.canonical()))).encode()
    for document in (text, _again(text)):
        name = store.put(document)
        outcome(
            lambda name=name: check({"folder": str(store.folder), "manifest": name, "whole": True}),  # type: ignore[misc]
            ValueError, AntelopeError, LookupError, TypeError, ArithmeticError,
        )  # fmt: skip


def _again(text: bytes) -> bytes:
    try:
        return canonical(json.loads(text))
    except (ValueError, RecursionError):
        return text
