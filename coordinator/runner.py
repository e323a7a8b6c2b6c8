"""Where the executor's decisions meet agents, nodes and the clock."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from antelope.errors import NodeError
from boot.blueprint import Blueprint
from boot.reads import run_reads
from boot.step import ChainStep, Finality, NodeMode, NodeStep, Query, Step, Verdict, WaitStep, Work
from coordinator.bootlog import BootLog
from coordinator.desk import NetworkDesk
from coordinator.executor import (
    Check,
    Checked,
    Event,
    Executor,
    Failed,
    Instruction,
    Overdue,
    Parked,
    Ran,
    Run,
    Settled,
)
from coordinator.executor import State as ExecutorState
from coordinator.link import LinkError
from coordinator.progress import Reporter
from coordinator.specs import MODES, node_spec
from coordinator.state import State
from coordinator.typed import Typed
from inventory.network import Node
from protos import coordination_pb2 as pb
from support.retry import DeadlineError, poll
from support.tasks import end

POLL = 0.25
"""Seconds between two looks at the same evidence."""
ACT_SECONDS = 600.0
"""What a chain step or a node's start may take without any progress being asked of it."""
CATCH_UP_SECONDS = 120.0
"""How long a node may lag behind a block that its next transaction depends on."""


@dataclass
class Outcome:
    """How a run of the plan ended."""

    steps: Sequence[Step]
    settled: list[str] = field(default_factory=list)
    acted: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    parked: dict[str, str] = field(default_factory=dict)


