"""The commands that look at a network: status, plan, parties, logs, verify; before its boot, while it runs, and when it
is down.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from boot.audit import AuditReport
from boot.audit.report import Accounts, judged
from coordinator.cli.main import run
from coordinator.cli.options import Settings
from coordinator.report.health import PUT_BACK
from coordinator.report.shown import ShownAudit
from coordinator.reporter import StepResult
from coordinator.state.control import NoAnswer
from coordinator.state.folder import StateFolder
from coordinator.workflows.opening.session import open_network
from coordinator.workflows.serving.serve import serving
from inventory.load import load
from tests.unit.coordinator.home import Home

BEGIN = ["boot", "home.toml", "--until", "genesis"]
Said = pytest.CaptureFixture[str]


def document(said: Said) -> Any:
    """What `--json` printed: one document, and nothing beside it."""
    return json.loads(said.readouterr().out)


def beside(home: Home, work: Coroutine[Any, Any, int]) -> int:
    """The work's result, while another command of this network acts."""

    async def both() -> int:
        network = load(home.inventory)
        state = home.folder / ".coord"
        async with open_network(network, state, acting=True) as opened, serving(opened, lambda text: None):
            await opened.connected(home.shown, 30)
            return await work

    return asyncio.run(both())


def typed(*words: str) -> Coroutine[Any, Any, int]:
    """A command of another terminal; it has an event loop of its own."""
    return asyncio.to_thread(run, list(words))


def test_before_the_first_boot(home: Home, said: Said) -> None:
    """Each shows the plan with status 0, or says what to run; nothing is created."""
    assert run(["status", "home.toml"]) == 0
    assert "phase" in (out := said.readouterr().out)
    assert "planned" in out
    assert run(["status", "home.toml", "--json"]) == 0
    assert {node["state"] for node in document(said)["nodes"]} == {"stopped"}
    assert run(["status", "home.toml", "--check"]) == 1
    assert "WRONG     home was never booted: there is no chain" in said.readouterr().out
    assert run(["status", "home.toml", "--why", "accounts"]) == 0
    assert "accounts (pending): waits for" in said.readouterr().out
    assert run(["plan", "home.toml"]) == 0
    assert "[ ] genesis" in said.readouterr().out
    assert run(["plan", "home.toml", "--json"]) == 0
    assert not any(step["done"] for step in document(said)["steps"])
    assert run(["plan", "home.toml", "--graph"]) == 0
    assert said.readouterr().out.startswith("graph")
    for form in ("--allocation", "--cleos"):
        assert run(["plan", "home.toml", form]) == 1
        assert "home.toml --until genesis" in said.readouterr().err
    assert run(["parties", "home.toml"]) == 0
    assert said.readouterr().out == "nobody was invited yet\n"
    assert run(["parties", "home.toml", "--json"]) == 0
    assert document(said) == {"network": "home", "parties": []}
    for command in (["verify"], ["upgrade", "--wasm", "home.toml", "--abi", "home.toml"]):
        assert run([*command, "home.toml"]) in (1, 2)
    assert not home.state.exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--why", "genesis", "--json"], "--why cannot be used together with"),
        (["--watch", "--json"], "--watch and --json cannot be used together"),
        (["--watch", "--check"], "--watch and --check cannot be used together"),
        (["--why", "nonsense"], "there is no step 'nonsense'"),
    ],
)
def test_options_of_status_that_do_not_go_together(options: list[str], reason: str, home: Home, said: Said) -> None:
    """Status 2, with an explanation."""
    assert run(["status", "home.toml", *options]) == 2
    assert reason in said.readouterr().err


def test_a_network_that_runs(home: Home, said: Said) -> None:
    """Nodes with their heads, hosts with their agents, steps with their results, as the agents report them now."""
    assert run(BEGIN) == 0
    said.readouterr()
    assert run(["status", "home.toml"]) == 0
    out = said.readouterr().out
    assert "booting" in out
    assert "connected" in out
    assert run(["status", "home.toml", "--json"]) == 0
    shown = document(said)
    assert (shown["phase"], shown["schedule"]) == ("booting", ["eosio"])
    assert shown["head_block"] > 100
    assert {host["name"]: (host["agent"], host["disk_free"]) for host in shown["hosts"]} == {
        "one": ("connected", 7 << 30),
        "two": ("connected", 7 << 30),
    }
    assert {node["name"]: node["state"] for node in shown["nodes"]}["genesis"] == "running"
    assert next(step for step in shown["steps"] if step["name"] == "genesis")["state"] == "done"
    assert run(["status", "home.toml", "--why", "genesis"]) == 0
    assert said.readouterr().out == "genesis (done): nothing is missing\n"


