"""The host's nodes: started in a mode, watched, restarted after crashes, stopped, adopted by the next agent."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from agent.background import begin
from agent.errors import AgentError, BadConfiguration, NodeFault, NotNow, UnknownNode
from agent.keys.keosd import KeosdKey
from agent.nodeos.config import command_line, config_ini, produces
from agent.nodeos.probe import Capabilities, command_of, probe
from agent.nodeos.spec import NodeSpec
from agent.nodes.beginning import follows
from agent.nodes.failure import explain
from agent.nodes.first_start import Source, begin_anew, first_start
from agent.nodes.folder import NodeFolder, NodeRecord, Withheld
from agent.nodes.launch import Launch, check_room, check_unused, halt
from agent.nodes.leases import Leases
from agent.nodes.recovery import bring_up
from agent.nodes.rehearsal import clear, rehearse
from agent.nodes.starter import check_asked
from agent.nodes.state import NodeStatus, Restarts
from agent.nodes.tracked import TrackedNode, check_alone, equal, ordinary, same, wanted, withheld
from antelope.errors import NodeError
from antelope.http import NodeClient
from antelope.keys import PrivateKey
from boot.step import NodeMode
from support import node_processes, nodelogs
from support.bundled import Runtime, fetch
from support.locks import FileLock
from support.tasks import end

log = logging.getLogger(__name__)

WATCH_SECONDS = 0.5
"""Between two looks at the processes."""
DOUBLES = 5
"""How many findings of a producer that signs twice are kept per node."""


class Nodes:
    """All nodes of one data folder. One agent at a time has it: `open` takes the lock.

    Nodes run on when the agent ends: `close` only stops watching them.
    """

    def __init__(
        self,
        data: Path,
        signers: Callable[[str], Sequence[PrivateKey | KeosdKey]],
        *,
        bundled: Callable[[], Runtime] = fetch,
        local: bool = True,
        leases: Leases | None = None,
    ) -> None:
        """signers gives an account's block-signing keys (KeyError: it has none), the current one first. local: the
        operator's own machine. leases: who may sign; None: whatever is started does.
        """
        self._data = data.absolute()
        self._signers = signers
        self._bundled = bundled
        self._local = local
        self._leases = leases
        self._lock = FileLock(self._data / "nodes" / ".lock")
        self._nodes: dict[str, TrackedNode] = {}
        self._lost: set[str] = set()
        """Nodes whose folders were removed while this agent ran."""
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
        self._watcher = begin(self._watch, "watching the nodes")

    def _found(self) -> list[NodeFolder]:
        """Folders of nodes that are not known yet; from now on they are. One that was lost may be put back."""
        found = []
        for path in sorted((self._data / "nodes").glob("[!.]*/")):
            folder = NodeFolder(path)
            record = None if folder.name in self._nodes else folder.record()
            if record is not None:
                self._nodes[folder.name] = TrackedNode(folder, record, self._connect(record.spec), written=True)
                self._nodes[folder.name].since = folder.began or 0.0
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
        return await probe(await self._command(nodeos), self._data / "nodeos")

    async def _command(self, nodeos: str) -> tuple[str, ...]:
        return await asyncio.to_thread(command_of, nodeos, self._bundled)

    async def rehearse(self, specs: Iterable[NodeSpec]) -> None:
        """Starts each kind of node once as it will run, on a chain of its own.

        Raises NodeFault, NodeosError, SpecError.
        """
        await rehearse(specs, self._data / "nodes", self.capabilities, self._command, local=self._local)

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
        """Makes the node run like this. Does nothing if it does already.

        mode None: as it ran last. genesis (genesis.json) and its chain id may be left out if the node has run before.
        snapshot: what it begins with if it has no chain yet. anew: the chain that it has is put aside first.
        Returns, once it answers, why it did not begin with the snapshot; empty: it did, or needed none. Raises
        NodeFault, NodeosError, SpecError; then it does not run.
        """
        record, genesis = wanted(self._nodes.get(spec.name), spec, mode, genesis, chain_id)
        if spec.name not in self._nodes:
            self._nodes[spec.name] = TrackedNode(
                NodeFolder(self._data / "nodes" / spec.name), record, self._connect(spec)
            )
        node = self._nodes[spec.name]
        async with node.busy:
            as_wanted = same(node.record, record) and not self._may_sign_now(node, record)
            if node.alive and as_wanted and node.folder.recovering is None and not anew:
                await self._change_peers(node, record.spec.peers)
                return ""
            if record.mode is NodeMode.STARTER:
                await check_asked(spec.name, str(spec.account), node.client)
            node.restarts = Restarts()
            async with self._turns:
                return await self._restart(node, record, genesis, snapshot=snapshot, anew=anew)

    async def restart(self, name: str) -> None:
        """Restarts a node that runs, as it runs, with the keys of now. Raises UnknownNode, NodeFault and others."""
        node = self._node(name)
        async with node.busy:
            if not node.alive:
                raise NodeFault(f"node {name} does not run")
            node.restarts = Restarts()
            record = replace(node.record, mode=ordinary(node.record.mode))
            await self._restart(node, record, node.folder.genesis.read_bytes(), meant=True)

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
            await self._change_peers(node, tuple(peers))

    async def status(self) -> list[NodeStatus]:
        """How every node is, by name."""
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
        """Of all nodes that ran here."""
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

    def note_double(self, name: str, what: str) -> None:
        """Adds what shows that two nodes sign for one producer to the node's status. Raises UnknownNode."""
        node = self._node(name)
        node.doubles = (*node.doubles, what)[-DOUBLES:]

    async def withhold(self, name: str) -> None:
        """Has a producer's node go on without its keys, once its lease is taken. Raises UnknownNode, NodeFault."""
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
            await self._restart(node, record, node.folder.genesis.read_bytes(), meant=True, cleared=cleared)

    def _may_sign_now(self, node: TrackedNode, record: NodeRecord) -> bool:
        """Whether a node that runs without its keys may have them now."""
        return node.folder.withheld is not None and withheld(node, record, self._leases) is None

    def _node(self, name: str) -> TrackedNode:
        try:
            return self._nodes[name]
        except KeyError:
            raise UnknownNode(f"this host has no node {name}") from None

    def _connect(self, spec: NodeSpec) -> NodeClient:
        return NodeClient(f"http://127.0.0.1:{spec.http_port}")

    def _check_there(self, node: TrackedNode, record: NodeRecord) -> None:
        """Raises NodeFault if this would begin a chain again whose node's folder was removed under the agent."""
        name = node.folder.name
        if node.written and node.folder.record() is None:
            self._lost.add(name)
            node.written = False
        if name in self._lost and record.mode is NodeMode.GENESIS and not node.folder.begun:
            self._nodes.pop(name, None)
            raise NodeFault(
                f"node {name}: its folder {node.folder.path} was removed: it would begin the chain again; boot again, "
                "and it takes the chain from the other nodes"
            )

    async def _restart(
        self,
        node: TrackedNode,
        record: NodeRecord,
        genesis: bytes,
        *,
        meant: bool = False,
        cleared: bool = False,
        snapshot: Source | None = None,
        anew: bool = False,
    ) -> str:
        """Stops the node if it runs, writes its files, and starts it. A fault is kept for its status.

        meant: it stays on record as meant to run even if this fails. cleared: nobody else signs
        for its producer. Returns as `start`.
        """
        check_alone(record, self._nodes.values())
        self._check_there(node, record)
        without = None if cleared else withheld(node, record, self._leases)
        if without and record.mode is NodeMode.STARTER:
            raise NotNow(f"node {record.spec.name} may not start the chain again: {without.why}")
        node.starting = True
        try:
            if node.following:
                await end(node.following)
                node.following = None
            if node.folder.path.exists():
                await halt(node.folder)
            if not meant:
                node.folder.forget()
            if not equal(record, node.record):
                node.folder.forgive()
            keys = self._keys(record.spec, record.mode, without)
            record = replace(record, keys=tuple(str(key.public) for key in keys))
            launch = replace(await self._prepare(node, record, genesis, without), meant=meant)
            node.record, node.since = record, time.time()
            if anew:
                await asyncio.to_thread(begin_anew, node.folder)
            said = ""
            if snapshot and not node.folder.begun:
                said = await first_start(launch, snapshot)
            else:
                await bring_up(launch)
            node.alive_at = time.time()
            if without:
                log.warning("node %s follows the chain without its key: %s", node.folder.name, without.why)
            node.fault, node.lasting = "", False
            node.folder.forgive()
            return said
        except AgentError as fault:
            node.fault, node.lasting = node.folder.blame(str(fault)), not fault.retryable
            raise
        finally:
            node.starting = False

    async def _prepare(self, node: TrackedNode, record: NodeRecord, genesis: bytes, without: Withheld | None) -> Launch:
        spec, folder = record.spec, node.folder
        found = await self.capabilities(spec.nodeos)
        keys = self._keys(spec, record.mode, without)
        config = config_ini(spec, record.mode, found.options, keys, local=self._local, withheld=without is not None)
        nodeos = await self._command(spec.nodeos)
        command = command_line(nodeos, folder.path, spec.role, record.mode)
        launch = Launch(folder, command, spec, record.chain_id)
        folder.make()
        check_room(launch)
        if without:
            folder.withhold(without)
        folder.write(record, config, genesis)
        node.written = True
        if not without:
            folder.withhold(None)
        if spec.http_port != node.record.spec.http_port:
            await node.client.close()
            node.client = self._connect(spec)
        return launch

    def _keys(self, spec: NodeSpec, mode: NodeMode, without: Withheld | None) -> tuple[PrivateKey | KeosdKey, ...]:
        """Those that it signs blocks with in this mode. Raises BadConfiguration when it needs one that is missing."""
        if without or not produces(spec, mode):
            return ()
        try:
            return tuple(self._signers(str(spec.account)))
        except KeyError:
            raise BadConfiguration(f"node {spec.name}: this host has no signing key of {spec.account}") from None

    async def _change_peers(self, node: TrackedNode, peers: tuple[str, ...]) -> None:
        old, record = node.record.spec.peers, node.record
        if peers == old:
            return
        changed = replace(record, spec=record.spec.with_peers(peers))
        folder, genesis = node.folder, node.folder.genesis.read_bytes()
        found = await self.capabilities(changed.spec.nodeos)
        without = folder.withheld
        keys = self._keys(changed.spec, changed.mode, without)
        config = config_ini(
            changed.spec, changed.mode, found.options, keys, local=self._local, withheld=without is not None
        )
        folder.write(changed, config, genesis)
        node.record = changed
        if node.alive:
            for peer in sorted(set(old) - set(peers)):
                await node.client.disconnect(peer)
            for peer in sorted(set(peers) - set(old) - {changed.spec.p2p_endpoint}):
                await node.client.connect(peer)

    async def _watch(self) -> None:
        """Restarts dead nodes that should run, and gives up on those that keep dying."""
        while True:
            try:
                wanted = [node for node in self._nodes.values() if node.folder.process and not node.busy.locked()]
                alive = [node for node in wanted if node.alive]
                for node in alive:
                    node.restarts.lives(time.monotonic())
                    node.alive_at = time.time()
                    if node.following is None:
                        node.following = begin(partial(self._follow, node), f"node {node.folder.name} and its peers")
                if alive:
                    nodelogs.ensure(self._data)
                for node in wanted:
                    if node not in alive and (node.reviving is None or node.reviving.done()):
                        node.reviving = begin(partial(self._revive, node), f"starting node {node.folder.name} again")
            except Exception:  # a full disk, say: the next look may find it better
                log.exception("watching the nodes")
            await asyncio.sleep(WATCH_SECONDS)

    async def _follow(self, node: TrackedNode) -> None:
        """Sees whether its peers' blocks follow the snapshot that it began with; if not, it syncs from the first."""
        beginning = node.folder.beginning
        if beginning is None or beginning.confirmed:
            return
        wrong = await follows(node.client, beginning, node.folder.last_run)
        if not wrong:
            node.folder.begun_from.confirm(beginning)
            log.info("node %s: its peers' blocks follow %s", node.folder.name, beginning)
            return
        log.warning("node %s refuses %s: %s; it syncs from its peers", node.folder.name, beginning, wrong)
        async with node.busy:
            node.following = None  # this task: it is not to be ended by the restart
            genesis = node.folder.genesis.read_bytes()
            with contextlib.suppress(AgentError):  # kept for its status, and tried again
                await self._restart(node, node.record, genesis, meant=True, anew=True)

    async def _revive(self, node: TrackedNode) -> None:
        if not node.fault:
            outlived = await asyncio.to_thread(node_processes.running, node.folder.path)
            if outlived:  # a script that had not `exec`ed nodeos was ended, and nodeos was not
                log.warning("node %s: process %d outlived who started it", node.folder.name, outlived.pid)
                node.folder.remember(outlived)
                return
            dead = node.folder.process
            node.fault = str(explain(node.folder.name, node.folder.last_run(), dead.ended if dead else None))
            log.warning("%s", node.fault)
        if not node.restarts.due(time.monotonic()):
            return
        async with node.busy:
            record, died = node.record, node.folder.process
            if died is None or died.alive:  # stopped or started by somebody meanwhile
                return
            record = replace(record, mode=ordinary(record.mode))
            log.info("node %s: starting it again", node.folder.name)
            try:
                await self._restart(node, record, node.folder.genesis.read_bytes(), meant=True)
            except AgentError as fault:
                log.warning("%s%s", fault, "; given up" if node.restarts.given_up else "")
