"""Nodes on real nodeos: started, adopted, stopped, killed, and kept from harming each other."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import socket
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from agent.errors import BadConfiguration, DiskFull, FolderInUse, NotAnswering, NotNow, OtherChain, PortTaken
from agent.nodeos.probe import command_of
from agent.nodes import launch
from agent.nodes.folder import NodeFolder
from agent.nodes.supervisor import Nodes
from boot.step import NodeMode
from inventory.network import Role
from protos.states import NodeState
from support import node_processes, processes
from support.endpoint import Endpoint
from support.locks import LockedError
from support.processes import Process
from support.retry import poll
from tests.live.agent.conftest import Bench, Chain, head, status


async def test_a_node_runs_is_found_again_and_stops(bench: Bench) -> None:
    """A started node produces, outlives its agent, is adopted by the next one, and stops by SIGTERM."""
    first = await bench.agent()
    await bench.start(first, bench.spec("genesis"))
    pid = (await head(first, "genesis", 3)).pid
    await first.close()
    second = await bench.agent()
    found = await head(second, "genesis", 4)
    assert (found.pid, found.mode) == (pid, NodeMode.GENESIS)
    await second.stop("genesis")
    assert (await status(second, "genesis")).state is NodeState.STOPPED
    assert not Path(f"/proc/{pid}").exists()


async def test_starting_what_runs_changes_nothing(bench: Bench) -> None:
    """The same spec and mode again leave the process alone; the recorded mode does too; another spec restarts it."""
    nodes = await bench.agent()
    spec = bench.spec("genesis")
    await bench.start(nodes, spec)
    pid = (await status(nodes, "genesis")).pid
    await bench.start(nodes, spec)
    await nodes.start(spec, None)
    assert (await status(nodes, "genesis")).pid == pid
    await nodes.start(replace(spec, options={"http-threads": "3"}), None)
    changed = await status(nodes, "genesis")
    assert changed.state is NodeState.RUNNING
    assert changed.pid != pid


async def test_only_one_agent_has_a_data_folder(bench: Bench) -> None:
    """A second agent on the same data folder is refused while the first lives."""
    await bench.agent()
    with pytest.raises(LockedError):
        await bench.agent()


@pytest.mark.parametrize("which", ["http", "p2p"])
async def test_a_taken_port_is_named(bench: Bench, which: str) -> None:
    """A start on a port in use fails with that port, and leaves nothing running."""
    nodes = await bench.agent()
    spec = bench.spec("genesis")
    port = spec.http_port if which == "http" else Endpoint.parse(spec.p2p_bind).port
    with socket.create_server(("127.0.0.1", port)), pytest.raises(PortTaken, match=f"127.0.0.1:{port} is taken"):
        await bench.start(nodes, spec)
    assert (await status(nodes, "genesis")).state is NodeState.FAILED
    assert node_processes.running(bench.data / "nodes" / "genesis") is None
    await bench.start(nodes, spec)
    assert (await status(nodes, "genesis")).state is NodeState.RUNNING


@pytest.mark.advice("agent/nodes: node … does not answer … s after its start: see its log")
async def test_a_nodeos_that_hangs_is_explained_by_its_log(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a program runs but never answers, the log that the message names has the program's own output."""
    hangs, own = bench.data.parent / "hangs", bench.data.parent / "nodeos"
    real = shlex.join(command_of(bench.nodeos, bench.bundled))
    own.write_text(f'#!/bin/sh\ntest -e {hangs} && echo no licence >&2 && exec sleep 600\nexec {real} "$@"\n')
    own.chmod(0o755)
    bench.nodeos = str(own)
    nodes, spec = await bench.agent(), bench.spec("genesis")
    await bench.start(nodes, spec)
    await nodes.stop("genesis")
    hangs.touch()
    monkeypatch.setattr("agent.nodes.recovery.start", partial(launch.start, deadline=1.0))
    with pytest.raises(NotAnswering, match="does not answer 1 s after its start: see its log"):
        await bench.start(nodes, spec)
    assert "no licence" in (bench.data / "nodes" / "genesis" / "log" / "nodeos.log").read_text()


