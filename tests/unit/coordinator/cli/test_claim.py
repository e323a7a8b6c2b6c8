"""`coord claim`: producers that may claim do so, once; for the others it says from when on they may."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from boot.steps import STEPS
from coordinator.cli.main import run
from coordinator.reporter import StepResult
from coordinator.state.folder import StateFolder
from protos import coordination_pb2 as pb
from tests.unit.coordinator.cli.test_looking import beside, typed
from tests.unit.coordinator.home import Home, HostAgent

Said = pytest.CaptureFixture[str]
NOW = datetime.now(UTC)


def row(owner: str, ago: timedelta) -> dict[str, Any]:
    """Of eosio's producers table: it claimed, or registered, so long ago."""
    return {"owner": owner, "is_active": 1, "last_claim_time": f"{NOW - ago:%Y-%m-%dT%H:%M:%S}"}


@pytest.fixture
def live(home: Home, said: Said, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A network whose journal says that it was booted; a claim that an agent is told of is in the table afterwards."""
    assert run(["boot", "home.toml", "--until", "genesis"]) == 0
    state = StateFolder(home.folder / ".coord", "home")
    for step in STEPS:
        state.record_step(step.name, StepResult.DONE, 1.0, "done")
    state.close()
    home.rows["producers"] = [row("defproducera", timedelta(hours=23)), row("defproducerb", timedelta(hours=25))]
    accept = HostAgent.accept

    def claiming(agent: HostAgent, task: pb.Task) -> None:
        for key in () if home.fails else task.run_step.keys:
            home.rows["producers"] = [
                row(key, timedelta()) if one["owner"] == key else one for one in home.rows["producers"]
            ]
        accept(agent, task)

    monkeypatch.setattr(HostAgent, "accept", claiming)
    said.readouterr()
    return home


def test_before_the_election_nothing_is_paid(home: Home, said: Said) -> None:
    """Status 2, with what is needed first; the same before the first boot."""
    assert run(["claim", "home.toml"]) == 1
    assert "home was never booted; run: coord boot " in said.readouterr().err
    assert run(["boot", "home.toml", "--until", "genesis"]) == 0
    said.readouterr()
    assert run(["claim", "home.toml"]) == 2
    assert "done first" in said.readouterr().err


def test_those_that_may_claim_do_once(live: Home, said: Said) -> None:
    """A second time it says which producer is next, and when."""
    assert run(["claim", "home.toml", "--json"]) == 0
    document = json.loads(said.readouterr().out)
    assert document["claimed"] == ["defproducerb"]
    assert document["producers"] == [
        {"account": "defproducera", "due": f"{NOW + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"},
        {"account": "defproducerb", "due": f"{NOW + timedelta(hours=24):%Y-%m-%dT%H:%M:%SZ}"},
    ]
    assert run(["claim", "home.toml"]) == 0
    due = f"{NOW + timedelta(hours=1):%Y-%m-%d %H:%M:%S} UTC"
    assert said.readouterr().out.startswith(f"nothing is due: the next is defproducera, from {due} (in ")
    assert len(live.tasks("run_step")) == 1


def test_beside_a_command_that_acts_that_one_claims(live: Home, said: Said) -> None:
    """The output is the same."""
    assert beside(live, typed("claim", "home.toml")) == 0
    assert said.readouterr().out == "claimed: defproducerb\n"


def test_a_claim_that_fails_says_why(live: Home, said: Said) -> None:
    """With status 1."""
    for host in ("one", "two"):
        live.fails[host, "run_step"] = "this host has no key of defproducerb"
    assert run(["claim", "home.toml"]) == 1
    assert "the claims failed: " in (err := said.readouterr().err)
    assert "this host has no key of defproducerb" in err


@pytest.mark.advice("coordinator/report/summary.py: coord claim")
def test_what_a_boot_says_of_rewards(live: Home, said: Said) -> None:
    """Who may claim now does, by the command that the boot prints."""
    assert run(["boot", "home.toml", "--until", "genesis"]) == 0
    told = said.readouterr().out
    assert "rewards   defproducerb may claim now: coord claim home.toml\n" in told
    assert run(["claim", "home.toml"]) == 0
    assert run(["boot", "home.toml", "--until", "genesis"]) == 0
    assert "may claim now" not in said.readouterr().out
