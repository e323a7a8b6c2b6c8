"""What a party's operator is told of a sealed network."""

from __future__ import annotations

from pathlib import Path

from agent.party.summary import summary
from tests.unit.agent.party.conftest import INVENTORY, sealed_network


def test_contracts_that_may_act_for_others_are_marked(tmp_path: Path) -> None:
    """Each contract has its hash, whether this release knows it, and whether it is privileged."""
    for kind in ("wasm", "abi"):
        (tmp_path / f"x.{kind}").touch()
    extra = '[[contracts.list]]\naccount = "{}"\nwasm = "x.wasm"\nabi = "x.abi"\n{}\n'
    text = INVENTORY + extra.format("core.vaulta", "privileged = true") + extra.format("helper", "")
    sealed = sealed_network(tmp_path, text).sealed
    lines = {line.split(":")[0].strip(): line for line in summary(sealed)}
    for contract in sealed.contracts:
        line = lines[f"contract on {contract.account}"]
        assert f"{contract.wasm} (NOT one that this release knows)" in line
        marked = line.endswith(", privileged: it may act in anybody's name")
        assert marked is (contract.account in {"eosio", "eosio.msig", "core.vaulta"})
