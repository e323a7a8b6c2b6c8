"""The printed runbook, run by a shell: it ends in the chain that `coord boot` ends in, as the audit sees it."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from antelope.http import NodeClient
from boot.audit import audit, render
from boot.blueprint import Blueprint
from boot.steps import STEPS
from coordinator.state.folder import StateFolder
from tests.live.coordinator.network import MakeNetwork, Network


@contextmanager
def typed(network: Network, script: str) -> Iterator[subprocess.CompletedProcess[str]]:
    """The script's end; what it started is stopped when the block ends."""
    path = network.folder / "boot.sh"
    path.write_text(script)
    environment = os.environ | {"PATIENCE": "120"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", str(path), *arguments], cwd=network.folder, env=environment, capture_output=True, text=True,
            timeout=240, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    try:
        yield run()
    finally:
        assert run("stop").returncode == 0


def sealed_network(make_network: MakeNetwork, name: str) -> tuple[Network, str]:
    """A network whose keys are made and whose chain has not begun, and its runbook."""
    network = make_network(name)
    network.write()
    network.boot("--until", "genesis")
    assert network.coord("down").status == 0
    planned = network.coord("plan", "--cleos")
    assert planned.status == 0
    return network, planned.out


async def audited(network: Network) -> tuple[bool, str]:
    """What the audit finds on the chain that the script made."""
    state = StateFolder(network.folder / ".coord", network.name)
    try:
        assert state.sealed
        async with NodeClient(network.http("genesis")) as node:
            report = await audit(node, Blueprint(state.sealed, state.artifacts.get))
    finally:
        state.close()
    return report.ok, "\n".join(render(report))


@pytest.mark.advice(
    "coordinator/engine/runbook.py: coord down",
    "coordinator/engine/runbook.py: coord plan --cleos",
)
def test_a_person_can_type_it(make_network: MakeNetwork) -> None:
    """Every chapter runs, and the audit calls the chain born as planned; a second run is stopped by its folder."""
    network, script = sealed_network(make_network, "typed")
    if shutil.which("shellcheck"):
        path = network.folder / "check.sh"
        path.write_text(script)
        subprocess.run(["shellcheck", "--severity=error", str(path)], check=True)
    with typed(network, script) as done:
        assert done.returncode == 0, done.stdout + done.stderr
        assert "24 of 24  retire" in done.stdout
        fine, said = asyncio.run(audited(network))
        assert fine, said
        again = subprocess.run(
            ["bash", "boot.sh"], cwd=network.folder, capture_output=True, text=True, timeout=60, check=False
        )
        assert (again.returncode, "it was run before" in again.stderr) == (1, True)
    assert not re.search(r"\b5[HJK][1-9A-HJ-NP-Za-km-z]{49}\b|PVT_K1_", script)  # it reads keys, and prints none


@pytest.mark.campaign
def test_eosio_does_not_resign_before_the_elected_sign(make_network: MakeNetwork) -> None:
    """Somebody leaves the election out: the guard stops the script, and eosio keeps its keys."""
    network, script = sealed_network(make_network, "hasty")
    numbers = {step.name: number for number, step in enumerate(STEPS, 1)}
    before, _, rest = script.partition(f"\nchapter {numbers['votes']} ")
    _, _, resigning = rest.partition(f"\nchapter {numbers['resign']} ")
    with typed(network, f"{before}\nchapter {numbers['resign']} {resigning}") as done:
        assert done.returncode == 1
        assert "stopped: the schedule is eosio: eosio must not resign before the elected producers sign" in done.stderr
        account = network.cleos("get", "account", "eosio", "--json")
        active = next(entry for entry in account["permissions"] if entry["perm_name"] == "active")
        assert [len(active["required_auth"][part]) for part in ("keys", "accounts")] == [1, 0]


def test_before_the_seal_it_says_what_to_do(make_network: MakeNetwork) -> None:
    """There are no keys to print yet."""
    network = make_network("unsealed")
    network.write()
    planned = network.coord("plan", "--cleos")
    assert planned.status == 1
    assert "--until genesis" in planned.err
    assert not Path(network.state).exists()
