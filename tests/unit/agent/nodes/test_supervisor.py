"""The nodes of a host under supervision, on a simulated machine where tests start and end processes."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.errors import BadConfiguration, DiskFull, NodeFault, PortTaken, UnknownNode
from agent.nodes import launch as launching
from agent.nodes import state
from agent.nodes.folder import NodeFolder, NodeRecord
from agent.nodes.supervisor import Nodes
from boot.step import NodeMode
from protos.states import UNTOUCHED, NodeState
from support.locks import LockedError
from support.processes import Process
from tests.unit.agent.nodes.machine import CHAIN, GENESIS, KEY, SPEC, Machine, becomes, run, seen, signer


@pytest.fixture
async def nodes(tmp_path: Path, machine: Machine) -> AsyncIterator[Nodes]:
    """The machine's nodes, watched."""
    nodes = Nodes(tmp_path, signer)
    await nodes.open()
    yield nodes
    await nodes.close()


async def test_a_node_is_made_to_run_once(nodes: Nodes, machine: Machine) -> None:
    """A second identical request changes nothing; with another option the node is restarted."""
    await run(nodes)
    await run(nodes)
    assert (len(machine.launched), machine.halted) == (1, [])
    changed = replace(SPEC, options={"max-clients": "3"})
    await run(nodes, changed)
    assert (len(machine.launched), machine.halted) == (2, [4711])
    assert nodes.record("prod-a") == NodeRecord(changed, NodeMode.NORMAL, CHAIN, (str(KEY.public),))
    config = machine.launched[-1].folder.config.read_text()
    assert "max-clients = 3\n" in config
    assert f"signature-provider = {KEY.public}=KEY:{KEY.wif}" in config


