"""What is remembered of large input files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from coordinator.state.inputs import Inputs
from inventory.columns import NOBODY, Columns, UserRows
from inventory.network import Users, UserSource

OLD = 1_700_000_000


class File:
    """A users' CSV whose readings are counted; what it says is its text's length."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.readings = 0

    def write(self, text: str, when: int = OLD) -> None:
        """Writes it, long ago."""
        self.path.write_text(text)
        os.utime(self.path, (when, when))

    def users(self) -> Users:
        """As an inventory that was just loaded has them."""

        def read() -> Columns:
            self.readings += 1
            return Columns.of(len(self.path.read_text()).to_bytes(8, "little"), bytes(34), bytes(8))

        return Users(UserSource.CSV, file=self.path, rows=UserRows(read, self.path))


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> File:
    """A file that was written long ago: the change time cannot be set, so that it is taken for settled at once."""
    monkeypatch.setattr("coordinator.state.inputs._SETTLED", -1e9)
    made = File(tmp_path / "users.csv")
    made.write("one")
    return made


def test_an_unchanged_file_is_read_once(file: File, tmp_path: Path) -> None:
    """Asked again, by another process too, its rows are not read, and not even its bytes."""
    first = Inputs(tmp_path / "inputs.json").rows_digest(file.users())
    file.path.chmod(0o600)  # the change time moves on: it is hashed
    assert Inputs(tmp_path / "inputs.json").rows_digest(file.users()) == first
    assert Inputs(tmp_path / "inputs.json").rows_digest(file.users()) == first
    assert file.readings == 1


def test_a_touched_file_is_hashed_and_a_changed_one_read(file: File, tmp_path: Path) -> None:
    """Other times with the same bytes are the same rows; other bytes of the same length and time are not trusted."""
    inputs = Inputs(tmp_path / "inputs.json")
    first = inputs.rows_digest(file.users())
    file.write("one", OLD + 5)
    assert inputs.rows_digest(file.users()) == first
    assert file.readings == 1
    file.write("longer", OLD + 5)
    assert inputs.rows_digest(file.users()) != first
    assert file.readings == 2


def test_a_fresh_file_is_hashed_each_time(tmp_path: Path) -> None:
    """One that was just written may be written again within the same tick: its times alone prove nothing."""
    file, inputs = File(tmp_path / "users.csv"), Inputs(tmp_path / "inputs.json")
    file.path.write_text("one")
    inputs.rows_digest(file.users())
    before = file.path.stat()
    file.path.write_text("two")
    os.utime(file.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    inputs.rows_digest(file.users())
    assert file.readings == 2


@pytest.mark.parametrize("damage", ["", "[]", '{"users.csv": 7}', "\0"])
def test_a_damaged_memory_costs_time_only(damage: str, file: File, tmp_path: Path) -> None:
    """What cannot be understood is computed anew."""
    inputs = Inputs(tmp_path / "inputs.json")
    first = inputs.rows_digest(file.users())
    (tmp_path / "inputs.json").write_text(damage)
    assert inputs.rows_digest(file.users()) == first
    assert file.readings == 2


def test_other_users_have_no_file(tmp_path: Path) -> None:
    """Generated ones have no rows to remember, and nothing is written."""
    assert Inputs(tmp_path / "inputs.json").rows_digest(Users(UserSource.GENERATED, 10)) == ""
    assert UserRows().columns is NOBODY
    assert not (tmp_path / "inputs.json").exists()