class Runner:
    """Runs steps once, to the end that they can reach."""

    def __init__(self, desk: NetworkDesk, blueprint: Blueprint, state: State, reporter: Reporter) -> None:
        self._desk = desk
        self._network = desk.network
        self._blueprint = blueprint
        self._state = state
        self._reporter = reporter
        self._log = BootLog(state.boot_log)
        self._typed = Typed(desk.network, blueprint, state.artifacts.folder)
        self._events: asyncio.Queue[Event | BaseException] = asyncio.Queue()
        self._work: dict[str, dict[str, Work]] = {}
        self._seen: dict[str, int] = {}
        """The head before a step's evidence was read: what an agent had in blocks by then is missing in spite of it."""
        self._height = 0
        """The highest block that holds a transaction of this boot, as far as this run saw."""
        self._began: dict[str, float] = {}
        self._pushed: dict[str, set[str]] = {}
        self._jobs: set[asyncio.Task[None]] = set()

    async def run(self, steps: Sequence[Step]) -> Outcome:
        """Walks the steps. What could not be done is in the outcome."""
        self._executor = Executor(steps, self._host_of)
        outcome = Outcome(steps)
        self._before = self._state.steps()
        try:
            self._carry_out(self._executor.start(), outcome)
            while not self._executor.finished:
                event = await self._events.get()
                if isinstance(event, BaseException):
                    raise event
                self._carry_out(self._executor.handle(event), outcome)
            await _all(self._recount(step) for step in steps if isinstance(step, ChainStep))
        finally:
            await end(*self._jobs)
        return outcome

    async def lost(self, outcome: Outcome) -> tuple[str, ...]:
        """Steps that were done in this run and are not any more: a node that is killed forgets its newest blocks, and
        nobody else has those while it is the only one that signs.
        """
        names = []
        for step in outcome.steps:
            if isinstance(step, ChainStep) and step.name in outcome.settled:
                with contextlib.suppress(NodeError):
                    if not (await self._evidence(step)).done:
                        names.append(step.name)
        return tuple(names)

    def _carry_out(self, instructions: list[Instruction], outcome: Outcome) -> None:
        for instruction in instructions:
            match instruction:
                case Check(step=step, again=again):
                    self._start(self._check(step, again))
                case Run():
                    self._begin(instruction.step)
                    self._start(self._run(instruction))
                case Settled(step=step, verdict=verdict, acted=acted):
                    outcome.settled.append(step.name)
                    if acted or (isinstance(step, WaitStep) and step.name in self._began):
                        outcome.acted.append(step.name)
                        self._end(step, "done", verdict.detail)
                    else:
                        self._end(step, "already", verdict.detail)
                case Failed(step=step, reason=reason):
                    outcome.failed[step.name] = reason
                    self._end(step, "failed", reason)
                case Parked(step=step, verdict=verdict):
                    outcome.parked[step.name] = verdict.detail
                    self._end(step, "waits", verdict.detail)

    def _begin(self, step: Step) -> None:
        if step.name not in self._began:
            self._began[step.name] = time.monotonic()
            self._reporter.began(step.name, step.title)

    def _end(self, step: Step, outcome: str, detail: str) -> None:
        seconds = time.monotonic() - self._began[step.name] if step.name in self._began else 0.0
        self._state.record_step(step.name, outcome, round(seconds, 2), detail)
        count = len(self._pushed.get(step.name, ()))
        parts = [detail] if detail else []
        if count:
            parts.append(f"{count} transaction{'s' if count > 1 else ''}")
        if seconds:
            parts.append(f"{seconds:.1f} s")
        self._reporter.ended(step.name, step.title, outcome, ", ".join(parts))

    def _start(self, job: Coroutine[Any, Any, None]) -> None:
        async def guarded() -> None:
            try:
                await job
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                self._events.put_nowait(error)

        task = asyncio.get_running_loop().create_task(guarded())
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    async def _check(self, step: Step, again: bool) -> None:
        if again:
            await asyncio.sleep(POLL)
        try:
            verdict = await asyncio.wait_for(self._evidence(step), CATCH_UP_SECONDS)
        except (NodeError, TimeoutError) as error:
            verdict = Verdict((step.name,), f"cannot be read: {error or 'no answer in time'}")
            if not isinstance(step, WaitStep):
                self._events.put_nowait(await self._readable(step))
                return
        if isinstance(step, WaitStep) and not verdict.done:
            self._watch(step)
            self._reporter.moved(step.name, 0, 0, verdict.detail)
        self._events.put_nowait(Checked(step.name, verdict))

    async def _readable(self, step: Step) -> Event:
        """Keeps trying to read evidence that could not be read: nodes start, agents come back."""

        reason = ""

        async def look() -> Verdict | None:
            nonlocal reason
            try:
                return await self._evidence(step)
            except NodeError as error:
                reason = str(error)
                return None

        try:
            return Checked(step.name, await poll(look, what=step.title, deadline=CATCH_UP_SECONDS))
        except DeadlineError:
            return Ran(step.name, "coordinator", f"the chain could not be read for {CATCH_UP_SECONDS:g} s: {reason}")

    def _watch(self, step: WaitStep) -> None:
        """Sets a wait's deadline going, once."""
        if step.name not in self._began:
            self._begin(step)
            loop = asyncio.get_running_loop()
            loop.call_later(step.deadline(self._blueprint), self._events.put_nowait, Overdue(step.name))

    async def _evidence(self, step: Step) -> Verdict:
        if isinstance(step, NodeStep):
            return self._node_evidence(step)
        info = await self._desk.ask(Query("/v1/chain/get_info"))
        self._seen[step.name] = int(info["head_block_num"])
        return await run_reads(step.evidence(self._blueprint), self._desk.ask)

    def _node_evidence(self, step: NodeStep) -> Verdict:
        """A node is as wanted when it runs; the genesis node, once retired, is past running in any other mode."""
        missing, names = [], step.nodes(self._blueprint)
        for name in names:
            status = self._desk.status(self._network.node(name))
            right = status is not None and (step.mode is not NodeMode.AUDIT or status.mode == pb.MODE_AUDIT)
            if status is None or status.state != "running" or not right:
                missing.append(name)
        return Verdict(tuple(missing), f"{len(names) - len(missing)} of {len(names)} run" if len(names) > 1 else "")

    def _host_of(self, step: Step, key: str) -> str:
        if isinstance(step, NodeStep):
            return self._network.node(key).host
        return self._network.holder(self._works(step)[key].holder)

    def _works(self, step: Step) -> dict[str, Work]:
        if step.name not in self._work:
            assert isinstance(step, ChainStep)  # noqa: S101 (only chain steps have work)
            self._work[step.name] = {work.key: work for work in step.work(self._blueprint)}
        return self._work[step.name]

    async def _run(self, order: Run) -> None:
        try:
            if isinstance(order.step, NodeStep):
                await self._run_nodes(order.step, order.keys)
            else:
                await self._run_chain(order.step, order.keys)
            self._events.put_nowait(Ran(order.step.name, order.host))
        except TaskFailedError as failure:
            self._events.put_nowait(Ran(order.step.name, order.host, str(failure), failure.retryable))
        except (LinkError, DeadlineError, NodeError) as error:
            self._events.put_nowait(Ran(order.step.name, order.host, str(error), retryable=True))

    async def _run_nodes(self, step: NodeStep, names: tuple[str, ...]) -> None:
        await _all(self.start_node(name, step.mode, step) for name in names)

    async def start_node(self, name: str, mode: NodeMode, step: NodeStep | None = None) -> None:
        """Starts a node in that mode; one that ran before, in the mode that it ran in (unless it is to retire)."""
        node = self._network.node(name)
        if node.party:
            await self._follow(node, step)
            return
        status = self._desk.status(node)
        recorded = status is not None and mode not in (NodeMode.AUDIT, NodeMode.STARTER)
        wanted = pb.MODE_RECORDED if recorded else MODES[mode]
        await self._task(node.host, pb.StartNode(spec=node_spec(self._network, node), mode=wanted))
        await self._runs(node)
        if step:
            self._log.commands(step.name, [f"# nodeos {name} started on {node.host}, mode {mode.value}"])

    async def _follow(self, node: Node, step: NodeStep | None) -> None:
        """A party's agent starts its own node, as it likes; it is told the peers."""
        peers = [self._network.p2p(self._network.node(peer)) for peer in node.peers]
        await self._task(node.host, pb.Follow(peers=peers))
        await self._runs(node)
        if step:
            self._log.commands(step.name, [f"# party {node.host} starts its own node for {node.account}"])

    async def _runs(self, node: Node) -> None:
        link = self._desk.link(node.host)

        async def told() -> bool:
            return link.connected and self._desk.running(node)

        await poll(told, what=f"{node.name} to be reported as running", deadline=CATCH_UP_SECONDS)

    async def _run_chain(self, step: ChainStep, keys: tuple[str, ...]) -> None:
        """A task per node that is pushed to, at the same time; or, where transactions depend on each other, in order,
        a task for as many in a row as go to the same node.
        """
        works = self._works(step)
        total = len(keys)
        if step.finality is Finality.IRREVERSIBLE:
            self._reporter.moved(step.name, 0, total, f"{step.title}, and wait until that is irreversible")

        def node_of(key: str) -> str:
            return self._desk.pusher(works[key].holder).name

        if step.parallel:
            shares: dict[str, list[str]] = {}
            for key in keys:
                shares.setdefault(node_of(key), []).append(key)
            await _all(self._run_share(step, node, share, total) for node, share in shares.items())
        else:
            for node, row in groupby(keys, node_of):
                await self._run_share(step, node, list(row), total)

    async def _run_share(self, step: ChainStep, name: str, keys: list[str], total: int) -> None:
        node = self._network.node(name)
        await self._caught_up(name)
        body = pb.RunStep(step=step.name, keys=keys, node=name, seen=self._seen.get(step.name, 0))
        await self._task(node.host, body, lambda progress: self._progressed(step, progress, total))

    async def _caught_up(self, name: str) -> None:
        """A dependent transaction waits until its predecessor's block is known where it is pushed."""
        wanted = self._height
        node = self._network.node(name)

        async def there() -> bool:
            try:
                info = await self._desk.link(node.host).query(name, "/v1/chain/get_info")
            except NodeError:
                return False
            return int(info["head_block_num"]) >= wanted

        await poll(there, what=f"{name} to have block {wanted}", deadline=CATCH_UP_SECONDS)

    def _progressed(self, step: ChainStep, progress: pb.Progress, total: int) -> None:
        works, seen = self._works(step), self._pushed.setdefault(step.name, set())
        for pushed in progress.pushed:
            self._height = max(self._height, pushed.block)
            seen.add(pushed.transaction or pushed.key)
            if self._state.record_push(step.name, pushed.key, pushed.transaction, pushed.block):
                self._log.commands(step.name, self._typed.lines(works[pushed.key]), pushed.transaction, pushed.block)
        self._reporter.moved(step.name, max(len(seen), progress.done), total, progress.note)

    async def _recount(self, step: ChainStep) -> None:
        """Completes the command log of a step that ended while no coordinator listened: agents tell it again."""
        known = self._before.get(step.name)
        if self._executor.states[step.name] is not ExecutorState.DONE or (known and known.state == "done"):
            return
        works = self._works(step)
        for link in [link for link in self._desk.hub.links.values() if link.connected]:
            body = pb.Recount(step=step.name)
            await link.task(body, lambda progress: self._progressed(step, progress, len(works)), deadline=ACT_SECONDS)

    async def _task(self, host: str, body: Any, on_progress: Any = None) -> pb.Result:
        result = await self._desk.link(host).task(body, on_progress, deadline=ACT_SECONDS)
        if not result.ok:
            raise TaskFailedError(result.error, result.retryable)
        return result


class TaskFailedError(Exception):
    """An agent could not carry a task out, and said why."""

    def __init__(self, error: str, retryable: bool) -> None:
        super().__init__(error)
        self.retryable = retryable


async def _all(jobs: Any) -> None:
    """Runs them all to their ends; then raises the first error."""
    results = await asyncio.gather(*jobs, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
