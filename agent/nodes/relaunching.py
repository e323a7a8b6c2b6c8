"""Restarts a node of this host: stops it, writes its files for the new run, and starts it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import replace
from pathlib import Path

from agent.errors import AgentError, BadConfiguration, NodeFault, NotNow
from agent.keys.keosd import KeosdKey
from agent.nodeos.config import command_line, config_ini, produces
from agent.nodeos.probe import Capabilities, command_of, probe
from agent.nodeos.spec import NodeSpec
from agent.nodes.first_start import Source, begin_anew, first_start
from agent.nodes.folder import NodeRecord, Withheld
from agent.nodes.launch import Launch, check_ports, check_room, check_space, halt
from agent.nodes.leases import Leases
from agent.nodes.recovery import bring_up
from agent.nodes.tracked import TrackedNode, check_alone, equal, withheld
from antelope.http import NodeClient
from antelope.keys import PrivateKey
from boot.step import NodeMode
from protos.states import UNTOUCHED
from support.bundled import Runtime
from support.tasks import end

log = logging.getLogger(__name__)

Signers = Callable[[str], Sequence[PrivateKey | KeosdKey]]
"""An account's block-signing keys, the current one first. Raises KeyError if it has none."""


def connect(spec: NodeSpec) -> NodeClient:
    """The HTTP API of a node of this host."""
    return NodeClient(f"http://127.0.0.1:{spec.http_port}")


class Relauncher:
    """Starts the nodes of one data folder. The caller holds the node's `busy` lock."""

    def __init__(
        self,
        data: Path,
        nodes: MutableMapping[str, TrackedNode],
        signers: Signers,
        bundled: Callable[[], Runtime],
        leases: Leases | None,
        *,
        local: bool,
    ) -> None:
        """nodes: all of the host, by name. A node whose folder is lost is removed from it. The rest as for `Nodes`."""
        self._data = data
        self._nodes = nodes
        self._signers = signers
        self._bundled = bundled
        self._leases = leases
        self._local = local
        self._lost: set[str] = set()
        """Nodes whose folders were removed while this agent ran."""

    async def capabilities(self, nodeos: str) -> Capabilities:
        """What that nodeos ("bundled", or an absolute path) can do. Raises NodeosError."""
        return await probe(await self.command(nodeos), self._data / "nodeos")

    async def command(self, nodeos: str) -> tuple[str, ...]:
        """The command line of that nodeos, without options. Raises NodeosError."""
        return await asyncio.to_thread(command_of, nodeos, self._bundled)

    async def restart(
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

        meant: it stays on record as meant to run even if this fails. cleared: nobody else signs for its producer.
        snapshot: what it begins with if it has no chain yet. anew: the chain that it has is put aside first.
        Returns why it did not begin with the snapshot; empty: it did, or needed none. Raises NodeFault, NodeosError,
        SpecError.
        """
        check_alone(record, self._nodes.values())
        self._check_there(node, record)
        without = None if cleared else withheld(node, record, self._leases)
        if without and record.mode is NodeMode.STARTER:
            raise NotNow(f"node {record.spec.name} may not start the chain again: {without.why}")
        must_stop = without is not None and node.folder.withheld is None  # it signs, and may not
        if node.alive and not must_stop:
            await self._check_before_stop(node, record, without)
        node.starting = True
        try:
            await self._stop(node, record, meant=meant)
            launch = replace(await self._prepare(node, record, genesis, without), meant=meant)
            node.since = time.time()
            if anew:
                await asyncio.to_thread(begin_anew, node.folder)
            said = await self._begin(launch, snapshot)
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

    async def _check_before_stop(self, node: TrackedNode, record: NodeRecord, without: Withheld | None) -> None:
        """Raises what would keep a running node from starting again, as far as that can be seen while it runs."""
        spec = record.spec
        try:
            found, keys = await self.capabilities(spec.nodeos), self.keys(spec, record.mode, without)
            config_ini(spec, record.mode, found.options, keys, local=self._local, withheld=without is not None)
            check_ports(spec, node.record.spec)
            check_space(node.folder)
        except AgentError as fault:
            raise type(fault)(f"{fault}; {UNTOUCHED}", hint=fault.hint, retryable=fault.retryable) from fault

    async def _stop(self, node: TrackedNode, record: NodeRecord, *, meant: bool) -> None:
        if node.following:
            await end(node.following)
            node.following = None
        if node.folder.path.exists():
            await halt(node.folder)
        if not meant:
            node.folder.forget()
        if not equal(record, node.record):
            node.folder.forgive()

    async def _begin(self, launch: Launch, snapshot: Source | None) -> str:
        if snapshot and not launch.folder.begun:
            return await first_start(launch, snapshot)
        await bring_up(launch)
        return ""

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

    async def _prepare(self, node: TrackedNode, record: NodeRecord, genesis: bytes, without: Withheld | None) -> Launch:
        """Writes the node's files, and records how it is to run."""
        spec, folder = record.spec, node.folder
        keys = self.keys(spec, record.mode, without)
        record = replace(record, keys=tuple(str(key.public) for key in keys))
        found = await self.capabilities(spec.nodeos)
        config = config_ini(spec, record.mode, found.options, keys, local=self._local, withheld=without is not None)
        nodeos = await self.command(spec.nodeos)
        command = command_line(nodeos, folder.path, spec.role, record.mode)
        launch = Launch(folder, command, spec, record.chain_id)
        folder.make()
        check_room(launch)
        if without:
            folder.withhold(without)
        await asyncio.to_thread(folder.write, record, config, genesis)
        node.written = True
        if not without:
            folder.withhold(None)
        if spec.http_port != node.record.spec.http_port:
            await node.client.close()
            node.client = connect(spec)
        node.record = record
        return launch

    def keys(self, spec: NodeSpec, mode: NodeMode, without: Withheld | None) -> tuple[PrivateKey | KeosdKey, ...]:
        """The keys that it signs blocks with in this mode. Raises BadConfiguration when a needed one is missing."""
        if without or not produces(spec, mode):
            return ()
        try:
            return tuple(self._signers(str(spec.account)))
        except KeyError:
            raise BadConfiguration(f"node {spec.name}: this host has no signing key of {spec.account}") from None

    async def change_peers(self, node: TrackedNode, peers: tuple[str, ...]) -> None:
        """Changes the node's peers, at once if it runs. Raises SpecError, NodeError."""
        old, record = node.record.spec.peers, node.record
        if peers == old:
            return
        changed = replace(record, spec=record.spec.with_peers(peers))
        folder, genesis = node.folder, node.folder.genesis.read_bytes()
        found = await self.capabilities(changed.spec.nodeos)
        without = folder.withheld
        keys = self.keys(changed.spec, changed.mode, without)
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
