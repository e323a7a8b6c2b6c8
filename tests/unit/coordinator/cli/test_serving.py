"""The commands about parties and hosts: invite, parties, revoke, upgrade, serve, install, preflight."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from coordinator.cli.main import run
from coordinator.hosts.preflight.model import Dial, HostProblem, Preflight, Row
from coordinator.parties.upgrades import Contract
from coordinator.state.folder import StateFolder
from coordinator.workflows.opening.aside import Aside
from coordinator.workflows.serving.serve import until_stopped
from support.invitation import parse
from tests.unit.coordinator.cli.test_looking import beside, document, typed
from tests.unit.coordinator.home import Home
from tests.unit.inventory.material import SYSTEM_ABI, wasm

BEGIN = ["boot", "home.toml", "--until", "genesis"]
SPONSOR = '[parties]\nsponsor = "sponsor"\nlimit = 2\nshare = "all"\n'
Said = pytest.CaptureFixture[str]


@pytest.fixture
def booted(home: Home, said: Said) -> Home:
    """With a sponsor; the genesis node runs."""
    home.inventory.write_text(home.inventory.read_text() + SPONSOR)
    assert run(BEGIN) == 0
    said.readouterr()
    return home


def test_an_invitation_holds_what_a_party_needs(booted: Home, said: Said) -> None:
    """The address to dial, name, expiry and CA; parties lists the invitation until it is used or voided."""
    assert run(["invite", "home.toml", "alice", "--account", "alice1111111", "--expires", "2", "--json"]) == 0
    answer = document(said)
    invitation = parse(answer["token"])
    assert (invitation.name, invitation.coordinators[0]) == ("alice", answer["coordinator"])
    assert answer["command"].startswith(f"agent serve --join {answer['token']} --account alice1111111 --p2p HOST:PORT")
    assert run(["parties", "home.toml"]) == 0
    lines = said.readouterr().out.splitlines()
    assert lines[1].split()[:4] == ["alice", "alice1111111", "-", "invited"]
    assert lines[2] == "0 of 0 attest that the chain is as sealed"
    assert run(["parties", "home.toml", "--json"]) == 0
    shown = document(said)
    assert [one["name"] for one in shown["invited"]] == ["alice"]
    assert run(["revoke", "home.toml", "alice"]) == 0
    assert said.readouterr().out.startswith("alice: ")
    assert run(["parties", "home.toml"]) == 0
    assert said.readouterr().out == "nobody was invited yet\n"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["one"], "one is the name of a host or node"),
        (["alice", "--account", "defproducera"], "account defproducera "),
        (["alice", "--account", "alice1111111", "--advertise", "nonsense"], "--advertise: "),
        (["alice", "--account", "alice1111111", "--advertise", "host:0"], "--advertise: "),
        (["al ice", "--account", "alice1111111"], "a party's name: "),
        (["alice", "--account", "ALICE1111111"], "a party's account: "),
        (["alice"], "a party's account has 12 characters"),
    ],
)
def test_who_cannot_be_invited(words: list[str], reason: str, booted: Home, said: Said) -> None:
    """Status 2, and no invitation is left behind."""
    assert run(["invite", "home.toml", *words]) == 2
    assert reason in said.readouterr().err
    run(["parties", "home.toml"])
    assert said.readouterr().out == "nobody was invited yet\n"


def test_where_a_party_dials(booted: Home, said: Said) -> None:
    """The output warns of an address that only this machine can reach; any other is used as typed."""
    assert run(["invite", "home.toml", "alice", "--account", "alice1111111"]) == 0
    assert "can be reached from this machine only" in said.readouterr().err
    words = ["invite", "home.toml", "bob", "--account", "bob111111111", "--advertise", "coord.example:7000"]
    assert run(words) == 0
    shown = said.readouterr()
    assert shown.err == ""
    token = shown.out.split("--join ")[1].split()[0]
    assert parse(token).coordinators == ("coord.example:7000",)


def test_who_cannot_be_revoked(booted: Home, said: Said) -> None:
    """For a host the message names `coord down`; an unknown name was never invited."""
    assert run(["revoke", "home.toml", "one"]) == 2
    assert "one is a host of" in said.readouterr().err
    assert run(["revoke", "home.toml", "zed"]) == 1
    assert "zed is not a party of home" in said.readouterr().err


@pytest.fixture
def files(home: Home) -> list[str]:
    """A contract's."""
    Path("new.wasm").write_bytes(wasm("activate"))
    Path("new.abi").write_bytes(SYSTEM_ABI)
    return ["--wasm", "new.wasm", "--abi", "new.abi"]


