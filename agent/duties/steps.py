"""Carries out the boot's steps. The agent derives their work itself, from the sealed network that it holds."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from agent.duties.holding import Holding
from agent.duties.tools import Tools
from agent.errors import DutyError
from agent.pushes.effort import OPTIONS, full_effort
from agent.pushes.pusher import MANY
from agent.pushes.pushing import KeyOf, Pushing
from agent.pushes.records import PushRecords
from agent.reports import Pushed, ReportProgress, progress
from boot.step import ChainStep, KeyedWork
from boot.steps import OPTIONAL, STEPS
from protos import coordination_pb2 as pb
from support.json_log import about


class StepWork:
    """The steps that push transactions."""

    def __init__(self, tools: Tools, holding: Holding) -> None:
        self._nodes = tools.nodes
        self._journal = tools.journal
        self._memory = tools.memory
        self._holding = holding
        self._derived: dict[str, KeyedWork] = {}
        self._under_way: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def records(self) -> PushRecords:
        """The transactions that this agent signed on its chain. Raises DutyError when it holds no sealed network."""
        return PushRecords(self._journal, self._holding.held().sealed.chain_id)

    async def derived(self, name: str) -> KeyedWork:
        """All the work of a step, by key. Raises DutyError for a step that this agent does not know."""
        step, blueprint = chain_step(name), self._holding.held()
        if name not in self._derived:
            self._derived[name] = await asyncio.to_thread(lambda: KeyedWork(step.work(blueprint)))
        return self._derived[name]

    async def run(self, wanted: pb.RunStep, key_of: KeyOf, report: ReportProgress) -> None:
        """Does the pieces with these keys on that node, each once. Raises DutyError, PushError and others."""
        step, records = chain_step(wanted.step), self.records()
        node = self._nodes.client(wanted.node)
        async with self._under_way[step.name]:
            with about(step=step.name):
                work = await self.derived(step.name)
                unknown = [key for key in wanted.keys if key not in work]
                if unknown:
                    raise DutyError(f"{step.name}: {unknown[0]!r} is not a part of it, as this agent derives it")
                spec = self._nodes.record(wanted.node).spec
                full = len(wanted.keys) >= MANY and self._holding.held().sealed.load and not OPTIONS & set(spec.options)
                async with full_effort(node, self._memory, wanted.node, bool(full)):
                    work_now = work.part(wanted.keys)
                    await Pushing(records, key_of).do(node, step, work_now, report, wanted.seen, spec.p2p_bind)

    async def recount(self, wanted: pb.Recount, report: ReportProgress) -> None:
        """Reports the blocks of a step's transactions again, for these keys or for all."""
        keys = set(wanted.keys)
        found = [one for one in self.records().of_step(wanted.step) if one.block and (not keys or one.key in keys)]
        report(progress([Pushed(one.key, one.id, one.block) for one in found], len(found), len(found)))


def chain_step(name: str) -> ChainStep:
    """The step of that name, which pushes transactions. Raises DutyError when this agent knows none."""
    for step in (*STEPS, *OPTIONAL):
        if step.name == name and isinstance(step, ChainStep):
            return step
    raise DutyError(f"this agent knows no step {name[:80]!r} that pushes: install the coordinator's version")
