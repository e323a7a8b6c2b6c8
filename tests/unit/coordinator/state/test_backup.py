"""A backup of a state folder, restored elsewhere: whole, checked, and never over a state that is there."""

from __future__ import annotations

import io
import tarfile
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pyrage
import pytest

from coordinator.agents.ca import CertificateAuthority
from coordinator.agents.records import MOVED, HubError, Records
from coordinator.agents.register import Register
from coordinator.errors import UsageProblem
from coordinator.reporter import StepResult
from coordinator.state.backup import INDEX, STATE, open_backup
from coordinator.state.folder import StateFolder
from coordinator.state.losses import losses
from coordinator.workflows.recovering.backup import Lock, back_up
from coordinator.workflows.recovering.restoring import restore
from inventory.network import Network
from support.age import AgeError
from support.identity import Identity, Kind
from tests.unit.agent.party.conftest import sealed_network

KEY = pyrage.x25519.Identity.generate()
TO_KEY = Lock((str(KEY.to_public()),))
PASSPHRASE = "correct horse battery"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Holds the state of `net`: sealed, with an enrolled host."""
    root = tmp_path / "old"
    bundle = sealed_network(tmp_path)
    with closing(StateFolder(root, "net")) as state:
        state.seal(bundle.sealed, dict(bundle.artifacts))
        CertificateAuthority(state.folder / "ca", "net")
        Register(state.journal).enrol(Identity("net", Kind.HOST, "alpha"), "11")
        state.record_step("genesis", StepResult.DONE, 1.0, "")
    return root


def _network(tmp_path: Path) -> Network:
    (tmp_path / "net.toml").write_text("[network]\n")
    named = SimpleNamespace(name="net", source=tmp_path / "net.toml", argument="net.toml", hosts=())
    return cast(Network, named)


def _backed_up(root: Path, tmp_path: Path, locked: Lock = TO_KEY, to: str = "a.backup") -> Path:
    file = tmp_path / to
    back_up(_network(tmp_path), root, file, locked, (), lambda _: None)
    return file


def test_what_is_restored_is_what_was_backed_up(root: Path, tmp_path: Path) -> None:
    """Journal, CA, sealed network and artifacts; nothing is lost, keys are closed to others, and this state leads."""
    file = _backed_up(root, tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600
    restored = restore(file, tmp_path / "new", [KEY], "")
    with closing(StateFolder(tmp_path / "new", "net")) as state:
        assert losses(state) == ()
        assert state.steps()["genesis"].done
    for name in ("ca/ca.key", "sealed.json"):
        assert (restored.folder / name).read_bytes() == (root / "net" / name).read_bytes()
    assert (restored.folder / "ca" / "ca.key").stat().st_mode & 0o077 == 0
    with Records(restored.folder, "net") as records:
        assert records.numbers[MOVED] > 0
    assert not list((tmp_path / "new").glob(".restoring*"))


def test_it_is_restored_once_and_never_over_another_state(root: Path, tmp_path: Path) -> None:
    """The same backup again changes nothing; where a state is, nothing is touched."""
    file = _backed_up(root, tmp_path)
    assert not restore(file, tmp_path / "new", [KEY], "").already
    assert restore(file, tmp_path / "new", [KEY], "").already
    before = (root / "net" / "journal.sqlite").read_bytes()
    with pytest.raises(UsageProblem, match="holds a state of net, and is not overwritten"):
        restore(file, root, [KEY], "")
    assert (root / "net" / "journal.sqlite").read_bytes() == before


def test_a_passphrase_opens_it_and_a_wrong_one_does_not(root: Path, tmp_path: Path) -> None:
    """Nor does a key that it was not made for; nothing is left of a try."""
    file = _backed_up(root, tmp_path, Lock(passphrase=PASSPHRASE))
    with pytest.raises(AgeError, match="the passphrase is wrong"):
        restore(file, tmp_path / "new", [], "another one, wrong")
    with pytest.raises(AgeError, match=r"state\.age cannot be decrypted with this key"):
        restore(file, tmp_path / "new", [KEY], "")
    assert not (tmp_path / "new" / "net").exists()
    assert restore(file, tmp_path / "new", [], PASSPHRASE).index.network == "net"


def test_bad_input_is_refused_before_anything_is_written(root: Path, tmp_path: Path) -> None:
    """Both locks or none, a short passphrase, a malformed recipient, a file that exists."""
    for locked, said in (
        (Lock(), "say either who can decrypt"),
        (Lock(TO_KEY.recipients, PASSPHRASE), "say either who can decrypt"),
        (Lock(passphrase="short"), "fewer than 12 characters"),
        (Lock(("age1nonsense",)), "is not an age recipient"),
    ):
        with pytest.raises((UsageProblem, AgeError), match=said):
            _backed_up(root, tmp_path, locked)
    assert not (tmp_path / "a.backup").exists()
    _backed_up(root, tmp_path)
    with pytest.raises(UsageProblem, match="exists already"):
        _backed_up(root, tmp_path)


def _altered(file: Path, change: dict[str, bytes | None]) -> Path:
    """A copy with other parts."""
    altered = file.with_suffix(".altered")
    with tarfile.open(file) as old, tarfile.open(altered, "w") as new:
        for member in old:
            data = change.get(member.name, cast(io.BufferedReader, old.extractfile(member)).read())
            if data is not None:
                member.size = len(data)
                new.addfile(member, io.BytesIO(data))
    return altered


def test_damage_is_found(root: Path, tmp_path: Path) -> None:
    """A changed byte, a missing part, an index of something else, a truncated file, something else altogether."""
    file = _backed_up(root, tmp_path)
    with tarfile.open(file) as tar:
        state = bytearray(cast(io.BufferedReader, tar.extractfile(STATE)).read())
    state[len(state) // 2] ^= 1
    with pytest.raises(UsageProblem, match=r"state\.age is damaged: it does not match its hash"):
        restore(_altered(file, {STATE: bytes(state)}), tmp_path / "new", [KEY], "")
    for change in ({STATE: None}, {INDEX: b"{}"}, {INDEX: None}):
        with pytest.raises(UsageProblem, match=r"damaged|not a backup"):
            restore(_altered(file, cast(dict[str, bytes | None], change)), tmp_path / "new", [KEY], "")
    (tmp_path / "cut").write_bytes(file.read_bytes()[:4000])
    (tmp_path / "text").write_text("[network]\n" * 100)
    for name in ("cut", "text"):
        with pytest.raises(UsageProblem, match="not a backup of coord, or is damaged"):
            restore(tmp_path / name, tmp_path / "new", [KEY], "")


def test_a_part_that_is_not_there_is_named(root: Path, tmp_path: Path) -> None:
    """Keys of a host that were not asked for."""
    said = "has the keys of no host, not those of alpha"
    with open_backup(_backed_up(root, tmp_path)) as backup, pytest.raises(UsageProblem, match=said):
        backup.host_keys("alpha", [KEY])


def test_a_state_that_moved_on_leads_no_longer(root: Path) -> None:
    """Until it is taken back by name."""
    with Records(root / "net", "net") as records:
        records.check_leading()
        records.fence(1_000)
        with pytest.raises(HubError, match="was restored on another machine"):
            records.check_leading()
        records.lead()
        records.check_leading()
        assert records.numbers[MOVED] > 1_000
