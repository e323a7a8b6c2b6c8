"""Watches the processes of this host's nodes: restarts dead ones, and checks those that started from a snapshot."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from agent.background import begin
from agent.errors import AgentError
from agent.nodes.beginning import follows
from agent.nodes.failure import explain
from agent.nodes.relaunching import Relauncher
from agent.nodes.tracked import TrackedNode, ordinary
from support import node_processes, nodelogs

log = logging.getLogger(__name__)

WATCH_SECONDS = 0.5
"""Seconds between two looks at the processes."""


class ProcessWatch:
    """The watch over the nodes of one data folder."""

    def __init__(self, data: Path, nodes: Mapping[str, TrackedNode], relauncher: Relauncher) -> None:
        """nodes: all of the host, by name, as they are known at each look."""
        self._data = data
        self._nodes = nodes
        self._relauncher = relauncher

    async def run(self) -> None:
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
        wrong = await follows(node.client, beginning, node.folder.log.last_run)
        if not wrong:
            node.folder.begun_from.confirm(beginning)
            log.info("node %s: its peers' blocks follow %s", node.folder.name, beginning)
            return
        log.warning("node %s refuses %s: %s; it syncs from its peers", node.folder.name, beginning, wrong)
        async with node.busy:
            node.following = None  # this task: it is not to be ended by the restart
            genesis = node.folder.genesis.read_bytes()
            with contextlib.suppress(AgentError):  # kept for its status, and tried again
                await self._relauncher.restart(node, node.record, genesis, meant=True, anew=True)

    async def _revive(self, node: TrackedNode) -> None:
        if not node.fault:
            outlived = await asyncio.to_thread(node_processes.running, node.folder.path)
            if outlived:  # a script that had not `exec`ed nodeos was ended, and nodeos was not
                log.warning("node %s: process %d outlived who started it", node.folder.name, outlived.pid)
                node.folder.remember(outlived)
                return
            dead = node.folder.process
            node.fault = str(explain(node.folder.name, node.folder.log.last_run(), dead.ended if dead else None))
            log.warning("%s", node.fault)
        if not node.restarts.due(time.monotonic()):
            return
        async with node.busy:
            record, died = node.record, node.folder.process
            if died is None or died.alive:  # somebody stopped or started it meanwhile
                return
            record = replace(record, mode=ordinary(record.mode))
            log.info("node %s: starting it again", node.folder.name)
            try:
                await self._relauncher.restart(node, record, node.folder.genesis.read_bytes(), meant=True)
            except AgentError as fault:
                log.warning("%s%s", fault, "; given up" if node.restarts.given_up else "")
