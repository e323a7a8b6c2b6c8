"""`coord boot` from its command line to agents' tasks and back, on a simulated machine."""

from __future__ import annotations

import json
import shlex

import pytest

from coordinator.cli.main import run
from coordinator.hosts.preflight.model import HostProblem
from coordinator.state.folder import StateFolder
from tests.unit.coordinator.cli.test_looking import Said, beside, typed
from tests.unit.coordinator.home import Home

BEGIN = ["boot", "home.toml", "--until", "genesis"]


def test_a_boot_collects_seals_and_starts_the_genesis_node(home: Home, said: pytest.CaptureFixture[str]) -> None:
    """Each host is asked for its own keys and stores the sealed network; the summary says how to continue."""
    assert run(BEGIN) == 0
    out = said.readouterr().out
    sealed = StateFolder(home.folder / ".coord", "home").sealed
    assert sealed
    assert f"sealed: chain {sealed.chain_id}" in out
    assert sealed.genesis["initial_key"] == str(home.key_of("signing", "eosio").public)
    assert {producer.signing_key for producer in sealed.producers} == {
        str(home.key_of("signing", producer.account).public) for producer in sealed.producers
    }
    assert {agent.manifest for agent in home.agents.values()} == {sealed.manifest}
    assert home.tasks("collect") == ["one", "two"]
    assert home.tasks("start_node") == ["one"]
    assert "network   home, phase booting" in out
    assert f"keys      {home.state.relative_to(home.folder)}/hosts/one/keys/accounts.json" in out
    assert "boot home.toml" in out
    assert "continues with" in out


def test_a_second_boot_finds_everything_done(home: Home, said: pytest.CaptureFixture[str]) -> None:
    """The only task is to hold the sealed network; the boot says that there is nothing to do."""
    assert run(BEGIN) == 0
    tasks = {name: len(agent.tasks) for name, agent in home.agents.items()}
    said.readouterr()
    assert run([*BEGIN, "--verbose"]) == 0
    out = said.readouterr().out
    assert "Nothing to do" in out
    assert "genesis (done)" in out
    new = {task.WhichOneof("body") for name, agent in home.agents.items() for task in agent.tasks[tasks[name] :]}
    assert new <= {"hold", "producers"}


def test_before_the_seal_every_host_is_needed(
    home: Home, said: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its keys are needed: nothing is sealed, local agents are stopped, and the message names the host."""
    monkeypatch.setattr("coordinator.workflows.boot.DIAL_SECONDS", 1.0)
    home.away = {"two"}
    assert run(BEGIN) == 1
    err = said.readouterr().err
    assert "two: waited 1 s for the agent of two to connect" in err
    assert "Until the network is sealed all hosts are needed" in err
    assert not (home.state / "sealed.json").exists()
    assert all(process.wait(10) is not None for process in home.processes)


@pytest.mark.advice("coordinator/workflows/boot.py: coord logs agent@…")
def test_after_the_seal_a_boot_goes_on_without_a_host(
    home: Home, said: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless it has the genesis node; an agent that has ended is not waited for, and its reason is shown."""
    assert run(BEGIN) == 0
    monkeypatch.setattr("coordinator.workflows.boot.DIAL_SECONDS", 1.0)
    monkeypatch.setattr("coordinator.workflows.serving.keep_agents.LOOK", 60.0)
    home.away = {"two"}
    said.readouterr()
    assert run(BEGIN) == 0
    assert "the boot continues without it" in said.readouterr().out
    home.away = {"one"}
    home.processes[0].kill()
    home.processes[0].wait()
    (home.state / "hosts" / "one" / "ended.json").write_text(json.dumps({"reason": "its folder is gone"}))
    assert run(BEGIN) == 1
    err = said.readouterr().err
    assert "one: its agent has ended: its folder is gone; its log: " in err
    (home.state / "hosts" / "one" / "agent.log").write_text("2026-01-01 00:00:00,000 ERROR agent: its folder is gone\n")
    assert run(shlex.split(err.rpartition("; its log: coord ")[2])) == 0
    assert "its folder is gone" in said.readouterr().out


def test_a_fatal_finding_on_this_machine_ends_it_before_anything_is_made(
    home: Home, said: pytest.CaptureFixture[str]
) -> None:
    """The message says what helps; a mere warning is shown, and the boot continues."""
    home.problems = [HostProblem("one", "disk", fatal=True, message="it is full", hint="make room")]
    assert run(BEGIN) == 1
    assert "one: disk: it is full; make room" in said.readouterr().err
    assert home.agents == {}
    home.problems = [HostProblem("one", "memory", fatal=False, message="it is little", hint="add some")]
    assert run(BEGIN) == 0
    assert "warning one: memory: it is little; add some" in said.readouterr().out


def test_a_host_whose_keys_cannot_be_had_keeps_the_network_unsealed(
    home: Home, said: pytest.CaptureFixture[str]
) -> None:
    """The message has the agent's reason; a key that the agent cannot prove is never sealed."""
    home.fails = {("two", "collect"): "no space left on device"}
    assert run(BEGIN) == 1
    assert said.readouterr().err == "coord: two: no space left on device\n"
    home.fails, home.forging = {}, {"two"}
    assert run(BEGIN) == 1
    assert "two: its key for defproducer" in (err := said.readouterr().err)
    assert "has no valid proof" in err
    assert not (home.state / "sealed.json").exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--until", "genesis", "--only", "genesis"], "--until and --only cannot be used together"),
        (["--until", "nonsense"], "there is no step 'nonsense'"),
        (["--only", "nonsense"], "there is no step, host or node 'nonsense'"),
        (["--only", "handover"], "handover needs"),
        (["--max-unavailable", "0"], "--max-unavailable"),
    ],
)
def test_what_is_typed_wrong_changes_nothing(
    options: list[str], reason: str, home: Home, said: pytest.CaptureFixture[str]
) -> None:
    """Status 2 with an explanation; no agent is started."""
    assert run(["boot", "home.toml", *options]) == 2
    assert reason in said.readouterr().err
    assert home.agents == {}


