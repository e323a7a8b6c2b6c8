"""What a boot says of failing hosts."""

from __future__ import annotations

from coordinator.report.watching import AWAY, news


def test_each_trouble_is_told_once_and_an_agents_return_too() -> None:
    """A new reason is reported, a repeated one is not. A node that runs again is not reported, because its step shows
    it.
    """
    node, agent = ("h1", "genesis"), ("h2", "")
    full, dead = {node: "node genesis: the disk is full"}, {node: "node genesis: nodeos ended"}
    assert news({}, full) == [("h1", "h1: node genesis: the disk is full")]
    assert news(full, full) == []
    assert news(full, dead | {agent: AWAY}) == [
        ("h1", "h1: node genesis: nodeos ended"),
        ("h2", f"h2: {AWAY}"),
    ]
    assert news(dead | {agent: AWAY}, {}) == [("h2", "h2: its agent is back")]
