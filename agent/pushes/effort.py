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
"""The values for full effort, by the option's name at runtime: a block's 500,000 µs (Leap up to 4), or no time left
over (later ones).
"""
OPTIONS = frozenset({"cpu-effort-percent", "last-block-cpu-effort-percent", "produce-block-offset-ms"})
"""The options with which a user sets the effort. If one of them is set, the effort is not changed."""


@asynccontextmanager
async def full_effort(node: NodeClient, memory: Memory, name: str, wanted: bool) -> AsyncIterator[None]:
    """Has the node fill its blocks while the code block runs, if wanted, and then restores its former setting, also one
    that an agent changed before it died. A node without such an option is left as it is.
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
    """The options that the node has for this, and their values."""
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
        except NodeError as error:  # it restarts, and with that has its own setting again
            log.info("the node's effort could not be set: %s", error)
