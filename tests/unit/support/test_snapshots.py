"""Kept snapshots: found by name, limited in number and age, whole or refused; parts that came are not fetched again."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

import pytest

from support.artifacts import DamagedError
from support.snapshots import Incoming, Snapshot, SnapshotStore

DAY = 86_400.0


def _keep(store: SnapshotStore, place: Path, block: int, taken: float = 0.0) -> Snapshot:
    data = f"state of block {block}".encode()
    path = place / "new"
    path.write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    snapshot = Snapshot(sha256, len(data), block, f"{block:08x}" + "0" * 56, "c" * 64, "genesis", "v5", taken)
    store.keep(path, snapshot)
    return snapshot


def test_one_is_found_by_name_or_hash_and_else_the_newest(tmp_path: Path) -> None:
    """The newest is that of the latest block, whenever it was taken. A few digits are no name."""
    store = SnapshotStore(tmp_path / "kept")
    old, new = _keep(store, tmp_path, 7, taken=5.0), _keep(store, tmp_path, 9, taken=4.0)
    assert store.find("") == new
    assert store.find(old.name) == store.find(old.sha256[:8]) == store.find(old.sha256) == old
    assert store.find(old.sha256[:7]) is None
    assert old.name == f"7-{old.sha256[:12]}"


def test_too_many_and_too_old_ones_go_and_the_newest_stays(tmp_path: Path) -> None:
    """With all that lies beside them."""
    store = SnapshotStore(tmp_path / "kept")
    kept = [_keep(store, tmp_path, block, taken=block * DAY) for block in range(1, 6)]
    (store.folder / f"{kept[0].sha256}.vouchers").write_text("[]")
    assert {one.block for one in store.prune(now=5 * DAY, keep=4, days=30)} == {1}
    assert not list(store.folder.glob(f"{kept[0].sha256}*"))
    assert {one.block for one in store.prune(now=5 * DAY, keep=4, days=1.5)} == {2, 3}
    assert {one.block for one in store.prune(now=500 * DAY, keep=1, days=1)} == {4}
    assert [one.block for one in store.all()] == [5]


def test_a_file_that_is_not_what_it_is_called_is_not_kept(tmp_path: Path) -> None:
    """And what was damaged beside it is left out of the list."""
    store = SnapshotStore(tmp_path / "kept")
    snapshot = _keep(store, tmp_path, 3)
    (tmp_path / "other").write_bytes(b"something else")
    with pytest.raises(DamagedError, match="is not the snapshot"):
        store.keep(tmp_path / "other", snapshot)
    (store.folder / "broken.json").write_text("{")
    assert store.all() == (snapshot,)


def test_a_fetch_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    """Whoever takes the parts knows how much has come, also after a kill."""
    whole, path = bytes(range(256)) * 40, tmp_path / "a.part"
    with contextlib.closing(Incoming(path, len(whole))) as first:
        first.take(whole[:1000])
    with contextlib.closing(Incoming(path, len(whole))) as second:
        assert second.arrived == 1000
        second.take(whole[1000:])
        assert second.finish(hashlib.sha256(whole).hexdigest()).read_bytes() == whole


@pytest.mark.parametrize("sent", [b"forged bytes.", b"too few"], ids=["other", "short"])
def test_what_is_not_whole_is_thrown_away(tmp_path: Path, sent: bytes) -> None:
    """So that the next try begins anew."""
    wanted, path = b"the very file", tmp_path / "a.part"
    with contextlib.closing(Incoming(path, len(wanted))) as incoming:
        incoming.take(sent)
        with pytest.raises(DamagedError, match="changed on its way, or cut off"):
            incoming.finish(hashlib.sha256(wanted).hexdigest())
    assert not path.exists()


def test_more_than_was_announced_is_refused(tmp_path: Path) -> None:
    """A coordinator cannot fill the disk."""
    with contextlib.closing(Incoming(tmp_path / "a.part", 4)) as incoming:
        incoming.take(b"1234")
        with pytest.raises(DamagedError, match="4 bytes was announced, and more came"):
            incoming.take(b"5")
