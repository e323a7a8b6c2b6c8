"""The table of an agent's duties, and how a task becomes a result."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping

from agent.errors import DutyError, InternalError
from agent.foreign import translated
from agent.reports import ReportProgress
from protos import coordination_pb2 as pb
from support.errors import explanation

log = logging.getLogger(__name__)

Duty = Callable[[pb.Task, ReportProgress], Awaitable[pb.Result | None]]
"""Carries out one kind of task. Returns a result, or None if there is nothing to return. Raises AgentError and others.
"""

Table = Mapping[str, Duty]
"""An agent's duties by the name of the task's body in coordination.proto. It does nothing else."""


async def carry_out(
    table: Table, task: pb.Task, report: ReportProgress, unknown: Callable[[str], DutyError]
) -> pb.Result:
    """Carries out a task. Failures are in the result; only CancelledError is raised.

    unknown: the error for a kind of task that is not in the table.
    """
    kind = task.WhichOneof("body") or ""
    try:
        if kind not in table:
            raise unknown(kind)
        result = await table[kind](task, report) or pb.Result()
        result.ok = True
        return result
    except Exception as error:
        known = translated(error)
        if known is None:
            log.exception("task %s: a fault of this agent", kind)
            known = InternalError(f"a fault of this agent ({type(error).__name__})", hint="see its log")
        return pb.Result(error=explanation(known), retryable=known.retryable)
