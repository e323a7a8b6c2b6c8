"""A node fills its blocks while a load lasts, and returns to its own setting afterwards, whatever died meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent.memory import Memory
from agent.pushes.effort import full_effort
from antelope.errors import UnknownEndpoint, Unreachable
from antelope.http import NodeClient
from support.journal import Journal


@dataclass
class FakeNode(NodeClient):
    """A nodeos' runtime options."""

    options: dict[str, Any] = field(default_factory=dict)
    error: Exception | None = None
    heard: list[Any] = field(default_factory=list)

    async def call(self, path: str, body: object) -> Any:
        """get_runtime_options and update_runtime_options."""
        if self.error:
            raise self.error
        if path.endswith("get_runtime_options"):
            return self.options
        assert isinstance(body, dict)
        self.heard.append(body)
        self.options |= body
        return {"result": "ok"}


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    """An agent's."""
    return Memory(Journal(tmp_path / "journal.sqlite"))


@pytest.mark.parametrize(
    ("option", "usual", "full"), [("cpu_effort_us", 450_000, 500_000), ("produce_block_offset_ms", 450, 0)]
)
async def test_the_effort_is_full_for_as_long_as_it_is_wanted(
    memory: Memory, option: str, usual: int, full: int
) -> None:
    """With whichever option this nodeos has; also when the load fails."""
    node = FakeNode({option: usual, "greylist_limit": 1000})

    async def fail() -> None:
        async with full_effort(node, memory, "genesis", wanted=True):
            assert node.options[option] == full
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert node.heard == [{option: full}, {option: usual}]
    async with full_effort(node, memory, "genesis", wanted=False):
        pass
    assert len(node.heard) == 2


async def test_what_an_agent_that_died_has_left_is_put_right(memory: Memory) -> None:
    """A leftover raised effort is not mistaken for the node's own, and is restored even if none is wanted."""
    died = []  # kept, so that they are not closed
    for wanted in (True, False):
        node = FakeNode({"cpu_effort_us": 450_000})
        died.append(full_effort(node, memory, "genesis", wanted=True))
        await died[-1].__aenter__()
        assert node.options == {"cpu_effort_us": 500_000}
        async with full_effort(node, Memory(memory._journal), "genesis", wanted=wanted):
            pass
        assert node.options == {"cpu_effort_us": 450_000}


@pytest.mark.parametrize("error", [UnknownEndpoint(404, None, "", "no"), Unreachable("no answer")])
async def test_a_node_that_cannot_is_left_alone(memory: Memory, error: Exception) -> None:
    """Other versions without such options, or without the producer API: the load continues."""
    for node in (FakeNode({"greylist_limit": 1000}), FakeNode(error=error)):
        async with full_effort(node, memory, "genesis", wanted=True):
            pass
        assert node.heard == []
