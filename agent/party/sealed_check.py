"""Checks an offered network. `agent.party.vetting` runs this in a cage, as a new process for each check, so it imports
little.
"""

from __future__ import annotations

from collections.abc import Mapping, Sized
from pathlib import Path
from typing import Any

from agent.party.summary import summary
from antelope.abi import Abi
from antelope.keys import PublicKey
from antelope.names import check_name
from antelope.wasm import imports
from boot import canary
from boot.blueprint import Blueprint
from boot.step import ChainStep
from boot.steps import OPTIONAL, STEPS
from inventory.sealed import Sealed
from support.artifacts import ArtifactStore

OWN_STEPS = ("register", "canary-approve", "claim")
"""The steps of which a party's agent does its own account's part."""
MOST = {"contracts": 100, "features": 500, "system_accounts": 500, "producers": 5000, "proxies": 5000, "votes": 1 << 20}
"""Entries of a sealed network's parts, some ten times what any network has."""


def check(request: Mapping[str, Any]) -> None:
    """Raises ValueError, or what reading it raises. request: folder, manifest, whole, as of `vet`."""
    artifacts = ArtifactStore(Path(request["folder"]))
    sealed = Sealed.parse(artifacts.get(request["manifest"]))
    blueprint = Blueprint(sealed, artifacts.get)
    if not sealed.elected:
        raise ValueError("no producer is to be elected")
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
    for step in (*STEPS, *OPTIONAL):
        if step.name in OWN_STEPS and isinstance(step, ChainStep):
            for _ in step.work(blueprint):
                pass
