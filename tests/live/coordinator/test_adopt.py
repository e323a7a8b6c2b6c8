"""A coordinator's state that is lost or damaged: no new seal over a living chain; `coord adopt` brings it back."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from boot.steps import STEPS
from tests.live.coordinator.network import COORD, MakeNetwork, Network
from tests.waiting import until


@pytest.fixture(scope="module")
def living(make_shared: MakeNetwork) -> Network:
    """A network that is booted once. Every test leaves it running and intact."""
    network = make_shared("living")
    network.write()
    network.boot()
    return network


def remove(*names: str) -> Callable[[Path], None]:
    """Loses these files or folders."""

    def lose(state: Path) -> None:
        for name in names:
            shutil.rmtree(state / name) if (state / name).is_dir() else (state / name).unlink(missing_ok=True)

    return lose


def garble(name: str) -> Callable[[Path], None]:
    """Overwrites the middle of a file, as a bad disk does."""

    def lose(state: Path) -> None:
        path = state / name
        data = bytearray(path.read_bytes())
        data[len(data) // 3 : len(data) // 2] = b"\xff" * (len(data) // 2 - len(data) // 3)
        path.write_bytes(data)
        for end in ("-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)

    return lose


JOURNAL = ("journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm")
LOSSES = {
    "the seal": (remove("sealed.json"), "sealed.json is missing"),
    "the seal, garbled": (garble("sealed.json"), "sealed.json is damaged"),
    "the journal": (
        remove(*JOURNAL),
        "journal.sqlite is missing, or another network's: it has no host of this network",
    ),
    "the journal, garbled": (garble("journal.sqlite"), "journal.sqlite is damaged"),
    "the CA": (remove("ca"), "ca.key is missing"),
    "the CA's key, garbled": (garble("ca/ca.key"), "ca.key is damaged"),
    "the CA's certificate, garbled": (garble("ca/ca.pem"), "ca.pem is damaged"),
    "the artifacts": (remove("artifacts"), "sealed.json is not what was sealed: no artifact has its hash"),
    "all but the hosts": (
        remove(*JOURNAL, "sealed.json", "genesis.json", "ca", "artifacts", "boot.log", "inputs.json"),
        "journal.sqlite is missing, or another network's: it has no host of this network",
    ),
}


LONG = ("the seal, garbled", "the journal", "the CA's key, garbled", "the CA's certificate, garbled", "the artifacts")
"""Kinds whose like is tried anyway: by hand and before releases."""


@pytest.mark.parametrize(
    "loss", [pytest.param(loss, marks=[pytest.mark.campaign] if loss in LONG else []) for loss in LOSSES]
)
def test_lost_and_adopted(living: Network, loss: str) -> None:
    """The boot refuses and names a command, which brings back the same chain and manifest with all steps done."""
    before = living.document("status")
    lose, said = LOSSES[loss]
    lose(living.state)
    refused = living.coord("boot")
    assert refused.status == 1
    assert said in refused.err
    assert refused.err.rstrip().endswith(f"run: {COORD} adopt {living.inventory.name}")
    assert "purge" not in refused.text
    adopted = living.coord("adopt")
    assert adopted.status == 0, adopted.text
    assert f"adopted   chain {before['chain_id']}" in adopted.out
    assert f"{len(STEPS)} of {len(STEPS)} are done" in adopted.out
    done = living.boot()
    assert "phase live" in done.out
    assert "sealed:" not in done.out
    after = living.document("status")
    assert (after["chain_id"], after["manifest"]) == (before["chain_id"], before["manifest"])
    assert all(step["state"] == "done" for step in after["steps"])
    assert sum(step["transactions"] for step in after["steps"]) > 20
    assert living.coord("status", "--check").status == 0


def test_another_inventory_adopts_nothing(living: Network) -> None:
    """What was sealed must be what the file says: else status 2, and the file is as lost as before."""
    remove("sealed.json")(living.state)
    text = living.inventory.read_text()
    living.replace("count = 20", "count = 21")
    refused = living.coord("adopt")
    assert (refused.status, "can no longer change" in refused.err) == (2, True), refused.text
    assert not (living.state / "sealed.json").exists()
    living.inventory.write_text(text)
    assert living.coord("adopt").status == 0


def stop_agent(network: Network) -> Path:
    """Kills the agent of this machine; its nodes run on. Its data folder."""
    agent = network.processes()["agent"]
    os.kill(agent.pid, signal.SIGKILL)
    until(lambda: not agent.alive, "it was killed")
    return network.data


def test_a_damaged_journal_of_an_agent(living: Network) -> None:
    """The boot tells the agent's own words; what they say helps, and no node was stopped for it."""
    data, nodes = stop_agent(living), living.processes()
    remove(*JOURNAL)(data)
    (data / "journal.sqlite").write_bytes(b"torn" * 1000)
    refused = living.coord("boot")
    assert refused.status == 1
    assert re.search(r"journal\.sqlite is damaged \(.*\): move it away and, a minute later", refused.err)
    assert refused.err.rstrip().endswith(f"(by a boot); its log: {COORD} logs {living.inventory.name} agent@local")
    assert "journal.sqlite is damaged" in living.coord("logs", "agent@local").out
    (data / "journal.sqlite").rename(data / "journal.sqlite.kept")
    assert "phase live" in living.boot().out
    assert all(nodes[name].alive for name in ("genesis", "defproducera", "defproducerb"))


@pytest.mark.parametrize("name", ["agent.pem", "ca.pem", "agent.key"])
def test_an_agents_certificate_or_key(living: Network, name: str) -> None:
    """Lost or damaged, the next boot enrols the host again; a key is moved away before, as the message says."""
    path = stop_agent(living) / "identity" / name
    path.write_bytes(b"torn")
    if name == "agent.key":
        refused = living.coord("boot")
        assert refused.status == 1
        assert f"{path}: not a readable private key: move it away, and a new one is made" in refused.err
        path.rename(path.with_suffix(".kept"))
    assert "phase live" in living.boot().out
    assert living.coord("status", "--check").status == 0


@pytest.mark.campaign
@pytest.mark.parametrize("lost", ["identity", "artifacts", "agent.toml", "nodes/defproducera"])
def test_what_an_agent_lost(living: Network, lost: str) -> None:
    """The next boot gives it anew. The only signer's node follows its peers before it restarts the chain."""
    data, before = stop_agent(living), living.document("status")
    if lost.startswith("nodes/"):
        node = living.processes()[Path(lost).name]
        os.kill(node.pid, signal.SIGKILL)
        until(lambda: not node.alive, "it was killed")
    remove(lost)(data)
    assert "phase live" in living.boot().out
    assert living.coord("status", "--check").status == 0
    after = living.document("status")
    assert (after["chain_id"], after["manifest"]) == (before["chain_id"], before["manifest"])
    assert after["lib"] >= before["lib"]


def test_adopted_while_it_is_down(living: Network) -> None:
    """Stopped nodes do not prevent an adoption; the chain is read once a boot has started them."""
    before = living.document("status")["manifest"]
    assert living.coord("down").status == 0
    remove("sealed.json", "ca")(living.state)
    refused = living.coord("boot")
    assert (refused.status, refused.err.rstrip().endswith(f"run: {COORD} adopt {living.inventory.name}")) == (1, True)
    adopted = living.coord("adopt")
    assert adopted.status == 0, adopted.text
    assert f"manifest  {before}" in adopted.out
    assert "steps     unknown until nodes run" in adopted.out
    assert "phase live" in living.boot().out
    assert living.coord("status", "--check").status == 0
