"""A node's folder: its records and its log."""

from __future__ import annotations

from pathlib import Path

from agent.nodeos.spec import NodeSpec
from agent.nodes.folder import NodeFolder, NodeRecord
from boot.step import NodeMode
from inventory.network import Role

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
    assert folder.last_run() == ""
    for run in ("first", "second"):
        folder.begin_log(["/bin/nodeos", "-e"])
        with folder.log.open("a") as log:
            log.write(f"{run} run\n" * 3)
    assert folder.last_run() == "second run\n" * 3
    folder.log.write_text("the rest after the old part was moved aside\n")
    assert folder.last_run() == "the rest after the old part was moved aside\n"