async def test_a_node_that_could_not_start_again_is_not_stopped(
    nodes: Nodes, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its disk is full, or another process has its new port: it runs on, and that is said."""
    await run(nodes)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port 127.0.0.1:{port} is taken: .*; {UNTOUCHED}"):
            await run(nodes, replace(SPEC, http_port=port))
    monkeypatch.setattr(launching, "LEAST_SPACE", 1 << 60)
    with pytest.raises(DiskFull, match=f"its disk is full: .*; {UNTOUCHED}"):
        await run(nodes, replace(SPEC, options={"max-clients": "3"}))
    with pytest.raises(DiskFull, match=UNTOUCHED):
        await nodes.restart("prod-a")
    assert machine.halted == []
    assert nodes.record("prod-a").spec == SPEC
    (status,) = await nodes.status()
    assert (status.state, status.detail) == (NodeState.RUNNING, "")


async def test_its_own_port_is_free_at_another_address(nodes: Nodes, machine: Machine) -> None:
    """The first host elsewhere has a local network's nodes listen on every address: theirs are the ports already."""
    with socket.create_server(("127.0.0.1", 0)) as own:
        port = own.getsockname()[1]
        near = replace(SPEC, p2p_endpoint=f"127.0.0.1:{port}", p2p_bind=f"127.0.0.1:{port}")
        await run(nodes, near)
        await run(nodes, replace(near, p2p_bind=f"0.0.0.0:{port}"))
    assert machine.halted == [4711]


async def test_peers_change_while_it_runs(nodes: Nodes, machine: Machine) -> None:
    """Without a restart: the node drops and dials peers at once, and its files have the new ones."""
    await run(nodes)
    await nodes.set_peers("prod-a", ["h:2", "h:3"])
    assert sorted(machine.client.calls) == [("connect", "h:3"), ("disconnect", "h:1")]
    assert len(machine.launched) == 1
    config = machine.launched[0].folder.config.read_text()
    assert [line for line in config.splitlines() if "peer-address" in line] == [
        "p2p-peer-address = h:2",
        "p2p-peer-address = h:3",
    ]
    folder = machine.launched[0].folder.record()
    assert folder
    assert folder.spec.peers == ("h:2", "h:3")


async def test_it_runs_again_as_it_ran_last(nodes: Nodes, machine: Machine) -> None:
    """Mode, genesis and chain are remembered; a node that never ran has none of these."""
    with pytest.raises(UnknownNode, match="has never run on this host"):
        await nodes.start(SPEC, None)
    await run(nodes)
    await nodes.stop("prod-a")
    await nodes.start(SPEC, None)
    assert nodes.record("prod-a") == NodeRecord(SPEC, NodeMode.NORMAL, CHAIN, (str(KEY.public),))
    assert machine.launched[-1].folder.genesis.read_bytes() == GENESIS


async def test_two_nodes_never_sign_for_one_producer(nodes: Nodes, machine: Machine) -> None:
    """A second node would sign another block for the same slot; it may run once the first is stopped."""
    await run(nodes)
    second = replace(SPEC, name="prod-b", http_port=8889, p2p_bind="127.0.0.1:9877", p2p_endpoint="127.0.0.1:9877")
    with pytest.raises(BadConfiguration, match="prod-a signs as prod already"):
        await run(nodes, second)
    assert len(machine.launched) == 1
    await nodes.stop("prod-a")
    await run(nodes, second)
    assert len(machine.launched) == 2


async def test_without_its_signing_key_it_does_not_start(nodes: Nodes, machine: Machine) -> None:
    """The message names the producer whose key is missing."""
    with pytest.raises(BadConfiguration, match="no signing key of other"):
        await run(nodes, replace(SPEC, account="other"))
    assert machine.launched == []


@pytest.mark.parametrize(("fault", "lasting"), [(PortTaken("taken"), False), (BadConfiguration("wrong"), True)])
async def test_a_fault_stays_until_a_start_goes_well(
    nodes: Nodes, machine: Machine, fault: NodeFault, lasting: bool
) -> None:
    """Its status has the reason, and whether a person must repair it."""
    machine.faults = [fault]
    with pytest.raises(NodeFault):
        await run(nodes)
    (status,) = await nodes.status()
    assert (status.state, status.detail, status.lasting) == (NodeState.FAILED, str(fault), lasting)
    await run(nodes)
    (status,) = await nodes.status()
    assert (status.state, status.detail, status.lasting) == (NodeState.RUNNING, "", False)


async def test_what_died_is_started_again(nodes: Nodes, machine: Machine) -> None:
    """It starts as it ran before, and stays on record; stale production was for one start only."""
    await run(nodes)
    nodes._nodes["prod-a"].record = NodeRecord(SPEC, NodeMode.STARTER, CHAIN)
    machine.crash()
    await becomes(lambda: len(machine.launched) == 2)
    await seen(nodes, lambda status: status.state is NodeState.RUNNING)
    assert machine.launched[-1].meant
    assert nodes.record("prod-a").mode is NodeMode.NORMAL


async def test_what_keeps_dying_is_given_up(nodes: Nodes, machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    """It is given up after the last pause; when a person starts it again, the count starts over."""
    await run(nodes)
    machine.faults = [PortTaken("it ends at once") for _ in state.PAUSES]
    machine.crash()
    status = await seen(nodes, lambda status: status.lasting)
    assert (status.state, status.detail) == (NodeState.FAILED, "it ends at once")
    assert len(machine.launched) == 1 + len(state.PAUSES)
    assert "it ends at once; given up" in caplog.messages
    await run(nodes)
    machine.crash()
    await becomes(lambda: len(machine.launched) == 3 + len(state.PAUSES))


async def test_what_was_stopped_stays_stopped(nodes: Nodes, machine: Machine) -> None:
    """It is recorded as stopped on purpose, and the watcher leaves it alone."""
    await run(nodes)
    await nodes.stop("prod-a")
    (status,) = await nodes.status()
    assert status.state is NodeState.STOPPED
    assert machine.launched[0].folder.process is None
    with pytest.raises(UnknownNode, match="no node prod-x"):
        await nodes.stop("prod-x")


async def test_the_next_agent_adopts_what_runs(tmp_path: Path, machine: Machine) -> None:
    """Nodes outlive their agent, and the next agent finds them, even one whose process was not recorded yet."""
    before = Nodes(tmp_path, signer)
    await before.open()
    await run(before)
    with pytest.raises(LockedError):
        await Nodes(tmp_path, signer).open()
    await before.close()
    folder = NodeFolder(tmp_path / "nodes" / "prod-a")
    folder.forget()
    after = Nodes(tmp_path, signer)
    await after.open()
    (status,) = await after.status()
    assert (status.state, status.pid) == (NodeState.RUNNING, 4711)
    assert folder.process == Process(4711, 1, "boot")
    await run(after)
    assert (len(machine.launched), machine.halted) == (1, [])
    await after.close()


async def test_a_recovery_that_an_agent_left_is_ended_first(tmp_path: Path, machine: Machine) -> None:
    """The agent died while the node ran with temporary options: the next agent restarts it with its own."""
    before = Nodes(tmp_path, signer)
    await before.open()
    await run(before)
    await before.close()
    NodeFolder(tmp_path / "nodes" / "prod-a").begin_recovery("dirty")
    after = Nodes(tmp_path, signer)
    await after.open()
    assert machine.halted == [4711]
    await becomes(lambda: len(machine.launched) == 2)
    await after.close()


async def test_a_watcher_that_fails_looks_again(
    nodes: Nodes, machine: Machine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault such as a full disk: the log has the cause, and the next look tries again."""
    failures = iter([OSError(28, "No space left on device")])

    def ensure(_: Any) -> None:
        for failure in failures:
            raise failure

    monkeypatch.setattr("agent.nodes.watching.nodelogs.ensure", ensure)
    await run(nodes)
    await becomes(lambda: caplog.records)
    machine.crash()
    await becomes(lambda: len(machine.launched) == 2)
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == [
        "[Errno 28] No space left on device"
    ]
