"""What is advised on a network that runs is true: producers, hosts, backups, snapshots; typed, it helps."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pyrage
import pytest

from coordinator.cli.main import run
from tests.unit.coordinator.cli.advice.advised import Said, helps, refused
from tests.unit.coordinator.home import Home

KEY = pyrage.x25519.Identity.generate()
LOCKED, OPENED = ["--recipient", str(KEY.to_public())], ["--identity", "key.txt"]
THREE = '[[hosts]]\nname = "three"\nlocal = true\n[[nodes]]\nname = "watch"\nrole = "full"\nhost = "three"\n'
EDITED = '[[nodes]]\nrole = "genesis"\nhost = "one"\noptions.max-clients = 30\n'


@pytest.fixture
def backup(booted: Home, said: Said) -> str:
    """Of the coordinator's state; its key lies beside it."""
    Path("key.txt").write_text(f"{KEY}\n")
    assert run(["backup", "home.toml", "--to", "home.backup", *LOCKED]) == 0
    said.readouterr()
    return "home.backup"


@pytest.mark.advice("coordinator/workflows/changing/rekeying.py: coord node start …")
def test_the_key_of_a_node_that_is_stopped(booted: Home, said: Said) -> None:
    """Is changed once it runs: it is not refused for that any more."""
    rotate = ["keys", "home.toml", "rotate", "defproducerb"]
    helps(refused(said, *rotate), "node home.toml start defproducerb", said)
    assert "does not run" not in refused(said, *rotate)


@pytest.mark.advice("coordinator/workflows/recovering/backup.py: coord boot")
def test_what_was_never_booted_has_nothing_to_back_up(home: Home, said: Said) -> None:
    """After the boot there is."""
    words = ["backup", "home.toml", "--to", "home.backup", *LOCKED]
    helps(refused(said, *words), "boot home.toml", said)
    assert run(words) == 0


@pytest.mark.advice(
    "coordinator/workflows/recovering: … holds a state of …, and is not overwritten: restore into another folder "
    "(--state DIR), or move it away"
)
@pytest.mark.parametrize("way", ["another folder", "moved away"])
def test_a_backup_beside_a_state(way: str, backup: str, booted: Home, said: Said) -> None:
    """Either way of the message restores it."""
    told = refused(said, "restore", backup, *OPENED)
    assert f"{booted.state} holds a state of home" in told
    if way == "moved away":
        booted.state.rename(booted.folder / "kept")
    state = ["--state", "other"] if way == "another folder" else []
    assert run([*state, "restore", backup, *OPENED]) == 0


@pytest.mark.advice(
    "coordinator/cli/restore.py: coord parties",
    "coordinator/cli/restore.py: coord host replace HOST",
    "coordinator/cli/restore.py: coord boot",
)
def test_what_comes_after_a_restore(backup: str, booted: Home, said: Said) -> None:
    """Each command that is printed works on the state that came from the backup."""
    booted.state.rename(booted.folder / "kept")
    assert run(["restore", backup, *OPENED]) == 0
    told = said.readouterr().out.replace("INVENTORY", "home.toml").replace("replace HOST", "replace two")
    assert "nobody" in helps(told, "parties home.toml", said)
    helps(told, "boot home.toml", said)
    assert "coord host home.toml replace two" in told
    assert "is connected: its machine is alive" in refused(
        said, "host", "home.toml", "replace", "two", "--without-keys"
    )


@pytest.mark.advice(
    "coordinator/cli/host.py: coord boot",
    "coordinator/cli/plan.py: coord host replace …",
    "coordinator/workflows/replacing.py: coord boot",
    "coordinator/workflows/replacing.py: coord down --only …",
    "coordinator/workflows/replacing.py: coord status",
)
@pytest.mark.usefixtures("impatient")
def test_a_host_that_cannot_be_replaced_yet(booted: Home, said: Said) -> None:
    """One that nobody knows, one without an agent, one that lives; with what is advised the last one is replaced."""
    text = booted.inventory.read_text()
    told = refused(said, "host", "home.toml", "replace", "x")
    assert "two" in helps(told, "status home.toml", said)
    booted.inventory.write_text(text + THREE)
    replace = ["host", "home.toml", "replace", "three"]
    helps(refused(said, *replace), "boot home.toml", said)
    told = refused(said, *replace)
    helps(told, "down home.toml --only three", said)
    assert booted.processes[2].wait(10) is not None
    del booted.shown["three"]
    shutil.rmtree(booted.state / "hosts" / "three")
    booted.inventory.write_text(text + THREE + EDITED)
    said.readouterr()
    assert run(["plan", "home.toml"]) == 0
    told = helps(said.readouterr().out, "host home.toml replace three", said)
    assert "replaced  three" in told
    assert "differs   + one: genesis options.max-clients: (none) -> 30 (the node is restarted)" in told
    helps(told, "boot home.toml", said)
    run(["plan", "home.toml"])
    assert "max-clients" not in said.readouterr().out


@pytest.mark.advice("coordinator/agents/records.py: coord adopt")
def test_a_state_that_leads_no_longer(booted: Home, said: Said) -> None:
    """Its agents have followed another machine since. Taken back as the message says, it leads again."""
    booted.moved = int(time.time()) - 60
    run(["status", "home.toml"])
    told = refused(said, "node", "home.toml", "start", "defproducerb")
    assert "was restored on another machine, which leads now" in told
    helps(told, "adopt home.toml", said)
    assert run(["node", "home.toml", "start", "defproducerb"]) == 0


@pytest.mark.advice("coordinator/workflows/changing/producers.py: coord status")
def test_the_schedule_is_in_the_status(booted: Home, said: Said) -> None:
    """All of its producers, however many: who is not elected is not among them."""
    booted.schedule = tuple(f"producer{letter}" for letter in "abcdefghijklmnopqrstu")
    said.readouterr()
    assert run(["status", "home.toml"]) == 0
    told = said.readouterr().out
    assert [name for name in booted.schedule if name not in told] == []
