"""The `agent` command as people and installers type it, with a real hub."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent import cli, commands
from agent.cli import parser
from agent.config import DataFolder
from coordinator.agents.hub import Hub
from support.ending import Ending
from support.identity import Kind
from support.processes import Process
from tests.unit.coordinator.fakes import open_hub


def _agent(*arguments: str, data: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "agent.cli", *arguments, "--data", str(data)]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=False)


def _enrol(data: Path, coordinator: str = "127.0.0.1:1", name: str = "alpha") -> subprocess.CompletedProcess[bytes]:
    return _agent("enrol", "--network", "net", "--name", name, "--coordinator", coordinator, data=data)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    """An acting hub."""
    async with open_hub(tmp_path / "state") as hub:
        yield hub


def _admitted(hub: Hub, data: Path) -> None:
    request = _enrol(data, f"127.0.0.1:{hub.port}").stdout
    answer = hub.enrol("alpha", Kind.HOST, request) + hub.authority.pem
    assert _agent("admit", data=data, stdin=answer).returncode == 0


async def _serve(data: Path) -> asyncio.subprocess.Process:
    command = (sys.executable, "-m", "agent.cli", "serve", "--data", str(data))
    return await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)


async def test_it_serves_until_it_is_told_to_stop(hub: Hub, tmp_path: Path) -> None:
    """It connects, records itself, refuses to run twice, and ends with 0."""
    data = tmp_path / "data"
    _admitted(hub, data)
    process = await _serve(data)
    await hub.agent("alpha", 20)
    recorded = Process.read(data / "agent.json")
    assert recorded == Process.of(process.pid)
    second = await asyncio.to_thread(_agent, "serve", data=data)
    assert second.returncode == 1
    assert f"already (process {process.pid})" in second.stderr.decode()
    assert second.stderr.count(b"\n") == 1
    process.terminate()
    _, said = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0
    assert b"Traceback" not in said
    assert not (data / "agent.json").exists()


async def test_it_finds_a_coordinator_that_comes_back(tmp_path: Path) -> None:
    """Within a few seconds, on the same port."""
    data = tmp_path / "data"
    async with open_hub(tmp_path / "state") as hub:
        _admitted(hub, data)
        process = await _serve(data)
        await hub.agent("alpha", 20)
    async with open_hub(tmp_path / "state") as hub:
        await hub.agent("alpha", 30)
        process.terminate()
        await asyncio.wait_for(process.communicate(), 20)


async def test_a_permanent_refusal_ends_it(hub: Hub, tmp_path: Path) -> None:
    """Status 1, and one line that says why."""
    data = tmp_path / "data"
    _admitted(hub, data)
    process = await _serve(data)
    await hub.agent("alpha", 20)
    hub.revoke("alpha")
    _, said = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    assert said.decode().splitlines()[-1] == "agent: the coordinator refuses this agent: alpha was revoked"
    assert b"Traceback" not in said


async def test_the_reason_of_its_end_is_left_for_its_starter(hub: Hub, tmp_path: Path) -> None:
    """In a file of its own, as long as it does not run; an agent that finds another one there leaves that alone."""
    data = tmp_path / "data"
    assert _enrol(data, f"127.0.0.1:{hub.port}").returncode == 0
    early = _agent("serve", data=data)
    assert Ending.read(data) == Ending(early.stderr.decode().strip().removeprefix("agent: "))
    _admitted(hub, data)
    process = await _serve(data)
    await hub.agent("alpha", 20)
    assert Ending.read(data) is None
    assert (await asyncio.to_thread(_agent, "serve", data=data)).returncode == 1
    assert Ending.read(data) is None
    hub.revoke("alpha")
    await asyncio.wait_for(process.communicate(), 20)
    assert Ending.read(data) == Ending("the coordinator refuses this agent: alpha was revoked")
    assert _agent("serve", data=tmp_path / "dtaa").returncode == 2
    assert not (tmp_path / "dtaa").exists()


@pytest.mark.parametrize("kind", [Kind.HOST, Kind.PARTY])
async def test_a_damaged_journal_says_who_starts_it_again(hub: Hub, tmp_path: Path, kind: Kind) -> None:
    """A host's agent is started by a boot, a party's by the command that its operator types."""
    data = tmp_path / "data"
    _admitted(hub, data)
    folder = DataFolder(data)
    folder.write(dataclasses.replace(folder.read(), kind=kind))
    (data / "journal.sqlite").write_bytes(b"torn" * 1000)
    refused = await asyncio.to_thread(_agent, "serve", data=data)
    assert refused.returncode == 1
    starts = f"agent serve --data {data}" if kind is Kind.PARTY else "(by a boot"
    assert refused.stderr.decode().endswith(f"{starts})\n")


async def test_down_stops_it(hub: Hub, tmp_path: Path) -> None:
    """`agent down` ends the running agent; again, it says that nothing ran."""
    data = tmp_path / "data"
    _admitted(hub, data)
    process = await _serve(data)
    await hub.agent("alpha", 20)
    down = await asyncio.to_thread(_agent, "down", data=data)
    assert down.stdout.decode() == f"stopped: agent (process {process.pid})\n"
    await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0
    assert "nothing ran" in (await asyncio.to_thread(_agent, "down", data=data)).stdout.decode()
    mistyped = await asyncio.to_thread(_agent, "down", data=tmp_path / "dtaa")
    assert (mistyped.returncode, mistyped.stderr.decode()) == (2, f"agent: {tmp_path}/dtaa: no such folder\n")
    mistyped = await asyncio.to_thread(_agent, "wallet", "alice", data=tmp_path / "dtaa")
    assert (mistyped.returncode, mistyped.stderr.decode()) == (2, f"agent: {tmp_path}/dtaa: no such folder\n")
    assert not (tmp_path / "dtaa").exists()


def test_enrolling_again_keeps_the_key(tmp_path: Path) -> None:
    """Another coordinator's address is taken over; another name is an error; the key stays, closed to others."""
    data = tmp_path / "data"
    assert _enrol(data).returncode == 0
    key = (data / "identity" / "agent.key").read_bytes()
    assert _enrol(data, "10.0.0.1:7000").returncode == 0
    assert (data / "identity" / "agent.key").read_bytes() == key
    assert stat.S_IMODE((data / "identity" / "agent.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert 'coordinator = "10.0.0.1:7000"' in (data / "agent.toml").read_text()
    other = _enrol(data, name="beta")
    assert other.returncode == 2
    assert "belongs to alpha" in other.stderr.decode()


def test_a_wrong_certificate_is_not_taken(tmp_path: Path) -> None:
    """Another name's, another key's, another CA's, or no certificate at all."""
    from coordinator.agents.ca import CertificateAuthority
    from support.identity import Identity
    from support.tls import load_or_make_key, make_csr

    data = tmp_path / "data"
    request = _enrol(data).stdout
    authority, rogue = CertificateAuthority(tmp_path / "ca", "net"), CertificateAuthority(tmp_path / "rogue", "net")
    good = Identity("net", Kind.HOST, "alpha")
    foreign = make_csr(load_or_make_key(tmp_path / "other.key"), "alpha")
    for answer, reason in (
        (authority.sign(request, Identity("net", Kind.HOST, "beta")) + authority.pem, "not for alpha"),
        (authority.sign(foreign, good) + authority.pem, "another key"),
        (rogue.sign(request, good) + authority.pem, "not signed by"),
        (authority.pem, "expected on stdin"),
        (b"", "expected on stdin"),
    ):
        run = _agent("admit", data=data, stdin=answer)
        assert run.returncode == 2
        assert reason in run.stderr.decode()
        assert run.stderr.count(b"\n") == 1
    assert not (data / "identity" / "agent.pem").exists()


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        (None, "is missing"),
        ("network = ", "agent.toml"),
        ('network = "net"\nname = "alpha"\ncoordinator = "nowhere"\n', "HOST:PORT"),
        ('network = "net"\nname = "a/b"\ncoordinator = "h:1"\n', "letters"),
        ('network = "net"\nname = "alpha"\ncoordinator = "h:1"\ncolour = "red"\n', "colour"),
        ('network = "net"\nname = "alpha"\ncoordinator = "h:1"\n', "agent enrol"),
    ],
)
def test_a_wrong_configuration_is_one_line(tmp_path: Path, toml: str | None, reason: str) -> None:
    """Status 2, what is wrong and where."""
    if toml is not None:
        (tmp_path / "agent.toml").write_text(toml)
    run = _agent("serve", data=tmp_path)
    assert run.returncode == 2
    assert reason in run.stderr.decode()
    assert run.stderr.count(b"\n") == 1


