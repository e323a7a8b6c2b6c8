"""Has agents push the transactions of the boot's steps, and records what was pushed."""

from __future__ import annotations

import contextlib
from itertools import groupby

from antelope.errors import NodeError
from boot.blueprint import Blueprint
from boot.step import ChainStep, Finality, KeyedWork, Query
from coordinator.advising import typed
from coordinator.agents.link import LinkError
from coordinator.engine.access import ACT_SECONDS, CATCH_UP_SECONDS, NodeAccess
from coordinator.engine.boot_log import BootLog
from coordinator.engine.command_lines import CommandLines
from coordinator.engine.lost_nodes import LostNodes
from coordinator.reporter import Reporter
from coordinator.state.folder import StateFolder
from inventory.network import Node
from protos import coordination_pb2 as pb
from support.retry import DeadlineError, poll
from support.tasks import all_of

MOST_WRITTEN_OUT = 100
"""Maximum transactions per step whose commands are written to the command log. An allocation has thousands, with fifty
accounts each: writing their commands takes longer than the chain takes to execute them.
"""
PARTY_SECONDS = 20.0
"""Seconds that a party's agent has to report what it pushed; the boot does not wait longer."""


class ChainWork:
    """Carries out chain steps: tells each agent the keys of its work, and the agent derives the transactions itself."""

    def __init__(
        self,
        access: NodeAccess,
        lost: LostNodes,
        blueprint: Blueprint,
        state: StateFolder,
        log: BootLog,
        reporter: Reporter,
    ) -> None:
        self._access = access
        self._lost = lost
        self._network = access.network
        self._blueprint = blueprint
        self._state = state
        self._log = log
        self._reporter = reporter
        self._command_lines = CommandLines(access.network, blueprint, state.artifacts.folder)
        self._works: dict[str, KeyedWork] = {}
        self._pushed: dict[str, set[str]] = {}
        self._height = 0
        """The highest block that contains a transaction of this boot, as far as this run knows."""
        self._claimed = 0
        """The same, as claimed by parties; it counts only up to the head of the operator's own nodes."""

    def of(self, step: ChainStep) -> KeyedWork:
        """A step's whole work, by key."""
        if step.name not in self._works:
            self._works[step.name] = KeyedWork(step.work(self._blueprint))
        return self._works[step.name]

    def pushed(self, step: str) -> int:
        """How many transactions of a step were pushed, as far as this run knows."""
        return len(self._pushed.get(step, ()))

    async def run(self, step: ChainStep, keys: tuple[str, ...], seen: int) -> None:
        """Runs one task per node that transactions are pushed to, concurrently. Where transactions depend on each
        other, one task after another, each for consecutive keys that go to the same node.

        seen: the head block's number before the evidence that lacks these keys was read.
        Raises TaskFailedError, LinkError, DeadlineError, NodeError.
        """
        works = self.of(step)
        total = len(keys)
        if step.finality is Finality.IRREVERSIBLE:
            self._reporter.moved(step.name, 0, total, f"{step.title}, and wait until it is irreversible")

        def node_of(key: str) -> str:
            return self._access.pusher(works.holder(key)).name

        if step.parallel:
            shares: dict[str, list[str]] = {}
            for key in keys:
                shares.setdefault(node_of(key), []).append(key)
            await all_of(self._run_share(step, node, share, total, seen) for node, share in shares.items())
        else:
            for node, row in groupby(keys, node_of):
                await self._run_share(step, node, list(row), total, seen)

    async def _run_share(self, step: ChainStep, name: str, keys: list[str], total: int, seen: int) -> None:
        node = self._network.node(name)
        await self._hold(node)
        await self._lost.unless(node, self._caught_up(name))
        body = pb.RunStep(step=step.name, keys=keys, node=name, seen=seen)
        task = self._access.task(node.host, body, lambda progress: self._progressed(step, node, progress, total), keys)
        await self._lost.unless(node, task)

    async def _hold(self, node: Node) -> None:
        """Has the node's agent take the sealed network if it does not hold it: it may have lost its files since."""
        manifest = self._blueprint.sealed.manifest
        if self._access.link(node.host).manifest != manifest:
            await self._access.task(node.host, pb.Hold(sha256=manifest))

    async def _caught_up(self, name: str) -> None:
        """Waits until the node has the block of the last pushed transaction: the next one may depend on it."""
        wanted = self._height
        if self._claimed > wanted:
            head = int((await self._access.ask(Query("/v1/chain/get_info")))["head_block_num"])
            wanted = max(wanted, min(self._claimed, head))
        node = self._network.node(name)

        async def there() -> bool:
            try:
                info = await self._access.link(node.host).query(name, "/v1/chain/get_info")
                return int(info["head_block_num"]) >= wanted
            except (NodeError, KeyError, TypeError, ValueError):  # a party's node may answer anything
                return False

        await poll(there, what=f"{name} to have block {wanted}", deadline=CATCH_UP_SECONDS)

    def _progressed(self, step: ChainStep, node: Node, progress: pb.Progress, total: int) -> None:
        """Records what an agent reports as pushed. Reports about another agent's work are ignored."""
        works, seen = self.of(step), self._pushed.setdefault(step.name, set())
        own = [one for one in progress.pushed if self._access.pusher(works.holder(one.key)).host == node.host]
        for pushed in own:
            if node.party:
                self._claimed = max(self._claimed, pushed.block)
            else:
                self._height = max(self._height, pushed.block)
            seen.add(pushed.transaction or pushed.key)
        fresh = self._state.record_pushes(step.name, [(one.key, one.transaction, one.block) for one in own])
        self._log.transactions(step.name, ((self._commands(works, key), id_, block) for key, id_, block in fresh))
        self._reporter.moved(step.name, max(len(seen), progress.done), total, "")

    def _commands(self, works: KeyedWork, key: str) -> list[str]:
        """The equivalent commands; for very many transactions, where to find them."""
        if len(works) > MOST_WRITTEN_OUT:
            return [f"# {key}: for its commands see {typed('plan', '--cleos')}"]
        return self._command_lines.of(works[key])

    async def recount(self, step: ChainStep) -> None:
        """Completes the command log of a step that ended while no coordinator was running: the agents that took part
        report again. What an agent does not report stays missing.
        """
        works = self.of(step)
        nodes = {node.host: node for node in map(self._access.pusher, works.holders)}
        await all_of(self._recount(step, node, len(works)) for node in nodes.values())

    async def _recount(self, step: ChainStep, node: Node, total: int) -> None:
        link = self._access.hub.links.get(node.host)
        if link is None or not link.connected:
            return
        seconds = PARTY_SECONDS if node.party else ACT_SECONDS
        with contextlib.suppress(LinkError, DeadlineError):
            body = pb.Recount(step=step.name)
            await link.task(
                body,
                lambda progress: self._progressed(step, node, progress, total),
                deadline=seconds,
                keys=self.of(step),
            )
