"""A boot waits for nodes that it added, tells how far they are, and waits for none that gets nothing."""

from __future__ import annotations

import io
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from coordinator.engine.access import NodeAccess
from coordinator.report.progress import PlainReporter
from coordinator.workflows.changing import catching_up as module
from coordinator.workflows.changing.catching_up import behind, catch_up, syncing_lines
from protos import coordination_pb2 as pb


def node(name: str, head: int, lib: int = 0, state: str = "running", *, audit: bool = False) -> pb.NodeStatus:
    """As its agent reports it."""
    mode = pb.MODE_AUDIT if audit else pb.MODE_NORMAL
    return pb.NodeStatus(name=name, state=state, head=head, lib=lib, mode=mode)


def test_who_still_syncs() -> None:
    """Not one that is stopped, that is a few blocks behind, or that shows irreversible blocks and has them all."""
    others = (node("a", 5000, 4900), node("b", 4980), node("off", 3, state="stopped"))
    audit = node("genesis", 4890, 4890, audit=True)
    assert behind([*others, audit]) == {}
    late = behind([*others, audit, node("watcher", 120)])
    assert late == {"watcher": (120, 5000)}
    assert syncing_lines(late) == ("watcher is still syncing: block 120 of 5,000",)


async def caught_up(monkeypatch: pytest.MonkeyPatch, head: Callable[[int], int]) -> str:
    """What is reported if `head` gives the node's head by the number of the look."""
    monkeypatch.setattr(module, "TELL_SECONDS", 0.0)
    monkeypatch.setattr(module, "STUCK_SECONDS", 0.6)
    monkeypatch.setattr(module, "WAIT_SECONDS", 2.0)
    looks = 0

    def status(one: Any) -> pb.NodeStatus:
        nonlocal looks
        looks += one.name == "watcher"
        return node(one.name, 1000 if one.name == "a" else head(looks))

    nodes = [SimpleNamespace(name=name, party=None) for name in ("a", "watcher")]
    told = io.StringIO()
    access = SimpleNamespace(network=SimpleNamespace(nodes=nodes), status=status)
    await catch_up(cast(NodeAccess, access), PlainReporter(told))
    return told.getvalue()


async def test_it_is_waited_for_while_it_gets_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it has them; at the deadline it goes on by itself; one that gets nothing is given up earlier."""
    told = await caught_up(monkeypatch, lambda look: min(1000, 400 * look))
    assert "watcher is still syncing: block 400 of 1,000\n" in told
    assert not told.endswith("by itself\n")
    told = await caught_up(monkeypatch, lambda look: look)
    assert told.endswith("of 1,000; it goes on by itself\n")
    told = await caught_up(monkeypatch, lambda look: 7)
    assert told.endswith("watcher is still syncing: block 7 of 1,000; it got none for 0.6 s\n")
