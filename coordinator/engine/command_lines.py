"""The boot's work as command lines, with this network's nodes and files filled in."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path

from boot.blueprint import Blueprint
from boot.cleos import Files, cleos_lines
from boot.step import Push, Work
from boot.steps.deployment import packed_abi
from coordinator.engine.access import pusher
from inventory.network import Network


class CommandLines:
    """Turns work into equivalent command lines."""

    def __init__(self, network: Network, blueprint: Blueprint, artifacts: Path) -> None:
        self._network = network
        self._blueprint = blueprint
        self._artifacts = artifacts

    def of(self, work: Work) -> list[str]:
        """cleos commands (curl where cleos has none), to run on the node's own host."""
        node = pusher(self._network, work.holder) if isinstance(work, Push) else self._network.genesis_node
        return cleos_lines(work, f"http://127.0.0.1:{node.http_port}", self._files)

    @cached_property
    def _files(self) -> Files:
        sealed = self._blueprint.sealed
        names = {}
        for contract in (sealed.boot_contract, *sealed.contracts):
            names[contract.wasm] = contract.wasm
            names[hashlib.sha256(packed_abi(self._blueprint, contract)).hexdigest()] = contract.abi
        return Files(str(self._artifacts), names)