def test_help_teaches(tmp_path: Path) -> None:
    """`agent --help` shows what a party types, and whom the command is not for."""
    said = _agent("--help", data=tmp_path).stdout.decode()
    for command in ("serve --join @token", "proposals", "approve", "claim", "leave"):
        assert f"agent {command}" in said
    assert "coord boot" in said


def test_a_file_for_a_folder_is_one_line(tmp_path: Path) -> None:
    """A refusal of the operating system is reported with the path, in words that are not Python's."""
    file = tmp_path / "file"
    file.touch()
    done = _agent("down", data=file)
    assert done.returncode == 1
    assert done.stderr.decode() == f"agent: {file / 'agent.json'}: Not a directory\n"


def test_a_fault_of_its_own_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback reaches whoever typed a command."""

    def fails(_: object) -> int:
        raise ZeroDivisionError("a mistake")

    monkeypatch.setitem(commands._COMMANDS, "down", fails)
    monkeypatch.setattr(sys, "argv", ["agent", "down", "--data", "x"])
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    assert cli.main() == 1
    assert capsys.readouterr().err == "agent: internal error: ZeroDivisionError: a mistake; please report it\n"


@pytest.mark.parametrize(
    ("words", "meant"),
    [(["serv"], "serve"), (["serve", "--joyn", "x"], "--join"), (["leave", "--data", "x", "--forse"], "--force")],
)
def test_what_was_mistyped_is_answered_with_what_was_meant(
    words: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command or an option; where nothing is near, nothing is suggested."""
    with pytest.raises(SystemExit, match="2"):
        parser().parse_args(words)
    assert capsys.readouterr().err.endswith(f"; did you mean {meant}?\n")
    with pytest.raises(SystemExit, match="2"):
        parser().parse_args(["zzzzzz"])
    assert "did you mean" not in capsys.readouterr().err
