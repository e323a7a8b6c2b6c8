"""An artifact's content matches its name."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from support.artifacts import ArtifactStore, MissingError


def test_bytes_come_back(tmp_path: Path) -> None:
    """Under their sha256, stored once."""
    store = ArtifactStore(tmp_path)
    name = store.put(b"wasm")
    assert name == hashlib.sha256(b"wasm").hexdigest() == store.put(b"wasm")
    assert store.get(name) == b"wasm"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_changed_bytes_are_noticed(tmp_path: Path) -> None:
    """A file that somebody changed is not handed out, and is replaced by the right bytes when they come again."""
    store = ArtifactStore(tmp_path, "ask again")
    name = store.put(b"wasm")
    store.path(name).write_bytes(b"evil")
    with pytest.raises(ValueError, match="does not hold what its name says: ask again"):
        store.get(name)
    assert not store.intact(name)
    store.put(b"wasm")
    assert store.intact(name)
    assert not store.intact("0" * 64)
    with pytest.raises(MissingError, match=f"^{tmp_path}/0{{64}} is missing: ask again"):
        store.get("0" * 64)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "", "A" * 64, "0" * 63, "0" * 64 + "\n", "\u0660" * 64])
def test_only_hashes_are_names(tmp_path: Path, name: str) -> None:
    """No name can lead out of the folder."""
    with pytest.raises(ValueError, match="not the name"):
        ArtifactStore(tmp_path).path(name)
