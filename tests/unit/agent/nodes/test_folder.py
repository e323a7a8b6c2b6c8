"""A node's folder: its records and its log."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.nodeos.spec import NodeSpec
from agent.nodes.folder import NodeFolder, NodeRecord
from boot.step import NodeMode
from inventory.network import Role
from support.processes import Process

SPEC = NodeSpec(
    "one",
    Role.PRODUCER,
    "defproducera",
    "0.0.0.0:9876",
    "a.example:9876",
    8888,
    ("b:1", "[::1]:2"),
    {"max-clients": "3"},
)


def test_a_record_comes_back_whole(tmp_path: Path) -> None:
    """What was written of a node is read again as it was; config.ini is closed to others."""
    folder = NodeFolder(tmp_path / "one")
    folder.make()
    record = NodeRecord(SPEC, NodeMode.STARTER, "ab" * 32)
    folder.write(record, "plugin = x\n", b"{}")
    assert folder.record() == record
    assert folder.config.stat().st_mode & 0o777 == 0o600
    assert folder.path.stat().st_mode & 0o777 == 0o700


def test_a_damaged_record_is_none(tmp_path: Path) -> None:
    """A record that is missing, truncated or invalid counts as absent."""
    folder = NodeFolder(tmp_path / "one")
    folder.make()
    assert folder.record() is None
    good = NodeRecord(SPEC, NodeMode.NORMAL, "ab" * 32).pack()
    for bad in (good[:-9], b"[]", good.replace(b"a.example:9876", b"a.example"), good.replace(b"normal", b"sideways")):
        (folder.path / "node.json").write_bytes(bad)
        assert folder.record() is None


def test_the_last_run_is_what_follows_the_last_mark(tmp_path: Path) -> None:
    """Only the last run's log is searched for faults, even if the log is long or was rotated meanwhile."""
    folder = NodeFolder(tmp_path)
    assert folder.log.last_run() == ""
    for run in ("first", "second"):
        folder.log.begin(["/bin/nodeos", "-e"])
        with folder.log.path.open("a") as log:
            log.write(f"{run} run\n" * 3)
    assert folder.log.last_run() == "second run\n" * 3
    folder.log.path.write_text("the rest after the old part was moved aside\n")
    assert folder.log.last_run() == "the rest after the old part was moved aside\n"


def test_only_what_cannot_be_known_again_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first start waits for two files and a later one for one, however many nodes start beside each other; nothing
    that is written while nodes run waits at all.
    """
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(Path(f"/proc/self/fd/{handle}").readlink().name))
    folder, record = NodeFolder(tmp_path / "one"), NodeRecord(SPEC, NodeMode.NORMAL, "ab" * 32)
    folder.make()
    folder.write(record, "plugin = x\n", b"{}")
    assert [name.rsplit(".", 1)[0] for name in synced] == [".genesis.json", ".node.json"]
    folder.write(record, "plugin = y\n", b"{}")
    folder.remember(Process(4711, 1, "boot"))
    folder.note_reached(5)
    folder.lower_reached(7)
    assert [name.rsplit(".", 1)[0] for name in synced[2:]] == [".node.json"]
    assert (folder.config.read_text(), folder.genesis.read_bytes(), folder.reached) == ("plugin = y\n", b"{}", 7)
    folder.lower_reached(1)  # a higher number that came back after a crash would call a sound chain damaged
    assert len(synced) == 4
    folder.write(record, "plugin = y\n", b"{ }")
    assert folder.genesis.read_bytes() == b"{ }"