def test_an_upgrade_is_checked_before_anything(booted: Home, files: list[str], said: Said) -> None:
    """A file that is not a contract is reported with its option."""
    assert run(["upgrade", "home.toml", "--wasm", "new.abi", "--abi", "new.abi"]) == 2
    assert "--wasm: " in said.readouterr().err
    assert run(["upgrade", "home.toml", "--wasm", "new.wasm", "--abi", "new.wasm"]) == 2
    assert "--abi: " in said.readouterr().err
    assert run(["upgrade", "home.toml", "--account", "defproducera", *files]) == 2
    assert "defproducera: the producers govern" in said.readouterr().err


def test_an_upgrade_is_done_by_whichever_coord_acts(
    booted: Home, files: list[str], said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By this command with the hosts' agents, or by the running one, which gets the files by their hashes."""
    done: list[tuple[Contract, float, list[str]]] = []

    async def upgrade(opened: Any, contract: Contract, wait: float, tell: Any) -> str:
        done.append((contract, wait, [name for name, link in opened.hub.links.items() if link.connected]))
        tell("alice approves")
        return "it has the new code"

    monkeypatch.setattr("coordinator.cli.upgrade.upgrade", upgrade)
    monkeypatch.setattr("coordinator.parties.upgrades.upgrade", upgrade)
    assert run(["upgrade", "home.toml", *files, "--wait", "7"]) == 0
    alone = said.readouterr().out
    assert alone == "alice approves\nit has the new code\n"
    assert beside(booted, typed("upgrade", "home.toml", *files, "--wait", "8")) == 0
    shown = said.readouterr()
    assert shown.out == alone
    assert "the running coordinator carries it out" in shown.err
    contract = Contract("eosio", wasm("activate"), SYSTEM_ABI)
    assert done == [(contract, 7.0, ["one", "two"]), (contract, 8.0, ["one", "two"])]


def test_an_upgrade_without_a_sponsor(home: Home, files: list[str], said: Said) -> None:
    """Nobody could propose it: the sponsor is sealed at the boot."""
    assert run(["upgrade", "home.toml", *files]) == 1
    assert "home was never booted" in said.readouterr().err
    assert run(BEGIN) == 0
    said.readouterr()
    assert run(["upgrade", "home.toml", *files]) == 1
    assert "home has no sponsor that could propose" in said.readouterr().err


def test_serve_runs_until_it_is_told_to_stop(booted: Home, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says where parties dial, has the hosts' agents connected, and ends with status 0."""
    monkeypatch.setattr("coordinator.workflows.serving.keep_agents.LOOK", 0.01)

    async def stopped(*_: object) -> None:
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGTERM)
        await until_stopped()

    monkeypatch.setattr("coordinator.cli.serve.until_stopped", stopped)
    assert run(["serve", "home.toml"]) == 0
    first, *_, last = said.readouterr().out.splitlines()
    assert "agents and parties dial 127.0.0.1:" in first
    assert last == "no longer serving parties; they and the nodes keep running"


def test_serve_steps_aside_for_a_boot(booted: Home, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """The boot does its work; then the inventory is read again and parties are served again, until a signal ends it."""
    monkeypatch.setattr("coordinator.workflows.serving.keep_agents.LOOK", 0.01)
    served: list[int] = []

    async def stopped(aside: Aside) -> None:
        served.append(booted.inventory.read_bytes().count(b"new"))
        if len(served) == 1:
            booted.inventory.write_text(booted.inventory.read_text() + "# new\n")
            with aside.serving() as asked:
                boots = asyncio.create_task(typed(*BEGIN))
                await asked.wait()
            others.append(boots)
            return
        assert await others[0] == 0

    others: list[asyncio.Task[int]] = []
    monkeypatch.setattr("coordinator.cli.serve.until_stopped", stopped)
    assert run(["serve", "home.toml"]) == 0
    shown = said.readouterr().out
    assert served == [0, 1]
    assert re.search(r"Z  coord boot works on the network now; this one serves again when that has ended\n", shown)
    assert "Nothing to do." in shown
    assert shown.count("agents and parties dial 127.0.0.1:") == 2


def test_who_works_does_not_step_aside(booted: Home, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """A coord that does not merely serve is waited for, and named."""
    monkeypatch.setattr("coordinator.workflows.opening.session.LOOKER_SECONDS", 0.3)
    assert beside(booted, typed(*BEGIN)) == 1
    assert "another coord is working on home (process " in said.readouterr().err


def test_serve_logs_objects(booted: Home, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line each, with its time and network, and nothing else."""

    async def stopped(*_: object) -> None:
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGTERM)
        await until_stopped()

    monkeypatch.setattr("coordinator.cli.serve.until_stopped", stopped)
    assert run(["serve", "home.toml", "--json"]) == 0
    events = [json.loads(line) for line in said.readouterr().out.splitlines()]
    assert {event["network"] for event in events} == {"home"}
    assert events[0]["text"].startswith("agents and parties dial 127.0.0.1:")
    assert events[-1]["text"].startswith("no longer serving parties")


def test_a_boot_that_serves_afterwards(booted: Home, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--serve` prints the summary, then serves parties until Ctrl-C."""
    stops = 0

    async def stopped(*_: object) -> None:
        nonlocal stops
        stops += 1

    monkeypatch.setattr("coordinator.cli.boot.until_stopped", stopped)
    assert run([*BEGIN, "--serve"]) == 0
    assert stops == 1
    assert "parties dial 127.0.0.1:" in said.readouterr().out


def test_install_on_this_machine(home: Home, said: Said) -> None:
    """Local agents are started; a second time there is nothing to do; an unknown host is reported."""
    assert run(["install", "home.toml", "--only", "one"]) == 0
    assert list(home.agents) == ["one"]
    assert run(["install", "home.toml"]) == 0
    assert list(home.agents) == ["one", "two"]
    assert run(["install", "home.toml", "--only", "three"]) == 2
    assert "there is no host 'three'" in said.readouterr().err


def test_preflight_shows_hosts_ways_and_problems(home: Home, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of hosts, one of who reaches whom, and each problem; status 1 only if the boot could not work."""
    rows = tuple(Row(name, {"os": "Debian 12"}) for name in ("one", "two"))
    dials = (Dial("one", "two", "127.0.0.1:9877", ""), Dial("two", "one", "127.0.0.1:9876", "refused"))
    problems = [HostProblem("one", "disk", fatal=False, message="it is small", hint="add some")]

    def preflight(*_: object) -> Preflight:
        return Preflight(rows, dials, tuple(problems))

    monkeypatch.setattr("coordinator.cli.preflight.preflight", preflight)
    assert run(["preflight", "home.toml"]) == 0
    out = said.readouterr().out
    assert "Debian 12" in out
    assert "FROM / TO" in out
    assert "warning  one: disk: it is small; add some" in out
    assert out.endswith("0 fatal, 1 warnings\n")
    problems.append(HostProblem("two", "ports", fatal=True, message="9876 is taken", hint="free it"))
    assert run(["preflight", "home.toml", "--json"]) == 1
    shown = document(said)
    assert [problem["fatal"] for problem in shown["problems"]] == [False, True]
    assert not shown["ok"]
    problems.clear()
    assert run(["preflight", "home.toml"]) == 0
    assert said.readouterr().out.endswith("no problems\n")
    assert not home.state.exists()


def test_down_stops_what_stands_for_agents(booted: Home, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """Agents end, data stays, and afterwards nothing runs."""
    assert run(["down", "home.toml"]) == 0
    assert all(process.wait(20) is not None for process in booted.processes)
    assert StateFolder(booted.folder / ".coord", "home").sealed
    said.readouterr()
    monkeypatch.setattr("coordinator.workflows.watching.status.GLANCE_SECONDS", 0.2)
    booted.away = {"one", "two"}
    assert run(["status", "home.toml", "--json"]) == 0
    assert json.loads(said.readouterr().out)["phase"] == "down"