async def test_a_full_disk_is_named_before_anything_runs(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the disk has too little space, the start is refused with the numbers, and nothing runs."""
    nodes = await bench.agent()
    monkeypatch.setattr(launch, "LEAST_SPACE", 1 << 60)
    with pytest.raises(DiskFull, match=r"MB are free at .*genesis"):
        await bench.start(nodes, bench.spec("genesis"))
    assert node_processes.running(bench.data / "nodes" / "genesis") is None


async def test_a_stopped_node_stays_stopped(bench: Bench) -> None:
    """A node that was stopped on purpose is not started by this agent or the next; a node that died is."""
    nodes = await bench.agent()
    genesis, full = bench.spec("genesis"), bench.spec("full", Role.FULL)
    await bench.start(nodes, genesis)
    await bench.start(nodes, full, NodeMode.NORMAL)
    await nodes.stop("full")
    died = await status(nodes, "genesis")
    await nodes.close()
    process = Process.of(died.pid)
    process.signal(signal.SIGTERM)  # as the machine's shutdown would
    assert await asyncio.to_thread(process.wait, 20)
    nodes = await bench.agent()
    assert (await head(nodes, "genesis", died.head + 1)).pid != died.pid
    assert (await status(nodes, "full")).state is NodeState.STOPPED


async def test_a_killed_node_comes_back_with_its_blocks(bench: Bench) -> None:
    """After SIGKILL the agent replays and starts it again: no irreversible block is lost, and production goes on."""
    nodes = await bench.agent()
    await bench.start(nodes, bench.spec("genesis"))
    before = await head(nodes, "genesis", 8)
    block = await nodes.client("genesis").get_block_info(before.lib)
    os.kill(before.pid, signal.SIGKILL)

    async def back() -> bool:
        found = await status(nodes, "genesis")
        return found.state is NodeState.RUNNING and found.pid != before.pid

    await poll(back, what="the restart", deadline=30)
    assert (await head(nodes, "genesis", before.head + 2)).lib >= before.lib
    assert await nodes.client("genesis").get_block_info(before.lib) == block


async def _followed(bench: Bench) -> Nodes:
    """An agent with a genesis node and a full one that follows it."""
    nodes = await bench.agent()
    follower = bench.spec("follower", Role.FULL)
    await bench.start(nodes, follower, NodeMode.NORMAL)
    await bench.start(nodes, bench.spec("genesis", peers=(follower.p2p_endpoint,)))
    return nodes


async def test_a_killed_genesis_node_takes_its_last_blocks_from_its_peers(bench: Bench) -> None:
    """A block that was not irreversible at the crash is not made again while a follower has it."""
    nodes = await _followed(bench)
    await head(nodes, "follower", 6)
    killed = await status(nodes, "genesis")
    os.kill(killed.pid, signal.SIGKILL)
    last = await nodes.client("follower").get_info()
    assert last.head_block_num > last.last_irreversible_block_num
    await head(nodes, "genesis", last.head_block_num + 3)
    assert (await status(nodes, "genesis")).pid != killed.pid
    block = await nodes.client("genesis").get_block_info(last.head_block_num)
    assert block.id == last.head_block_id


async def test_a_recovery_that_its_agent_did_not_finish_is_done_again(bench: Bench) -> None:
    """An agent dies while its node recovers, perhaps without -e: the next one starts over."""
    nodes = await _followed(bench)
    await head(nodes, "genesis", 6)
    await nodes.close()
    folder = NodeFolder(bench.data / "nodes" / "genesis")
    folder.begin_recovery("node genesis: it was killed")
    last = await status(nodes := await bench.agent(), "follower")
    now = await head(nodes, "genesis", last.head + 3)
    assert now.mode is NodeMode.GENESIS
    assert folder.recovering is None
    block = await nodes.client("genesis").get_block_info(last.head)
    assert block == await nodes.client("follower").get_block_info(last.head)


async def test_a_killed_agent_loses_no_node(bench: Bench) -> None:
    """A node that was started but not recorded yet is found by its command line."""
    nodes = await bench.agent()
    await bench.start(nodes, bench.spec("genesis"))
    pid = (await status(nodes, "genesis")).pid
    await nodes.close()
    (bench.data / "nodes" / "genesis" / "process.json").unlink()
    nodes = await bench.agent()
    assert (await status(nodes, "genesis")).pid == pid
    await nodes.close()
    (bench.data / "nodes" / "genesis" / "process.json").unlink()
    assert await asyncio.to_thread(node_processes.stop_nodes, bench.data) == ("genesis",)
    assert not Path(f"/proc/{pid}").exists()


async def test_a_folder_that_another_process_has_open_is_left_alone(bench: Bench) -> None:
    """Data in use by somebody else's nodeos is not called dirty, and not removed: the start is refused."""
    nodes = await bench.agent()
    spec = bench.spec("genesis")
    await bench.start(nodes, spec)
    await head(nodes, "genesis", 3)
    await nodes.stop("genesis")
    folder = bench.data / "nodes" / "genesis"
    other = bench.data / "other"
    other.mkdir()
    (other / "config.ini").write_text((folder / "config.ini").read_text())
    command = command_of(bench.nodeos, bench.bundled)
    places = ("--config-dir", str(other), "--data-dir", str(folder / "data"))
    stranger = processes.start((*command, *places), output=other / "log", folder=other)
    try:
        await poll(nodes.client("genesis").is_up, what="the stranger", deadline=20)
        moved = replace(bench.spec("genesis"), options=spec.options)
        with pytest.raises(FolderInUse):
            await bench.start(nodes, moved)
    finally:
        await asyncio.to_thread(processes.stop, stranger)
    await bench.start(nodes, spec)
    assert (await status(nodes, "genesis")).state is NodeState.RUNNING


async def test_another_genesis_is_refused(bench: Bench) -> None:
    """Data of one chain is never run as another's: neither with its genesis, nor when nodeos runs another id."""
    nodes = await bench.agent()
    spec = bench.spec("genesis")
    await bench.start(nodes, spec)
    await nodes.stop("genesis")
    other = Chain()
    with pytest.raises(OtherChain):
        await nodes.start(spec, NodeMode.GENESIS, other.genesis, other.id)
    with pytest.raises(OtherChain):
        await nodes.start(spec, NodeMode.GENESIS, bench.chain.genesis, other.id)
    assert node_processes.running(bench.data / "nodes" / "genesis") is None
    await bench.start(nodes, spec)


async def test_an_unknown_option_is_named(bench: Bench) -> None:
    """An option that this nodeos does not list is refused by name before anything runs."""
    nodes = await bench.agent()
    with pytest.raises(ValueError, match="has no option vote-threads"):
        await bench.start(nodes, bench.spec("genesis", vote_threads="4"))
    assert not (bench.data / "nodes" / "genesis" / "config.ini").exists()


async def test_the_genesis_node_becomes_the_audits_node(bench: Bench) -> None:
    """In audit mode a node keeps its chain, answers from irreversible state, signs nothing and holds no key."""
    nodes = await bench.agent()
    spec = bench.spec("genesis")
    await bench.start(nodes, spec)
    before = await head(nodes, "genesis", 8)
    await nodes.start(spec, NodeMode.AUDIT)
    after = await status(nodes, "genesis")
    assert (after.state, after.mode) == (NodeState.RUNNING, NodeMode.AUDIT)
    assert after.head == after.lib >= before.lib
    assert bench.chain.key.wif not in (bench.data / "nodes" / "genesis" / "config.ini").read_text()
    await nodes.start(spec, None)
    assert (await status(nodes, "genesis")).head == after.head


async def test_a_follower_syncs_and_takes_late_peers(bench: Bench) -> None:
    """A node without peers learns one while it runs, syncs, and has it in config.ini for its next start."""
    nodes = await bench.agent()
    genesis, late = bench.spec("genesis"), bench.spec("late", Role.FULL)
    await bench.start(nodes, genesis)
    await bench.start(nodes, late, NodeMode.NORMAL)
    await head(nodes, "genesis", 5)
    assert (await status(nodes, "late")).head == 1
    await nodes.set_peers("late", [genesis.p2p_endpoint])
    assert (await head(nodes, "late", 5)).peers == 1
    pid = (await status(nodes, "late")).pid
    await nodes.start(late.with_peers([genesis.p2p_endpoint]), NodeMode.NORMAL)
    assert (await status(nodes, "late")).pid == pid
    assert f"p2p-peer-address = {genesis.p2p_endpoint}" in (bench.data / "nodes" / "late" / "config.ini").read_text()


async def test_a_killed_follower_replays_and_goes_on(bench: Bench) -> None:
    """A dirty node that cannot even replay its blocks fetches everything from its peers."""
    nodes = await bench.agent()
    genesis = bench.spec("genesis")
    await bench.start(nodes, genesis)
    follower = bench.spec("follower", Role.FULL, (genesis.p2p_endpoint,))
    await bench.start(nodes, follower, NodeMode.NORMAL)
    found = await head(nodes, "follower", 6)
    os.kill(found.pid, signal.SIGKILL)
    blocks = bench.data / "nodes" / "follower" / "data" / "blocks" / "blocks.log"
    blocks.write_bytes(blocks.read_bytes()[:-100] + b"x" * 100)

    async def back() -> bool:
        now = await status(nodes, "follower")
        return now.state is NodeState.RUNNING and now.pid != found.pid and now.head > found.head

    await poll(back, what="the follower's return", deadline=60)


async def test_a_producer_signs_on_one_node_only(bench: Bench) -> None:
    """A second node for an account is refused while another node signs for it."""
    nodes = await bench.agent()
    one, two = bench.spec("one", Role.PRODUCER), bench.spec("two", Role.PRODUCER)
    await bench.start(nodes, one, NodeMode.NORMAL)
    with pytest.raises(BadConfiguration, match="one signs as defproducera already"):
        await bench.start(nodes, two, NodeMode.NORMAL)
    await nodes.stop("one")
    await bench.start(nodes, two, NodeMode.NORMAL)


async def test_stale_production_needs_an_outage(bench: Bench) -> None:
    """A node is started with -e only when it runs, is scheduled, and the chain has stalled."""
    nodes = await bench.agent()
    spec = bench.spec("one", Role.PRODUCER)
    with pytest.raises(NotNow, match="start it normally"):
        await bench.start(nodes, spec, NodeMode.STARTER)
    await bench.start(nodes, spec, NodeMode.NORMAL)
    with pytest.raises(NotNow, match="defproducera is not in the active schedule"):
        await bench.start(nodes, spec, NodeMode.STARTER)
    assert (await status(nodes, "one")).mode is NodeMode.NORMAL


async def test_no_private_key_outside_its_files(bench: Bench) -> None:
    """The signing key is in config.ini (0600) alone: neither in argv, environment nor the log."""
    nodes = await bench.agent()
    await bench.start(nodes, bench.spec("genesis"))
    pid = (await head(nodes, "genesis", 3)).pid
    folder, secret = bench.data / "nodes" / "genesis", bench.chain.key.wif
    for place in (Path(f"/proc/{pid}/cmdline"), Path(f"/proc/{pid}/environ"), folder / "log" / "nodeos.log"):
        assert secret not in place.read_text(errors="replace")
    assert secret in (folder / "config.ini").read_text()
    assert (folder / "config.ini").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


async def test_another_process_with_the_pid_is_never_signalled(bench: Bench) -> None:
    """If the pid now belongs to another process, the node counts as dead, and that process is not signalled."""
    there = processes.start(("sleep", "60"), output=bench.data / "log", folder=bench.data.parent)
    try:
        before = Process(there.pid, there.started - 1, there.boot)
        other_boot = Process(there.pid, there.started, "another")
        assert not before.alive
        assert not before.signal(signal.SIGKILL)
        assert not other_boot.signal(signal.SIGKILL)
        assert there.alive
    finally:
        await asyncio.to_thread(processes.kill, there)
    assert not there.alive
