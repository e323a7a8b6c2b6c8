"""Commands on nodes and hosts that Ctrl-C ends half-way: what they say is true, and what they advise helps."""

from __future__ import annotations

import json

import pytest

from coordinator.cli.main import run
from tests.unit.coordinator.cli.advice.advised import Said, helps
from tests.unit.coordinator.home import Home

PAUSED = "defproducera is paused: it makes no blocks until coord node home.toml resume defproducera"
INTERRUPTED = 130


@pytest.fixture
def two(booted: Home, said: Said) -> Home:
    """Both producers' nodes run, on two hosts."""
    assert run(["node", "home.toml", "start", "defproducera"]) == 0
    assert run(["node", "home.toml", "start", "defproducerb"]) == 0
    said.readouterr()
    return booted


def host_of(home: Home, node: str) -> str:
    """The host that runs a node."""
    return next(name for name, agent in home.agents.items() if node in agent.nodes)


@pytest.mark.advice(
    "coordinator/engine/pausing.py: coord node resume …",
    "coordinator/workflows/changing/operating.py: coord node resume …",
)
def test_a_pause_that_is_interrupted(two: Home, said: Said) -> None:
    """It may have happened. Status, plan and a boot's summary show that it has, and what ends it."""
    two.interrupts = True
    assert run(["node", "home.toml", "pause", "defproducera", "--force"]) == INTERRUPTED
    told = said.readouterr().err
    two.interrupts = False
    assert "defproducera may be paused: coord node home.toml resume defproducera goes back; coord status" in told
    for words in (["status", "home.toml"], ["plan", "home.toml"], ["boot", "home.toml"]):
        assert run(words) == 0
        assert PAUSED in said.readouterr().out
    assert run(["status", "home.toml", "--json"]) == 0
    document = json.loads(said.readouterr().out)
    assert document["paused"] == ["defproducera"]
    assert PAUSED in document["problems"]
    assert run(["plan", "home.toml", "--json"]) == 0
    assert json.loads(said.readouterr().out)["paused"] == ["defproducera"]
    helps(told, "node home.toml resume defproducera", said)
    assert two.paused == set()
    assert run(["plan", "home.toml"]) == 0
    assert "paused" not in said.readouterr().out


@pytest.mark.advice(
    "coordinator/workflows/changing/operating.py: coord host drain …",
    "coordinator/workflows/changing/operating.py: coord host undrain …",
)
def test_a_drain_that_is_interrupted(two: Home, said: Said) -> None:
    """It names both ways on; either may be given again and again."""
    host = host_of(two, "defproducera")
    two.interrupts = True
    assert run(["host", "home.toml", "drain", host, "--force"]) == INTERRUPTED
    told = said.readouterr().err
    two.interrupts = False
    assert f"producers of {host} may be paused: coord host home.toml drain {host} goes on, " in told
    for _ in range(2):
        assert run(["host", "home.toml", "drain", host, "--force"]) == 0
    assert "defproducera" in two.paused
    for _ in range(2):
        helps(told, f"host home.toml undrain {host}", said)
    assert two.paused == set()


def test_a_stop_and_a_start_are_in_the_plan(two: Home, said: Said) -> None:
    """A node that somebody stopped is started by the next boot, and the plan says so."""
    assert run(["node", "home.toml", "stop", "defproducerb", "--force"]) == 0
    said.readouterr()
    assert run(["plan", "home.toml", "--check"]) == 3
    host = host_of(two, "defproducerb")
    assert f"~ {host}: defproducerb state: stopped -> running (the node is started)" in said.readouterr().out
