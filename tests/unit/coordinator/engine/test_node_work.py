"""Nodes are started through their hosts' agents."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest

from boot.step import NodeMode
from coordinator.engine.access import NodeAccess, TaskFailedError
from coordinator.engine.node_work import NodeWork
from inventory.load import load


class Hub:
    """A link is there as soon as somebody waits for the host's agent; the register has none."""

    links: ClassVar = {"local": object()}
    register = SimpleNamespace(find=lambda name: None)


async def test_a_host_that_was_never_installed_is_not_waited_for(tmp_path: Path) -> None:
    """Its agent cannot come: the step fails at once, and a later boot tries again."""
    path = tmp_path / "net.toml"
    path.write_text('[network]\nname = "net"\n')
    network = load(path)
    access = NodeAccess(network, cast(Any, Hub), lambda _: True)
    work = NodeWork(access, cast(Any, None), cast(Any, None))
    with pytest.raises(TaskFailedError, match="host local has no agent; run coord boot") as failed:
        await work.start("genesis", NodeMode.NORMAL)
    assert not failed.value.retryable
