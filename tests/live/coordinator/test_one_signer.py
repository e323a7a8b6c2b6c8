"""A clone of a producer's node, with the same key, in the same network: who stops, and what is said."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.background import keep_running
from agent.keys import KeyStore
from agent.memory import Memory
from agent.nodeos.spec import NodeSpec
from agent.nodes.folder import NodeFolder, Withheld
from agent.nodes.leases import Leases, Standing, window
from agent.nodes.signers import watch_signers
from agent.nodes.state import NodeStatus
from agent.nodes.supervisor import Nodes
from antelope.actions.token import transfer
from antelope.asset import Asset, Symbol
from antelope.elections import BLOCKS_PER_TURN
from antelope.errors import NodeError
from antelope.http import NodeClient
from antelope.keys import PrivateKey
from antelope.transaction import Transaction
from boot.step import NodeMode
from support import node_processes, processes
from support.journal import Journal
from support.processes import Process
from support.retry import poll
from support.tasks import end
from tests.live.coordinator.network import MakeNetwork, Network
from tests.ports import free_port

pytestmark = [pytest.mark.live, pytest.mark.campaign]

PRODUCERS = ("defproducera", "defproducerb")
NODE = PRODUCERS[1]
TURNS = 60.0
"""Seconds in which both have had their turns, on a busy machine."""


@pytest.fixture(scope="module")
def network(make_shared: MakeNetwork) -> Network:
    """Booted, with two producers that sign in turn."""
    network = make_shared("signers")
    network.write(elected=2)
    network.boot()
    return network


class Clone:
    """An agent's node part on another data folder, with the original's keys and a copy of its node's folder."""

    def __init__(self, network: Network, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(network.data / "keys", folder / "keys")
        original = network.data / "nodes" / NODE
        copy = folder / "nodes" / NODE
        copy.mkdir(parents=True)
        for name in ("node.json", "genesis.json", "log"):  # not its chain, whose copy nodeos calls dirty
            (shutil.copytree if (original / name).is_dir() else shutil.copy)(original / name, copy / name)
        self.leases = Leases(Memory(Journal(folder / "journal.sqlite")))
        self.nodes = Nodes(folder, KeyStore(folder / "keys").signers, leases=self.leases)
        self._watch: asyncio.Task[None] | None = None

    @property
    def node(self) -> NodeFolder:
        """Its node's folder."""
        return NodeFolder(self.folder / "nodes" / NODE)

    async def open(self) -> None:
        """As an agent that starts."""
        await self.nodes.open()
        self._watch = asyncio.create_task(keep_running(lambda: watch_signers(self.nodes, self.leases)))

    async def start(self) -> None:
        """The node, on ports of its own."""
        record = self.nodes.record(NODE)
        p2p = f"127.0.0.1:{free_port()}"
        spec: NodeSpec = replace(record.spec, p2p_bind=p2p, p2p_endpoint=p2p, http_port=free_port())
        await self.nodes.start(spec, NodeMode.NORMAL)

    async def status(self) -> NodeStatus:
        """The node's."""
        (status,) = await self.nodes.status()
        return status

    async def close(self) -> None:
        """It ends, with its node."""
        if self._watch:
            await end(self._watch)
        await self.nodes.close()
        node_processes.stop_nodes(self.folder)


@pytest.fixture
async def clone(network: Network, tmp_path: Path) -> AsyncIterator[Clone]:
    """Made a moment ago."""
    clone = Clone(network, tmp_path / "clone")
    yield clone
    await clone.close()


async def _transfers(network: Network) -> None:
    """A client's, many: two nodes that make the same empty block make one block."""
    (sender, wif), (receiver, _) = list(network.accounts().items())[:2]
    async with NodeClient(network.http(PRODUCERS[0])) as node:
        for number in itertools.count():
            info = await node.get_info()
            tapos = Transaction.tapos_from(info.head_block_id)
            todo = (transfer(sender, receiver, Asset(1, Symbol(4, "SYS")), str(number)),)
            expiration = int(info.head_block_time.timestamp()) + 60
            signed = Transaction(expiration, *tapos, todo).sign(info.chain_id, [PrivateKey.parse(wif)])
            with contextlib.suppress(NodeError):  # a fork may have lost the block that it refers to
                await node.send_transaction(signed)


async def _signs_for_long(network: Network) -> None:
    """Waits until the chain is two rounds older than the original node's start: a node that starts then is the later
    one.
    """
    began = NodeFolder(network.data / "nodes" / NODE).log.began
    assert began
    until = began + window(PRODUCERS) + 3
    async with NodeClient(network.http(PRODUCERS[0])) as node:

        async def passed() -> bool:
            return (await node.get_info()).head_block_time.timestamp() > until

        await poll(passed, what="two rounds after the node's start", deadline=window(PRODUCERS) + TURNS)


async def test_the_later_one_stops_and_both_tell(network: Network, clone: Clone) -> None:
    """A fresh copy signs, sees the other's blocks, and continues without its key; the original keeps signing, and
    reports it.
    """
    await _signs_for_long(network)
    await clone.open()
    client = asyncio.create_task(_transfers(network))
    await clone.start()
    began = time.monotonic()

    async def stopped() -> str:
        status = await clone.status()
        return status.withheld

    try:
        why = await poll(stopped, what="the clone to stop signing", deadline=TURNS)
    finally:
        await end(client)
    print(f"stopped after {time.monotonic() - began:.1f} s: {why}")  # noqa: T201
    assert f"another node signed as {NODE} before this one" in why
    assert "signature-provider" not in clone.node.config.read_text()
    assert clone.leases.of(NODE).standing is Standing.TAKEN
    status = network.coord("status", "--check")
    print(status.out[-600:])  # noqa: T201
    assert status.status == 1
    assert f"has seen two signers: {NODE} signed two blocks for " in status.out
    assert "signature-provider" in (network.data / "nodes" / NODE / "config.ini").read_text()
    document = json.loads(network.coord("status", "--json").out)
    rows = {row["name"]: row for row in document["nodes"]}
    assert rows[NODE]["withheld"] == ""
    assert any(NODE in line for row in rows.values() for line in row["double_signing"])


async def test_a_copy_that_was_off_signs_nothing(network: Network, clone: Clone) -> None:
    """Started long after its last word, it follows the chain, sees who signs, and says so; also when started again."""
    clone.node.log.path.write_text("info  2026-01-01T00:00:00.000 nodeos  x.cpp:1  x ] the last word\n")
    await clone.open()
    await clone.start()
    assert "it looks first" in (await clone.status()).withheld

    async def told() -> bool:
        return "another node signs" in (await clone.status()).withheld

    await poll(told, what="the clone to see the other", deadline=TURNS)
    log = clone.node.log.path.read_text()
    assert "Produced block" not in log
    process = Process.read(clone.node.path / "process.json")
    assert process
    await asyncio.to_thread(processes.stop, process)

    async def back() -> bool:
        status = await clone.status()
        return bool(status.pid) and status.pid != process.pid and "another node signs" in status.withheld

    await poll(back, what="the node to be started again", deadline=TURNS)
    assert "Produced block" not in clone.node.log.path.read_text()


async def test_the_genesis_nodes_key_signs_nothing_after_the_handover(network: Network, tmp_path: Path) -> None:
    """It has no lease: a copy of the retired node that starts with eosio's key, as the only producer and although no
    fresh block is needed, follows the chain and makes no block, because no schedule has eosio.
    """
    name, folder = "genesis", tmp_path / "copy"
    original = network.data / "nodes" / name
    assert network.coord("node", "stop", name).status == 0
    shutil.copytree(network.data / "keys", folder / "keys")
    shutil.copytree(original, folder / "nodes" / name)
    assert network.coord("node", "start", name).status == 0
    (folder / "nodes" / name / "process.json").unlink(missing_ok=True)
    nodes = Nodes(folder, KeyStore(folder / "keys").signers)
    log = NodeFolder(folder / "nodes" / name).log
    await nodes.open()
    try:
        made = log.path.read_text().count("Produced block")
        assert made  # it began the chain
        p2p = f"127.0.0.1:{free_port()}"
        spec = replace(nodes.record(name).spec, p2p_bind=p2p, p2p_endpoint=p2p, http_port=free_port())
        await nodes.start(spec, NodeMode.GENESIS)
        config = (folder / "nodes" / name / "config.ini").read_text()
        assert "producer-name = eosio" in config
        assert "signature-provider" in config
        first = (await nodes.client(name).get_info()).head_block_num

        async def followed() -> bool:
            return (await nodes.client(name).get_info()).head_block_num > first + 4 * BLOCKS_PER_TURN

        await poll(followed, what="two rounds of the others' blocks", deadline=TURNS)
        assert log.path.read_text().count("Produced block") == made
    finally:
        await nodes.close()
        node_processes.stop_nodes(folder)


async def test_a_node_whose_other_is_gone_signs_again(network: Network, clone: Clone) -> None:
    """Off for long, and nobody has signed in its place for two rounds: it gets its key without anybody's help."""
    assert network.coord("node", "stop", NODE, "--force").status == 0
    clone.node.withhold(Withheld("it was off", time.time()))
    await clone.open()
    await clone.start()
    assert (await clone.status()).withheld

    async def signs() -> bool:
        status = await clone.status()
        return not status.withheld and "Produced block" in clone.node.log.path.read_text()

    await poll(signs, what="the clone to sign", deadline=2 * TURNS)
