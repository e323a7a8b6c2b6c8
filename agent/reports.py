"""Reports what a running task has pushed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from protos import coordination_pb2 as pb

ReportProgress = Callable[[pb.Progress], None]
"""Sends a task's progress to the coordinator."""


@dataclass(frozen=True)
class Pushed:
    """A piece of work that is done."""

    key: str
    transaction: str
    """Hex id; empty if the work was not a transaction."""
    block: int


def progress(pushed: Iterable[Pushed], done: int, total: int) -> pb.Progress:
    """A progress message: these pieces are newly done, and `done` of `total` altogether."""
    told = [pb.Pushed(key=one.key, transaction=one.transaction, block=one.block) for one in pushed]
    return pb.Progress(done=done, total=total, pushed=told)


def silent(_: pb.Progress) -> None:
    """A ReportProgress for work that no coordinator asked for."""
