"""Commands on a live network whose agents do not run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from coordinator.errors import OperationFailed
from coordinator.state.folder import StateFolder
from coordinator.workflows.changing import acting


def test_an_operation_without_any_agent_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """After a down nobody can restart a node: the command says so, and does not wait for one that will not come."""

    async def connected(hosts: Iterable[str], seconds: float) -> dict[str, str]:
        return dict.fromkeys(hosts, "away")

    entry = SimpleNamespace(name="local", revoked=False)
    opened: Any = SimpleNamespace(
        network=None, state=None, connected=connected,
        hub=SimpleNamespace(register=SimpleNamespace(entries=lambda: [entry])),
        parties=SimpleNamespace(parties=list),
    )  # fmt: skip

    @asynccontextmanager
    async def open_network(*_: object, **__: object) -> AsyncIterator[Any]:
        yield opened

    monkeypatch.setattr(StateFolder, "exists", lambda *_: True)
    monkeypatch.setattr(acting, "open_network", open_network)
    monkeypatch.setattr(acting, "answering", lambda _: nullcontext())
    monkeypatch.setattr(acting, "Hosts", lambda *_: SimpleNamespace(reached=nullcontext))

    async def here(_: object) -> dict[str, Any]:
        return {"said": "done"}

    def run(needs_agent: bool) -> dict[str, Any]:
        network: Any = SimpleNamespace(name="n")
        reporter: Any = None
        work = acting.here_or_there(network, tmp_path, reporter, here, "operate", {}, needs_agent=needs_agent)
        return asyncio.run(work)

    with pytest.raises(OperationFailed, match="no agent answers; run: "):
        run(needs_agent=True)
    assert run(needs_agent=False) == {"said": "done"}
