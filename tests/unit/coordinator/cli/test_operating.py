"""Single nodes and hosts of a running network, and a lost state folder: node, host, adopt."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from coordinator.cli.main import run
from coordinator.state.folder import StateFolder
from tests.unit.coordinator.cli.test_looking import beside, document, typed
from tests.unit.coordinator.home import Home

BEGIN = ["boot", "home.toml", "--until", "genesis"]
Said = pytest.CaptureFixture[str]


@pytest.fixture
def booted(home: Home, said: Said) -> Home:
    """The genesis node runs, and signs alone."""
    assert run(BEGIN) == 0
    said.readouterr()
    return home


def state_of(home: Home, node: str) -> str:
    """As its agent has it."""
    return next(agent.nodes[node].state for agent in home.agents.values() if node in agent.nodes)


def test_a_node_is_stopped_and_started_by_name(booted: Home, said: Said) -> None:
    """The only signer needs --force; repeating a command says that nothing was to do, with status 0."""
    assert run(["node", "home.toml", "stop", "genesis"]) == 1
    assert "--force" in said.readouterr().err
    assert state_of(booted, "genesis") == "running"
    assert run(["node", "home.toml", "start", "genesis"]) == 0
    assert said.readouterr().out == "genesis runs already\n"
    assert run(["node", "home.toml", "stop", "genesis", "--force", "--json"]) == 0
    answer = document(said)
    assert (answer["action"], answer["name"]) == ("stop", "genesis")
    assert state_of(booted, "genesis") == "stopped"
    assert run(["node", "home.toml", "pause", "genesis"]) == 1
    assert "genesis does not run" in said.readouterr().err
    assert run(["node", "home.toml", "restart", "genesis"]) == 0
    assert state_of(booted, "genesis") == "running"


def test_beside_a_command_that_acts_that_one_does_it(booted: Home, said: Said) -> None:
    """The output is the same."""
    assert beside(booted, typed("node", "home.toml", "start", "genesis")) == 0
    assert said.readouterr().out == "genesis runs already\n"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["node", "home.toml", "restart", "gensis"], "there is no node 'gensis'"),
        (["node", "home.toml", "explode", "genesis"], "explode"),
        (["host", "home.toml", "drain", "three"], "there is no host 'three'"),
        (["host", "home.toml", "remove", "two"], "host two is still listed"),
    ],
)
def test_what_there_is_not(words: list[str], reason: str, booted: Home, said: Said) -> None:
    """Status 2, with an explanation."""
    assert run(words) == 2
    assert reason in said.readouterr().err


def test_before_the_first_boot_there_is_nothing_to_operate(home: Home, said: Said) -> None:
    """The message says what to run."""
    assert run(["node", "home.toml", "restart", "genesis"]) == 1
    assert "home was never booted; run: coord boot" in said.readouterr().err


def test_a_host_without_producers_has_nothing_to_drain(booted: Home, said: Said) -> None:
    """Its producers' nodes have not been started yet."""
    assert run(["host", "home.toml", "drain", "two"]) == 0
    assert "no producer's node runs on two" in said.readouterr().out
    assert run(["host", "home.toml", "remove", "five"]) == 0
    assert "no host five is enrolled" in said.readouterr().out


def lose(home: Home, *names: str) -> None:
    """These are gone from the state folder; none: all of it but what agents keep."""
    for path in list(home.state.iterdir()):
        if path.name != "hosts" and (not names or path.name in names):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_a_lost_seal_comes_back_from_the_hosts(booted: Home, said: Said) -> None:
    """Its artifacts come with it, checked by their hashes; until then no command creates anything in its place."""
    before = StateFolder(booted.folder / ".coord", "home").sealed
    lose(booted, "sealed.json", "artifacts")
    assert run(BEGIN) == 1
    assert "coord adopt" in said.readouterr().err
    assert run(["adopt", "home.toml"]) == 0
    out = said.readouterr().out
    after = StateFolder(booted.folder / ".coord", "home")
    assert before
    assert after.sealed == before
    assert f"manifest {before.manifest}, held by one, two" in out
    assert all(after.artifacts.intact(name) for name in before.artifacts)
    assert run(BEGIN) == 0


def test_hosts_that_hold_nothing_give_nothing(booted: Home, said: Said) -> None:
    """There is nothing to adopt: the message says so, and that a boot is needed."""
    lose(booted, "sealed.json", "artifacts")
    for agent in booted.agents.values():
        agent.manifest = ""
    assert run(["adopt", "home.toml"]) == 1
    assert "no host holds a sealed network, so there is nothing to adopt" in said.readouterr().err


def test_hosts_that_hold_different_networks(booted: Home, said: Said) -> None:
    """Neither of them is adopted."""
    lose(booted, "sealed.json")
    booted.agents["two"].manifest = "ff" * 32
    assert run(["adopt", "home.toml"]) == 1
    assert "the hosts hold different networks" in said.readouterr().err


def test_bytes_of_another_hash_are_not_taken(booted: Home, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that sends wrong bytes is named, and another host's are used."""
    lose(booted, "sealed.json", "artifacts")
    booted.torn = {"one", "two"}
    assert run(["adopt", "home.toml"]) == 1
    err = said.readouterr().err
    assert "one: sent bytes that do not match" in err
    assert "two: sent bytes that do not match" in err
    booted.torn = {"one"}
    assert run(["adopt", "home.toml"]) == 0
    sealed: Any = json.loads((booted.state / "sealed.json").read_text())
    assert sealed["network"] == "home"
