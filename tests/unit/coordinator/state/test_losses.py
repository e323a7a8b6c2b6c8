"""What is found to be lost of a network's state, before anything is made in its place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from coordinator.agents.ca import CertificateAuthority
from coordinator.agents.register import Register
from coordinator.errors import OperationFailed
from coordinator.reporter import StepResult
from coordinator.state.folder import StateFolder
from coordinator.state.losses import check_whole, former_port, losses, set_aside
from support.identity import Identity, Kind
from tests.unit.agent.party.conftest import sealed_network


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    """A sealed network with an enrolled host and a step that is done."""
    bundle, state = sealed_network(tmp_path), StateFolder(tmp_path, "net")
    state.seal(bundle.sealed, dict(bundle.artifacts))
    CertificateAuthority(state.folder / "ca", "net")
    Register(state.journal).enrol(Identity("net", Kind.HOST, "alpha"), "11")
    state.record_step("genesis", StepResult.DONE, 1.0, "")
    certificate = state.host_data("alpha") / "identity" / "agent.pem"
    certificate.parent.mkdir(parents=True)
    certificate.write_bytes(b"a certificate")
    (state.host_data("alpha") / "agent.toml").write_text('coordinator = "127.0.0.1:4711"')
    return state


def found(state: StateFolder) -> list[str]:
    """What is lost, by name of the file."""
    state.close()
    again = StateFolder(state.folder.parent, "net")
    try:
        return [f"{loss.path.name} {loss.what}" for loss in losses(again)]
    finally:
        again.close()


def test_a_network_that_is_whole_or_new_has_lost_nothing(state: StateFolder, tmp_path: Path) -> None:
    """Before the first boot nothing is there, and nothing is missing."""
    check_whole(state)
    assert found(state) == []
    assert losses(StateFolder(tmp_path, "new")) == ()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sealed.json", ["sealed.json is missing"]),
        ("journal.sqlite", ["journal.sqlite is missing, or another network's: it has no host of this network"]),
        ("ca", ["ca.key is missing (without a copy of it, parties have to be invited again)"]),
        ("ca/ca.pem", []),
    ],
)
def test_what_is_missing_is_named(state: StateFolder, name: str, said: list[str]) -> None:
    """ca.pem alone is not a loss: it is made again from its key."""
    state.close()
    for path in state.folder.glob(f"{name}*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert found(state) == said


@pytest.mark.parametrize("name", ["sealed.json", "journal.sqlite", "ca/ca.key", "ca/ca.pem"])
def test_what_is_damaged_is_named_and_can_be_set_aside(state: StateFolder, name: str) -> None:
    """It is kept under another name, and then no longer damaged but missing."""
    state.close()
    (state.folder / name).write_bytes(b"torn" * 100)
    (first, *_) = losses(StateFolder(state.folder.parent, "net"))
    assert first.path == state.folder / name
    assert "is damaged" in first.what
    with pytest.raises(OperationFailed, match=r"is damaged.*: run: coord adopt INVENTORY"):
        check_whole(StateFolder(state.folder.parent, "net"))
    assert set_aside(first)
    assert (state.folder / f"{name}.damaged").read_bytes() == b"torn" * 100
    assert not any("is damaged" in line and Path(name).name in line for line in found(state))


def test_lost_artifacts(state: StateFolder) -> None:
    """One of them, and all with the sealed document's own."""
    assert state.sealed
    state.artifacts.path(state.sealed.allocation).unlink()
    assert found(state) == [f"{state.sealed.allocation} is missing"]
    shutil.rmtree(state.artifacts.folder)
    (said,) = found(state)
    assert said.startswith("sealed.json is not what was sealed: no artifact has its hash")


def test_the_port_is_found_where_agents_dial(state: StateFolder, tmp_path: Path) -> None:
    """Parties dial it too, and cannot be told another."""
    assert former_port(state) == 4711
    assert former_port(StateFolder(tmp_path, "new")) == 0