def test_an_edit_of_a_sealed_section_is_refused(home: Home, said: pytest.CaptureFixture[str]) -> None:
    """By boot; plan shows the edit, and what to do instead."""
    assert run(BEGIN) == 0
    home.inventory.write_text(home.inventory.read_text().replace("count = 3", "count = 4"))
    said.readouterr()
    assert run(BEGIN) == 2
    assert "users: undo the edit; further accounts are created by transactions" in said.readouterr().err
    assert run(["plan", "home.toml", "--check"]) == 3
    assert "! users: undo the edit" in said.readouterr().out


def test_an_edit_of_a_node_is_applied_to_the_node_that_runs(home: Home, said: pytest.CaptureFixture[str]) -> None:
    """plan shows the edit with its cost, boot restarts the node, and then plan shows no difference."""
    assert run(BEGIN) == 0
    home.inventory.write_text(home.inventory.read_text() + '[nodeos.options]\nmax-transaction-time = "100"\n')
    said.readouterr()
    assert run(["plan", "home.toml", "--check"]) == 3
    out = said.readouterr().out
    assert "+ one: genesis options.max-transaction-time: (none) -> 100 (the node is restarted)" in out
    assert run(BEGIN) == 0
    assert "genesis is restarted as the inventory now says" in said.readouterr().out
    assert home.agents["one"].nodes["genesis"].spec.options["max-transaction-time"] == "100"
    assert run(["plan", "home.toml", "--check", "--json"]) == 3  # the producers' nodes were not started yet
    document = json.loads(said.readouterr().out)
    assert {change["node"] for change in document["differences"]} == {"defproducera", "defproducerb"}


def test_a_boot_for_programs_is_an_object_a_line(home: Home, said: Said) -> None:
    """Steps as they begin and end; the last line has what status --json has. --quiet says the phase alone."""
    assert run([*BEGIN, "--json"]) == 0
    events = [json.loads(line) for line in said.readouterr().out.splitlines()]
    assert {"note", "step-began", "step-ended"} <= {event["event"] for event in events}
    ended = {event["step"]: event["result"] for event in events if event["event"] == "step-ended"}
    assert ended["genesis"] == "done"
    assert events[-1]["event"] == "summary"
    assert events[-1]["network"] == "home"
    assert events[-1]["nodes"]
    assert run([*BEGIN, "--quiet"]) == 0
    assert said.readouterr().out == "home: booting\n"
    assert run([*BEGIN, "--quiet", "--json"]) == 2


def test_another_terminal_attaches_to_a_boot(home: Home, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """status --watch draws what the running command knows, as large as the terminal."""
    assert run(BEGIN) == 0
    said.readouterr()
    monkeypatch.setattr("coordinator.cli.status.REDRAW", 0.0)
    drawn: list[str] = []

    def echo(text: str = "", **_: object) -> None:
        drawn.append(text)
        raise KeyboardInterrupt

    monkeypatch.setattr("click.echo", echo)
    monkeypatch.setenv("COLUMNS", "60")
    assert beside(home, typed("status", "home.toml", "--watch")) == 0
    lines = drawn[0].splitlines()
    assert lines[0].startswith("home: booting   chain ")
    assert all(len(line) <= 60 for line in lines)
