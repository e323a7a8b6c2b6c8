"""Carries out the executor's decisions with agents, nodes and the clock."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from antelope.elections import TURN_SECONDS
from antelope.errors import NodeError
from boot.blueprint import Blueprint
from boot.reads import rows, run_reads
from boot.step import ChainStep, Finality, NodeStep, Query, Step, Verdict, WaitStep
from coordinator.agents.link import LinkError
from coordinator.engine.access import CATCH_UP_SECONDS, NodeAccess, TaskFailedError
from coordinator.engine.boot_log import BootLog
from coordinator.engine.chain_work import ChainWork
from coordinator.engine.executor import (
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
    StepState,
)
from coordinator.engine.lost_nodes import LostNodeError, LostNodes
from coordinator.engine.node_work import NodeWork
from coordinator.engine.outcome import Outcome
from coordinator.engine.reasons import Reasons
from coordinator.engine.snapshots import Beginnings, SnapshotWork
from coordinator.reporter import Reporter, StepResult
from coordinator.state.folder import StateFolder
from support.retry import DeadlineError, poll
from support.tasks import all_of, end

POLL = 0.25
"""Seconds between two reads of the same evidence."""
FINAL_ROUNDS = 3
"""Rounds of the schedule within which a block becomes irreversible: two while two thirds sign, and one to spare."""


class Runner:
    """Runs steps once, as far as possible."""

    def __init__(
        self,
        access: NodeAccess,
        blueprint: Blueprint,
        state: StateFolder,
        reporter: Reporter,
        reasons: Reasons | None = None,
    ) -> None:
        """reasons: updated after every event with what each step waits for."""
        self._access = access
        self._network = access.network
        self._blueprint = blueprint
        self._state = state
        self._reporter = reporter
        log = BootLog(state.boot_log)
        self._lost = LostNodes(access, blueprint.sealed)
        snapshots = SnapshotWork(access, state.snapshots, state.host_data, reporter.note)
        beginnings = Beginnings(access, snapshots, blueprint.sealed.accounts, reporter.note)
        self.nodes = NodeWork(access, self._lost, log, beginnings)
        self._chain = ChainWork(access, self._lost, blueprint, state, log, reporter)
        self._reasons = reasons or Reasons()
        self._events: asyncio.Queue[Event | BaseException] = asyncio.Queue()
        self._seen: dict[str, int] = {}
        """The head's number before a step's evidence was read. If the evidence lacks a key, a transaction for it in a
        block up to this one had no effect."""
        self._final: set[str] = set()
        """Steps known to be irreversible, or done before this run."""
        self._began: dict[str, float] = {}
        self._jobs: set[asyncio.Task[None]] = set()
        self._timers: list[asyncio.TimerHandle] = []

    async def run(self, steps: Sequence[Step]) -> Outcome:
        """Runs the steps. The outcome says which could not be done."""
        self._executor = Executor(steps, self._host_of)
        self._events = asyncio.Queue()
        self._began = {}
        outcome = Outcome(steps)
        self._before = self._state.steps()
        self._final = {name for name, record in self._before.items() if record.done}
        try:
            self._carry_out(self._executor.start(), outcome)
            self._reasons.note(None, self._executor.waiting())
            for number in count(1):
                if self._executor.finished:
                    break
                event = await self._events.get()
                if isinstance(event, BaseException):
                    raise event
                event = replace(event, id=number)
                self._carry_out(self._executor.handle(event), outcome)
                self._reasons.note(event, self._executor.waiting())
            await all_of(
                self._chain.recount(step) for step in steps if isinstance(step, ChainStep) and self._untold(step)
            )
        finally:
            for timer in self._timers:
                timer.cancel()
            self._timers.clear()
            await end(*self._jobs)
        return outcome

    async def recall(self, steps: Sequence[Step]) -> tuple[str, ...]:
        """Rebuilds a lost journal: records the steps that the chain shows as done, and what agents pushed for them.
        Returns their names. Raises NodeError if no node can be asked.
        """
        found = []
        for step in steps:
            verdict = await self._evidence(step)
            if verdict.done:
                found.append(step.name)
                self._state.record_step(step.name, StepResult.ALREADY, 0.0, verdict.detail)
                if isinstance(step, ChainStep):
                    await self._chain.recount(step)
        return tuple(found)

    async def registered(self) -> frozenset[str]:
        """The accounts that are registered as producers."""
        table = await run_reads(rows("eosio", "eosio", "producers"), self._access.ask)
        return frozenset(str(entry["owner"]) for entry in table)

    def _untold(self, step: ChainStep) -> bool:
        """Whether it is done but not recorded as done: it may have ended while no coordinator was running."""
        known = self._before.get(step.name)
        return self._executor.states[step.name] is StepState.DONE and not (known and known.done)

    def _can_be_lost(self, step: Step) -> bool:
        """Whether it must be irreversible, and an interrupted boot may have left it before that."""
        waits = isinstance(step, ChainStep) and step.finality is Finality.IRREVERSIBLE
        return waits and step.name not in self._final

    async def lost(self, outcome: Outcome) -> tuple[str, ...]:
        """Steps that were done in this run and no longer are: a killed node loses its newest blocks, and if it was the
        only producer, no other node has them.
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
                        self._end(step, StepResult.DONE, verdict.detail)
                    else:
                        self._end(step, StepResult.ALREADY, verdict.detail)
                case Failed(step=step, reason=reason):
                    outcome.failed[step.name] = reason
                    if isinstance(step, NodeStep):
                        self._lost.tried(step.nodes(self._blueprint))
                    self._end(step, StepResult.FAILED, reason)
                case Parked(step=step, verdict=verdict):
                    outcome.parked[step.name] = verdict.detail
                    self._end(step, StepResult.WAITS, verdict.detail)

    def _begin(self, step: Step) -> None:
        if step.name not in self._began:
            self._began[step.name] = time.monotonic()
            self._reporter.began(step.name, step.title)

    def _end(self, step: Step, result: StepResult, detail: str) -> None:
        seconds = time.monotonic() - self._began[step.name] if step.name in self._began else 0.0
        self._state.record_step(step.name, result, round(seconds, 2), detail)
        count = self._chain.pushed(step.name)
        parts = [detail] if detail else []
        if count:
            parts.append(f"{count} transaction{'s' if count > 1 else ''}")
        if seconds:
            parts.append(f"{seconds:.1f} s")
        self._reporter.ended(step.name, step.title, result, ", ".join(parts))

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
            async with asyncio.timeout(CATCH_UP_SECONDS):
                verdict = await self._evidence(step)
        except (NodeError, TimeoutError) as error:
            verdict = Verdict((step.name,), f"cannot be read: {error or 'no answer in time'}")
            if not isinstance(step, WaitStep):
                self._events.put_nowait(await self._readable(step))
                return
        if isinstance(step, WaitStep) and not verdict.done:
            self._watch(step)
            self._reporter.moved(step.name, 0, 0, verdict.detail)
            if over := self._lost.signers():
                self._events.put_nowait(Overdue(step.name, over))
                return
        if verdict.done and self._can_be_lost(step):
            self._events.put_nowait(await self._irreversible(step))
            return
        self._events.put_nowait(Checked(step.name, verdict))

    async def _irreversible(self, step: Step) -> Event:
        """Waits until a done step is irreversible, and reads its evidence again: a fork may have dropped it."""
        self._begin(step)
        block = self._seen[step.name]
        what = f"block {block} to be irreversible (until then {step.name} can be lost)"
        self._reporter.moved(step.name, 0, 0, f"wait for {what}")

        async def passed() -> bool:
            with contextlib.suppress(NodeError):
                info = await self._access.ask(Query("/v1/chain/get_info"))
                return int(info["last_irreversible_block_num"]) >= block
            return False

        rounds = FINAL_ROUNDS * TURN_SECONDS * len(self._blueprint.sealed.elected)
        try:
            await poll(passed, what=what, deadline=CATCH_UP_SECONDS + rounds)
        except DeadlineError as error:
            return Ran(step.name, "coordinator", str(error), retryable=True)
        self._final.add(step.name)
        return await self._readable(step)

    async def _readable(self, step: Step) -> Event:
        """Retries evidence that could not be read: nodes may start, and agents may reconnect."""

        reason = ""

        async def look() -> Verdict | None:
            nonlocal reason
            try:
                return await self._evidence(step)
            except NodeError as error:
                reason = str(error)
                if why := self._lost.why(self._network.genesis_node):
                    raise LostNodeError(why) from error
                return None

        try:
            return Checked(step.name, await poll(look, what=step.title, deadline=CATCH_UP_SECONDS))
        except DeadlineError:
            return Ran(step.name, "coordinator", f"the chain could not be read for {CATCH_UP_SECONDS:g} s: {reason}")
        except LostNodeError as lost:
            return Ran(step.name, self._network.genesis_node.host, str(lost))

    def _watch(self, step: WaitStep) -> None:
        """Starts the timer of a step's deadline, once."""
        if step.name not in self._began:
            self._begin(step)
            loop = asyncio.get_running_loop()
            late = loop.call_later(step.deadline(self._blueprint), self._events.put_nowait, Overdue(step.name))
            self._timers.append(late)

    async def _evidence(self, step: Step) -> Verdict:
        if isinstance(step, NodeStep):
            return self.nodes.evidence(step, self._blueprint)
        info = await self._access.ask(Query("/v1/chain/get_info"))
        self._seen[step.name] = int(info["head_block_num"])
        known = isinstance(step, ChainStep) and step.name in self._final
        reads = step.glance if known and isinstance(step, ChainStep) and step.glance else step.evidence
        return await run_reads(reads(self._blueprint), self._access.ask)

    async def _allowed(self, step: NodeStep) -> None:
        """Raises TaskFailedError unless the chain now shows what the step's nodes require."""
        if step.condition:
            verdict = await run_reads(step.condition(self._blueprint), self._access.ask)
            if not verdict.done:
                raise TaskFailedError(verdict.detail, retryable=False)

    def _host_of(self, step: Step, key: str) -> str:
        if isinstance(step, NodeStep):
            return self._network.node(key).host
        assert isinstance(step, ChainStep)  # noqa: S101 (only chain steps have work)
        return self._network.holder(self._chain.of(step).holder(key))

    async def _run(self, order: Run) -> None:
        try:
            if isinstance(order.step, NodeStep):
                await self._allowed(order.step)
                await self.nodes.run(order.step, order.keys)
            else:
                self._final.discard(order.step.name)
                await self._chain.run(order.step, order.keys, self._seen.get(order.step.name, 0))
                self._final.add(order.step.name)  # the agents have waited for irreversibility
            self._events.put_nowait(Ran(order.step.name, order.host))
        except TaskFailedError as failure:
            self._events.put_nowait(Ran(order.step.name, order.host, str(failure), failure.retryable))
        except (LinkError, DeadlineError, NodeError) as error:
            self._events.put_nowait(Ran(order.step.name, order.host, str(error), retryable=True))
