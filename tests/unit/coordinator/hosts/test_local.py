"""Agents on this machine: found, ended, and why they ended."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from coordinator.agents.hub import Hub
from coordinator.errors import OperationFailed
from coordinator.hosts import local
from coordinator.hosts.local import agent_runs, ensure_agent, last_words, stop_agent, stop_all
from support.ending import Ending
from support.files import write_atomic
from support.identity import Kind
from support.processes import Process, stop
from support.tls import load_or_make_key, make_csr
from support.version import source_version
from tests.unit.coordinator.fakes import open_hub
from tests.unit.loop import recording


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    """An acting hub."""
    async with open_hub(tmp_path / "state") as hub:
        yield hub


@pytest.fixture
def begun() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that end with the test."""
    begun: list[subprocess.Popen[bytes]] = []
    yield begun
    for process in begun:
        process.kill()
        process.communicate()


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, begun: list[subprocess.Popen[bytes]]) -> list[tuple[object, ...]]:
    """What an agent's short commands were given, in place of carrying them out."""
    given: list[tuple[object, ...]] = []

    async def short(command: str, data: Path, *options: str, stdin: bytes = b"") -> bytes:
        given.append((command, *options))
        if command == "admit":
            own = stdin[: stdin.index(b"-----END CERTIFICATE-----")] + b"-----END CERTIFICATE-----\n"
            write_atomic(data / local.CERTIFICATE, own)
        return make_csr(load_or_make_key(data / "agent.key"), "one")

    def start(command: Any, output: Path, folder: Path) -> Process:
        given.append(("start", output.name))
        begun.append(subprocess.Popen(["cat"], stdin=subprocess.PIPE))
        return Process.of(begun[-1].pid)

    monkeypatch.setattr(local, "_agent", short)
    monkeypatch.setattr(local, "start", start)
    return given


async def test_an_agent_is_enrolled_and_started_once(
    hub: Hub, tmp_path: Path, commands: list[tuple[object, ...]]
) -> None:
    """With the hub's certificate; an old reason of ending is forgotten; while it runs nothing is done."""
    data = tmp_path / "one"
    data.mkdir()
    Ending("its disk was full").write(data)
    assert await ensure_agent(hub, "one", data)
    entry = hub.register.find("one")
    assert entry
    assert entry.kind is Kind.HOST
    assert commands == [
        ("enrol", "--network", "net", "--name", "one", "--coordinator", f"127.0.0.1:{hub.port}"),
        ("admit",),
        ("start", "agent.log"),
    ]
    assert agent_runs(data)
    assert last_words(data) == ""
    assert not await ensure_agent(hub, "one", data)
    assert len(commands) == 3


async def test_an_agent_exports_its_metrics_where_the_inventory_says(
    hub: Hub, tmp_path: Path, commands: list[tuple[object, ...]], begun: list[subprocess.Popen[bytes]]
) -> None:
    """It is started again for another address, and for none; not for the same."""
    for metrics, starts in (("127.0.0.1:9101", 1), ("127.0.0.1:9101", 1), ("127.0.0.1:9102", 2), ("", 3), ("", 3)):
        await ensure_agent(hub, "one", tmp_path, metrics)
        assert len(begun) == starts


@pytest.mark.parametrize("what", ["older code", "torn certificate", "no certificate"])
async def test_an_agent_that_is_not_this_networks_or_this_codes_is_replaced(
    what: str, hub: Hub, tmp_path: Path, commands: list[tuple[object, ...]], begun: list[subprocess.Popen[bytes]]
) -> None:
    """It is stopped first; the next one's code is on record."""
    data = tmp_path / "one"
    assert await ensure_agent(hub, "one", data)
    if what == "older code":
        (data / local.VERSION).write_text("an older one")
    elif what == "no certificate":
        (data / local.CERTIFICATE).unlink()
    else:
        (data / local.CERTIFICATE).write_bytes(b"torn")
    assert await ensure_agent(hub, "one", data)
    assert begun[0].wait(10) is not None
    assert begun[1].poll() is None
    assert (data / local.VERSION).read_text() == source_version()


async def test_replacing_an_agent_leaves_the_event_loop_free(
    hub: Hub, tmp_path: Path, commands: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent may take seconds to end, and other agents report meanwhile."""
    on_loop: list[bool] = []
    await ensure_agent(hub, "one", tmp_path)
    (tmp_path / local.VERSION).write_text("an older one")
    monkeypatch.setattr(local, "stop", recording(stop, on_loop))
    assert await ensure_agent(hub, "one", tmp_path)
    assert on_loop == [False]


async def test_stopping(
    hub: Hub, tmp_path: Path, commands: list[tuple[object, ...]], begun: list[subprocess.Popen[bytes]]
) -> None:
    """It returns whether the agent ran; an agent that has ended is not a failure."""
    assert not stop_agent(tmp_path)
    await ensure_agent(hub, "one", tmp_path)
    assert stop_agent(tmp_path)
    assert begun[0].wait(10) is not None
    assert not agent_runs(tmp_path)
    assert stop_all(tmp_path) == ()


def test_why_an_agent_has_ended(tmp_path: Path) -> None:
    """What it left as its reason, whatever its log says; nothing where it left none."""
    (tmp_path / local.LOG).write_text("agent: a line of its log\n")
    assert last_words(tmp_path) == ""
    Ending("alpha was revoked").write(tmp_path)
    assert last_words(tmp_path) == "alpha was revoked"


async def test_a_short_command_that_fails(tmp_path: Path) -> None:
    """With the agent's own line."""
    (file := tmp_path / "file").touch()
    with pytest.raises(OperationFailed, match=f"agent down: agent: {file}{os.sep}agent.json: Not a directory"):
        await local._agent("down", file)


async def test_a_short_command_of_a_broken_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line with the cause, without the traceback; one that was killed is said to be."""
    broken = "import bootcoord_of_another_machine"
    monkeypatch.setattr(local, "AGENT", (sys.executable, "-c", broken))
    with pytest.raises(OperationFailed) as failed:
        await local._agent("enrol", tmp_path)
    assert str(failed.value) == "agent enrol: ModuleNotFoundError: No module named 'bootcoord_of_another_machine'"
    monkeypatch.setattr(local, "AGENT", ("/bin/sh", "-c", "kill -9 $$"))
    with pytest.raises(OperationFailed, match=r"^agent enrol: it was killed$"):
        await local._agent("enrol", tmp_path)