def test_a_chain_that_stands(home: Home, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is called stalled, and --check ends with 1."""
    assert run(BEGIN) == 0
    monkeypatch.setattr("coordinator.report.chain.AGAIN_SECONDS", 0.1)
    home.stands = True
    said.readouterr()
    assert run(["status", "home.toml", "--check"]) == 1
    out = said.readouterr().out
    assert run(["status", "home.toml", "--json"]) == 0
    assert document(said)["phase"] == "stalled"
    assert "WRONG     the chain has stalled: its latest block" in out


def test_agents_that_are_away(home: Home, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host whose agent does not answer in time is away; on this machine its nodes are looked up instead."""
    assert run(BEGIN) == 0
    monkeypatch.setattr("coordinator.workflows.watching.status.GLANCE_SECONDS", 0.5)
    monkeypatch.setattr("coordinator.workflows.changing.facts.GLANCE_SECONDS", 0.5)
    home.away = {"one", "two"}
    said.readouterr()
    assert run(["status", "home.toml", "--json"]) == 0
    shown = document(said)
    assert {host["agent"] for host in shown["hosts"]} == {"away"}
    assert {node["state"] for node in shown["nodes"]} == {"stopped"}
    assert shown["phase"] == "down"
    assert run(["plan", "home.toml"]) == 0
    assert "unknown what runs on one, two: no agent answers there" in said.readouterr().out


def test_a_host_whose_keys_are_gone(home: Home, said: Said) -> None:
    """Status and plan name it, alone and beside a command that acts, while its nodes run still."""
    assert run(BEGIN) == 0
    said.readouterr()
    home.lost["one"] = ("keys/signing.json is gone, with the block-signing key of defproducerb",)
    line = f"host one: {home.lost['one'][0]}; {PUT_BACK}"
    assert run(["status", "home.toml", "--check"]) == 1
    assert line in "".join(said.readouterr())
    assert run(["plan", "home.toml"]) == 0
    assert f"{line}\n" in said.readouterr().out
    for work in (typed("plan", "home.toml", "--json"), typed("status", "home.toml", "--json")):
        assert beside(home, work) == 0
        found = document(said)
        assert line in found.get("lost_keys", found.get("problems"))
    home.lost.clear()
    assert run(["plan", "home.toml", "--json"]) == 0
    assert document(said)["lost_keys"] == []


def test_beside_a_command_that_acts(home: Home, said: Said) -> None:
    """The running command answers with the same document, and knows what a step waits for."""
    assert run(BEGIN) == 0
    said.readouterr()
    assert beside(home, typed("status", "home.toml", "--json")) == 0
    assert {host["agent"] for host in document(said)["hosts"]} == {"connected"}
    assert beside(home, typed("status", "home.toml", "--why", "accounts")) == 0
    assert "accounts (pending): " in said.readouterr().out
    assert beside(home, typed("plan", "home.toml", "--json")) == 0
    assert document(said)["unknown_hosts"] == []
    assert beside(home, typed("boot", "home.toml")) == 1
    assert "another coord is working on home" in said.readouterr().err


def test_watching_draws_again_until_it_is_stopped(home: Home, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends it with status 0."""
    drawn = 0

    async def pause(seconds: float) -> None:
        nonlocal drawn
        drawn += 1
        if drawn == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("coordinator.cli.status.asyncio.sleep", pause)
    assert run(["status", "home.toml", "--watch"]) == 0
    assert said.readouterr().out.count("home: planned") == 3


def test_a_sealed_plan(home: Home, said: Said) -> None:
    """It has the sealed contracts' hashes, the rows of the allocation, and the whole boot as commands."""
    assert run(BEGIN) == 0
    said.readouterr()
    assert run(["plan", "home.toml"]) == 0
    out = said.readouterr().out
    assert "[x] genesis" in out
    assert "as sealed" in out
    assert run(["plan", "home.toml", "--allocation"]) == 0
    heading, *rows = said.readouterr().out.splitlines()
    assert heading == "account,public key,ram,net,cpu,liquid"
    keys = dict(row.split(",")[:2] for row in rows)
    assert keys["defproducera"] == str(home.key_of("account", "defproducera").public)
    assert run(["plan", "home.toml", "--cleos"]) == 0
    script = said.readouterr().out
    sealed = StateFolder(home.folder / ".coord", "home").sealed
    assert sealed
    assert f"CHAIN_ID={sealed.chain_id}" in script
    for step in ("genesis", "features", "accounts", "votes", "resign", "retire"):
        assert f"'{step}: " in script
    assert script.index("guard_before_votes\n") < script.index("guard_before_resignation\n")
    assert "cleos -u http://127.0.0.1:" in script
    assert "eosio.token" in script


def test_how_a_step_ended_last(home: Home, said: Said) -> None:
    """A step that failed or waits says so, and that no boot is running."""
    assert run(BEGIN) == 0
    state = StateFolder(home.folder / ".coord", "home")
    state.record_step("votes", StepResult.WAITS, 1.0, "half of the stake has not voted")
    state.close()
    said.readouterr()
    assert run(["status", "home.toml", "--why", "votes"]) == 0
    assert said.readouterr().out == (
        "votes (waits): half of the stake has not voted; no boot is running: coord boot home.toml continues with it\n"
    )


def test_verify_needs_an_agent(home: Home, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one there is no verdict; the message says what to run."""
    assert run(BEGIN) == 0
    monkeypatch.setattr("coordinator.workflows.watching.auditing.DIAL_SECONDS", 0.3)
    home.away = {"one", "two"}
    said.readouterr()
    assert run(["verify", "home.toml"]) == 1
    assert "no agent answers; run: coord boot " in said.readouterr().err


@pytest.mark.parametrize(("born", "unchanged", "options", "status"), [
    (True, True, [], 0), (True, False, [], 0), (True, False, ["--strict"], 1), (False, True, ["--json"], 1),
])  # fmt: skip
def test_what_verify_ends_with(
    born: bool, unchanged: bool, options: list[str], status: int, home: Home, said: Said,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """1 for a chain that was not born as planned; with --strict also for differences of today."""

    async def judged(settings: Settings, network: Any) -> ShownAudit:
        return ShownAudit({"born": born}, ("a line",), born, unchanged)

    monkeypatch.setattr("coordinator.workflows.watching.auditing._judge", judged)
    assert run(["verify", "home.toml", *options]) == status
    out = said.readouterr().out
    assert out == "a line\n" if "--json" not in options else json.loads(out)["born"] is born


def test_verify_audits_through_the_node_that_follows(home: Home, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """By itself, or through the running command; the report is the audit's."""
    assert run(BEGIN) == 0
    read: list[int] = []

    async def audit(node: Any, blueprint: Any, **_: Any) -> AuditReport:
        read.append((await node.call("/v1/chain/get_info"))["head_block_num"])
        return report()

    monkeypatch.setattr("coordinator.report.audit.audit", audit)
    said.readouterr()
    assert run(["verify", "home.toml", "--json"]) == 0
    assert document(said) == report().to_json()
    assert beside(home, typed("verify", "home.toml", "--json")) == 0
    assert document(said) == report().to_json()
    assert len(read) == 2


def report() -> AuditReport:
    """An audit's."""
    return AuditReport("ab" * 32, 7, "00" * 32, (judged("votes", ["one is missing"], ""),), Accounts(3, 3, (), ()))


def test_a_coordinator_that_is_too_busy_to_answer_is_not_taken_for_none(
    home: Home, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--why` says that it does not answer, and not that no boot is running."""
    assert run(BEGIN) == 0

    async def busy(folder: Path, ask: str, **more: Any) -> dict[str, Any]:
        raise NoAnswer(f"the coord that is working on {folder.name} does not answer") from TimeoutError()

    monkeypatch.setattr("coordinator.cli.status.ask_running", busy)
    said.readouterr()
    assert run(["status", "home.toml", "--why", "votes"]) == 1
    assert "the coord that is working on home does not answer" in said.readouterr().err
