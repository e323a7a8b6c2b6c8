"""Lets a producing node fill the whole time of a block while many transactions wait.

nodeos changes this at runtime (/v1/producer/update_runtime_options), reports which option it has for it, and
forgets it when it restarts. The earlier value is written down in case the agent dies meanwhile.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from agent.memory import Memory
from antelope.errors import NodeError
from antelope.http import NodeClient

log = logging.getLogger(__name__)

_FULL = {"cpu_effort_us": 500_000, "produce_block_offset_ms": 0}
"""By the option's name at runtime: a whole block's microseconds (Leap up to 4), or nothing left of it (later ones)."""
OPTIONS = frozenset({"cpu-effort-percent", "last-block-cpu-effort-percent", "produce-block-offset-ms"})
"""The options with which a user sets the effort; then it is not changed."""


@asynccontextmanager
async def full_effort(node: NodeClient, memory: Memory, name: str, wanted: bool) -> AsyncIterator[None]:
    """The node of that name fills its blocks while the code block runs, where wanted, and then does as it did before;
    also where an agent that died has left it so. A node that cannot is left alone.
    """
    kept = f"effort of {name}"
    usual: dict[str, int] = json.loads(memory.get(kept) or "{}")
    try:
        if wanted:
            if not usual:
                usual = await _found(node)
                memory.keep(**{kept: json.dumps(usual)})
            await _set(node, {option: _FULL[option] for option in usual})
        yield
    finally:
        if usual:
            await _set(node, usual)
            memory.keep(**{kept: ""})


async def _found(node: NodeClient) -> dict[str, int]:
    """The options that it has for this, and their values."""
    try:
        answer = await node.call("/v1/producer/get_runtime_options", {})
    except NodeError as error:
        log.info("the node's effort stays as it is: %s", error)
        return {}
    found = answer if isinstance(answer, dict) else {}
    return {option: found[option] for option in _FULL if isinstance(found.get(option), int)}


async def _set(node: NodeClient, values: Mapping[str, int]) -> None:
    if values:
        try:
            await node.call("/v1/producer/update_runtime_options", dict(values))
        except NodeError as error:  # it restarts, and has forgotten
            log.info("the node's effort could not be set: %s", error)
