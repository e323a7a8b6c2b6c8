"""What coord keeps of a network, and what it says of files that were damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from coordinator.errors import OperationFailed
from coordinator.state.folder import StateFolder
from support.journal import JournalError
from tests.unit.agent.party.conftest import sealed_network


def test_an_edited_seal_is_told(tmp_path: Path) -> None:
    """An edited or invalid sealed.json is an error that names the file; the sealed one is read."""
    bundle, state = sealed_network(tmp_path), StateFolder(tmp_path, "net")
    assert state.sealed is None
    state.seal(bundle.sealed, dict(bundle.artifacts))
    assert state.sealed == bundle.sealed
    file = state.folder / "sealed.json"
    kept = file.read_text()
    file.write_text(kept.replace("useraaaaaaaa", "useraaaaaaab", 1))
    with pytest.raises(OperationFailed, match=r"sealed\.json is not what was sealed: .*run: coord adopt"):
        _ = StateFolder(tmp_path, "net").sealed
    file.write_text(kept[:100])
    with pytest.raises(OperationFailed, match=r"sealed\.json is damaged .*run: coord adopt"):
        _ = StateFolder(tmp_path, "net").sealed


def test_a_broken_journal_keeps_nobody_from_stopping_nodes(tmp_path: Path) -> None:
    """The journal is opened when something is read or written in it, not before; what is wrong is said then."""
    folder = tmp_path / "net"
    folder.mkdir()
    (folder / "journal.sqlite").write_bytes(b"no database" * 1000)
    state = StateFolder(tmp_path, "net")
    assert state.host_data("h1") == folder / "hosts" / "h1"
    with pytest.raises(JournalError, match="not a database"):
        state.steps()
    state.close()
