"""A table of duties: which tasks an agent carries out, and how each ends in a result."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping

from agent.errors import DutyError
from agent.keys import KeyStoreError
from agent.keys.keosd import KeosdError
from agent.nodeos.errors import NodeosError
from agent.nodeos.spec import SpecError
from agent.nodes.errors import NodeFault
from agent.pushes.blocks import StalledError
from agent.pushes.signing import PushError
from agent.reports import Report
from agent.session import SessionEnded
from antelope.errors import AntelopeError, NodeError
from protos import coordination_pb2 as pb
from support.artifacts import DamagedError, MissingError
from support.journal import JournalError
from support.retry import DeadlineError

log = logging.getLogger(__name__)

Duty = Callable[[pb.Task, Report], Awaitable[pb.Result | None]]
"""Carries out one kind of task. Returns the result, or None when it only went well. Raises what a task may fail of."""

Table = Mapping[str, Duty]
"""What an agent does, by the name of the task's body in coordination.proto. It does nothing else."""


async def carry_out(table: Table, task: pb.Task, report: Report, unknown: Callable[[str], DutyError]) -> pb.Result:
    """Carries a task out. That it failed, and why, is in the result: nothing is raised but CancelledError.

    unknown: why a kind of task that is not in the table is not done.
    """
    kind = task.WhichOneof("body") or ""
    try:
        if kind not in table:
            raise unknown(kind)
        result = await table[kind](task, report) or pb.Result()
        result.ok = True
        return result
    except (DutyError, PushError, NodeFault, NodeError) as error:
        return _failed(error, error.retryable)
    except (SessionEnded, StalledError, DeadlineError, KeosdError, OSError) as error:
        return _failed(error, retryable=True)
    except (
        NodeosError,
        SpecError,
        KeyStoreError,
        AntelopeError,
        JournalError,
        DamagedError,
        MissingError,
    ) as error:
        return _failed(error, retryable=False)
    except Exception as error:
        log.exception("task %s: a fault of this agent", kind)
        return _failed(DutyError(f"a fault of this agent ({type(error).__name__}): see its log"), retryable=False)


def _failed(error: Exception, retryable: bool) -> pb.Result:
    return pb.Result(ok=False, error=" ".join(str(error).split()), retryable=retryable)
