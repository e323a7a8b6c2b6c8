"""The host's nodes: started in a mode, watched, restarted after crashes, stopped, adopted by the next agent."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from agent.background import begin
from agent.errors import NodeFault, UnknownNode
from agent.nodeos.probe import Capabilities
from agent.nodeos.spec import NodeSpec
from agent.nodes.first_start import Source
from agent.nodes.folder import NodeFolder, NodeRecord
from agent.nodes.launch import check_unused, halt
from agent.nodes.leases import Leases
from agent.nodes.rehearsal import clear, rehearse
from agent.nodes.relaunching import Relauncher, Signers, connect
from agent.nodes.starter import check_asked
from agent.nodes.state import NodeStatus, Restarts
from agent.nodes.tracked import TrackedNode, ordinary, same, wanted, withheld
from agent.nodes.watching import ProcessWatch
from antelope.errors import NodeError
from antelope.http import NodeClient
from antelope.keys import PublicKey
from boot.step import NodeMode
from support import node_processes
from support.bundled import Runtime, fetch
from support.locks import FileLock
from support.tasks import end

log = logging.getLogger(__name__)

DOUBLES = 5
"""How many findings of a producer that signs twice are kept per node."""


class Nodes:
    """All nodes of one data folder. One agent at a time has it: `open` takes the lock.

    Nodes run on when the agent ends: `close` only stops watching them.
    """

    def __init__(
        self,
        data: Path,
        signers: Signers,
        *,
        bundled: Callable[[], Runtime] = fetch,
        local: bool = True,
        leases: Leases | None = None,
    ) -> None:
        """signers gives an account's block-signing keys (KeyError: it has none), the current one first. local: the
        operator's own machine. leases: who may sign; None: whatever is started does.
        """
        self._data = data.absolute()
        self._local = local
        self._leases = leases
        self._lock = FileLock(self._data / "nodes" / ".lock")
        self._nodes: dict[str, TrackedNode] = {}
        self._relauncher = Relauncher(self._data, self._nodes, signers, bundled, leases, local=local)
        self._watcher: asyncio.Task[None] | None = None
        cores = os.cpu_count() or 1
        self._turns = asyncio.Semaphore(cores) if local else contextlib.nullcontext()
        """On the operator's machine so many nodes start at the same time: more would only take the cores from the one
        that signs blocks."""

    async def open(self) -> None:
        """Finds the nodes that run already, and watches from now on. Raises LockedError, OSError."""
        (self._data / "nodes").mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock.acquire()
        await clear(self._data / "nodes")
        for folder in self._found():
            process = node_processes.running(folder.path)
            if process and process != folder.process:
                folder.remember(process)
            if process and folder.recovering is not None:  # its agent died in a recovery: it may run with other options
                with contextlib.suppress(NodeFault):
                    await halt(folder)
        self._watcher = begin(ProcessWatch(self._data, self._nodes, self._relauncher).run, "watching the nodes")

    def _found(self) -> list[NodeFolder]:
        """Folders of nodes that are not known yet; from now on they are. One that was lost may be put back."""
        found = []
        for path in sorted((self._data / "nodes").glob("[!.]*/")):
            folder = NodeFolder(path)
            record = None if folder.name in self._nodes else folder.record()
            if record is not None:
                self._nodes[folder.name] = TrackedNode(folder, record, connect(record.spec), written=True)
                self._nodes[folder.name].since = folder.log.began or 0.0
                found.append(folder)
        return found

    async def close(self) -> None:
        """Stops watching; the nodes run on."""
        if self._watcher:
            await end(self._watcher)
        for node in self._nodes.values():
            for task in (node.reviving, node.following):
                if task:
                    await end(task)
            await node.client.close()
        self._lock.release()

    async def capabilities(self, nodeos: str) -> Capabilities:
        """What that nodeos ("bundled", or an absolute path) can do. Raises NodeosError."""
        return await self._relauncher.capabilities(nodeos)

    async def rehearse(self, specs: Iterable[NodeSpec]) -> None:
        """Starts each kind of node once as it will run, on a chain of its own.

        Raises NodeFault, NodeosError, SpecError.
        """
        relauncher = self._relauncher
        nodes = self._data / "nodes"
        await rehearse(specs, nodes, relauncher.capabilities, relauncher.command, local=self._local)

    async def start(
        self,
        spec: NodeSpec,
        mode: NodeMode | None,
        genesis: bytes | None = None,
        chain_id: str | None = None,
        snapshot: Source | None = None,
        *,
        anew: bool = False,
    ) -> str:
        """Makes the node run as described. Does nothing if it already does.

        mode None: as it ran last. genesis (genesis.json) and its chain id may be left out if the node has run before.
        snapshot: what it begins with if it has no chain yet. anew: the chain that it has is put aside first.
        Returns, once it answers, why it did not begin with the snapshot; empty: it did, or needed none. Raises
        NodeFault, NodeosError, SpecError; then it does not run.
        """
        record, genesis = wanted(self._nodes.get(spec.name), spec, mode, genesis, chain_id)
        if spec.name not in self._nodes:
            self._nodes[spec.name] = TrackedNode(NodeFolder(self._data / "nodes" / spec.name), record, connect(spec))
        node = self._nodes[spec.name]
        async with node.busy:
            as_wanted = same(node.record, record) and not self._may_sign_now(node, record)
            if node.alive and as_wanted and node.folder.recovering is None and not anew:
                await self._relauncher.change_peers(node, record.spec.peers)
                return ""
            if record.mode is NodeMode.STARTER:
                await check_asked(spec.name, str(spec.account), node.client)
            node.restarts = Restarts()
            async with self._turns:
                return await self._relauncher.restart(node, record, genesis, snapshot=snapshot, anew=anew)

    async def restart(self, name: str) -> None:
        """Restarts a running node as it was, with the current keys. Raises UnknownNode, NodeFault and others."""
        node = self._node(name)
        async with node.busy:
            if not node.alive:
                raise NodeFault(f"node {name} does not run")
            node.restarts = Restarts()
            record = replace(node.record, mode=ordinary(node.record.mode))
            await self._relauncher.restart(node, record, node.folder.genesis.read_bytes(), meant=True)

    async def stop(self, name: str) -> None:
        """Stops the node with SIGTERM and waits for its end. Raises UnknownNode, NodeFault when it does not end."""
        node = self._node(name)
        async with node.busy:
            await halt(node.folder)
            await check_unused(node.folder)
            node.folder.forget()
            node.folder.forgive()
            node.fault, node.lasting = "", False

    async def set_peers(self, name: str, peers: Iterable[str]) -> None:
        """Changes the node's peers, at once if it runs. Raises UnknownNode, SpecError, NodeError."""
        node = self._node(name)
        async with node.busy:
            await self._relauncher.change_peers(node, tuple(peers))

    async def status(self) -> list[NodeStatus]:
        """The state of every node, by name."""
        self._found()
        nodes = [self._nodes[name] for name in sorted(self._nodes)]
        return list(await asyncio.gather(*(node.status() for node in nodes)))

    def client(self, name: str) -> NodeClient:
        """The node's HTTP API. The caller must not close it. Raises UnknownNode."""
        return self._node(name).client

    def record(self, name: str) -> NodeRecord:
        """How the node runs, or ran last. Raises UnknownNode."""
        return self._node(name).record

    def data_of(self, name: str) -> Path:
        """nodeos' own folder of a node. Raises UnknownNode."""
        return self._node(name).folder.data

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all nodes that ran here."""
        return tuple(sorted(self._nodes))

    def folder(self, name: str) -> NodeFolder:
        """The node's files. Raises UnknownNode."""
        return self._node(name).folder

    def running(self, name: str) -> bool:
        """Whether the node's process lives and is not being started or stopped. Raises UnknownNode."""
        node = self._node(name)
        return node.alive and not node.busy.locked()

    def since(self, name: str) -> float:
        """When the node's process began, in Unix seconds; 0: long ago. Raises UnknownNode."""
        return self._node(name).since

    def signing_keys(self, name: str) -> tuple[PublicKey, ...]:
        """The public keys that a producer's node signs with. Raises UnknownNode, BadConfiguration."""
        record = self._node(name).record
        return tuple(key.public for key in self._relauncher.keys(record.spec, record.mode, None))

    def note_double(self, name: str, what: str) -> None:
        """Adds what shows that two nodes sign for one producer to the node's status. Raises UnknownNode."""
        node = self._node(name)
        node.doubles = (*node.doubles, what)[-DOUBLES:]

    async def withhold(self, name: str) -> None:
        """Has a producer's node continue without its keys after its lease was taken away. Raises UnknownNode,
        NodeFault.
        """
        await self._again(self._node(name))

    async def release(self, name: str) -> None:
        """Gives a withheld node its keys: nobody else signs. Raises UnknownNode, NodeFault."""
        await self._again(self._node(name), cleared=True)

    async def _again(self, node: TrackedNode, *, cleared: bool = False) -> None:
        """Starts a running node again as it ran, with or without its keys."""
        async with node.busy:
            if not node.alive:
                return
            if not cleared:
                with contextlib.suppress(NodeError, TimeoutError):  # it stops at once; the restart makes it last
                    await node.client.call("/v1/producer/pause", {})
            record = replace(node.record, mode=ordinary(node.record.mode))
            await self._relauncher.restart(node, record, node.folder.genesis.read_bytes(), meant=True, cleared=cleared)

    def _may_sign_now(self, node: TrackedNode, record: NodeRecord) -> bool:
        """Whether a node that runs without its keys may have them now."""
        return node.folder.withheld is not None and withheld(node, record, self._leases) is None

    def _node(self, name: str) -> TrackedNode:
        try:
            return self._nodes[name]
        except KeyError:
            raise UnknownNode(f"this host has no node {name}") from None
