"""Whether a party's agent can live with a sealed network: all of it is read, in a cage, before any of it is taken.

What is taken is kept for good, and a coordinator that a party has no reason to trust wrote it. So what nobody could
work with, or what would take the agent's memory and time ever after, must show beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sized
from pathlib import Path
from typing import Any

from agent.duties.steps import chain_step
from agent.errors import DutyError
from agent.party.summary import summary
from antelope.abi import Abi
from antelope.keys import PublicKey
from antelope.names import check_name
from antelope.wasm import imports
from boot import canary
from boot.blueprint import Blueprint
from inventory.sealed import Sealed
from support.artifacts import ArtifactStore
from support.cage import Budget, CageError, caged

STEPS = ("register", "canary-approve", "claim")
"""The steps of which a party's agent does its own account's part."""
MOST = {"contracts": 100, "features": 500, "system_accounts": 500, "producers": 5000, "proxies": 5000, "votes": 1 << 20}
"""Entries of a sealed network's parts, some ten times what any network has."""


def budget(size: int) -> Budget:
    """For so many bytes of documents: thirty times them as Python's objects, and a second of CPU for each 256 KiB."""
    seconds = 20 + size // (256 << 10)
    return Budget(memory=min((128 << 20) + 30 * size, 2 << 30), cpu=seconds, seconds=3.0 * seconds)


async def vet(folder: Path, manifest: str, whole: bool) -> None:
    """Reads the sealed document in an agent's folder of artifacts; whole: the artifacts that it names as well.

    Raises DutyError where it cannot be worked with.
    """
    size = sum(path.stat().st_size for path in folder.glob("*")) if whole else (folder / manifest).stat().st_size
    try:
        await caged(check, {"folder": str(folder), "manifest": manifest, "whole": whole}, budget(size))
    except CageError as error:
        raise DutyError(f"refused: the sealed network {manifest[:16]}… is none to work with: {error}") from error


def check(request: Mapping[str, Any]) -> None:
    """Raises ValueError, or what reading it raises. request: folder, manifest, whole, as of `vet`."""
    artifacts = ArtifactStore(Path(request["folder"]))
    sealed = Sealed.parse(artifacts.get(request["manifest"]))
    blueprint = Blueprint(sealed, artifacts.get)
    if not sealed.elected:
        raise ValueError("nobody is to be elected")
    for part, most in MOST.items():
        entries: Sized = getattr(sealed, part)
        if len(entries) > most:
            raise ValueError(f"{len(entries)} {part}, more than {most}")
    if blueprint.genesis.chain_id() != sealed.chain_id:
        raise ValueError(f"the sealed chain id {sealed.chain_id[:16]}… does not follow from its genesis")
    for producer in sealed.producers:
        check_name(producer.account)
        PublicKey.parse(producer.account_key)
        PublicKey.parse(producer.signing_key)
    for sha256 in sealed.artifacts:
        artifacts.path(sha256)
    summary(sealed)
    canary.packed(blueprint)
    if request["whole"]:
        _check_whole(blueprint)


def _check_whole(blueprint: Blueprint) -> None:
    for contract in (blueprint.sealed.boot_contract, *blueprint.sealed.contracts):
        Abi.parse(blueprint.verified(contract.abi))
        imports(blueprint.verified(contract.wasm))
    for _ in blueprint.rows:  # each is read once
        pass
    for name in STEPS:
        for _ in chain_step(name).work(blueprint):
            pass
