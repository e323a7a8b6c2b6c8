"""Processes that outlive who started them, and logs that stay bounded meanwhile."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support import nodelogs, processes
from support.locks import FileLock
from support.processes import RECORD, Process, StillRunningError

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"

FORKING = "import os, time; helper = os.fork(); helper and print('forked', helper, flush=True); time.sleep(60)"


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Starts detached processes that are gone after the test."""
    begun: list[Process] = []

    def start(*command: str) -> Process:
        begun.append(processes.start(command, output=tmp_path / "output", folder=tmp_path))
        return begun[-1]

    yield start
    for process in begun:
        processes.kill(process)


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    """Looks until it is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        threading.Event().wait(0.02)


def test_a_started_process_is_detached(begin: Callable[..., Process]) -> None:
    """It leads a session of its own, so that no terminal's Ctrl-C reaches it, and its record names it again."""
    process = begin("sleep", "60")
    assert os.getsid(process.pid) == process.pid
    assert Process.of(process.pid) == process
    assert process.alive


def test_a_record_survives_and_damage_is_none(begin: Callable[..., Process], tmp_path: Path) -> None:
    """What was written is read again; a missing or damaged record counts as none."""
    process = begin("sleep", "60")
    process.write(tmp_path / RECORD)
    assert Process.read(tmp_path / RECORD) == process
    assert Process.read(tmp_path / "none") is None
    for damage in (b"", b"{", b"[]", b'{"pid": 1}', b'{"pid": "x", "started": 1, "boot": ""}'):
        (tmp_path / RECORD).write_bytes(damage)
        assert Process.read(tmp_path / RECORD) is None


def test_stopping_waits_for_the_end(begin: Callable[..., Process]) -> None:
    """After stop the process is gone, also for who did not start it; stopping again does nothing."""
    process = begin("sleep", "60")
    processes.stop(process, 20)
    assert not process.alive
    processes.stop(process, 0)


def test_what_does_not_end_is_an_error_and_lives(begin: Callable[..., Process], tmp_path: Path) -> None:
    """Whoever ignores SIGTERM is reported after the grace, and is not killed; kill does that."""
    process = begin(sys.executable, "-c", DEAF)
    wait_for(lambda: "deaf" in (tmp_path / "output").read_text(), "the process to be deaf")
    with pytest.raises(StillRunningError, match=f"kill -9 {process.pid}"):
        processes.stop(process, 0.2)
    assert process.alive
    processes.kill(process)
    assert not process.alive


def test_nodes_are_stopped_without_an_agent(begin: Callable[..., Process], tmp_path: Path) -> None:
    """stop_nodes ends recorded nodes, and one that only its command line shows; no record says that a node runs."""
    folders = [tmp_path / "nodes" / name for name in ("one", "two", "three")]
    for folder in folders:
        folder.mkdir(parents=True)
    one = begin("sleep", "60")
    one.write(folders[0] / RECORD)
    two = begin(sys.executable, "-c", "import time; time.sleep(60)", "--config-dir", str(folders[1]))
    Process(one.pid, one.started - 1, one.boot).write(folders[2] / RECORD)
    assert processes.stop_nodes(tmp_path, 20) == ("one", "two")
    assert not one.alive
    assert not two.alive
    assert not list(tmp_path.glob(f"nodes/*/{RECORD}"))


def test_a_foreign_command_line_is_no_node(begin: Callable[..., Process], tmp_path: Path) -> None:
    """A process that merely names the folder among its arguments is not taken for its node."""
    folder = tmp_path / "nodes" / "one"
    folder.mkdir(parents=True)
    editor = begin(sys.executable, "-c", "import time; time.sleep(60)", str(folder))
    assert processes.running(folder) is None
    assert processes.stop_nodes(tmp_path) == ()
    assert editor.alive


def test_a_helper_that_outlives_its_node_is_no_node(begin: Callable[..., Process], tmp_path: Path) -> None:
    """nodeos' helpers have its command line, and end a moment later: with nodeos itself the folder's node is gone."""
    folder = tmp_path / "nodes" / "one"
    folder.mkdir(parents=True)
    node = begin(sys.executable, "-c", FORKING, "--config-dir", str(folder))
    wait_for(lambda: "forked" in (tmp_path / "output").read_text(), "the helper")
    assert processes.running(folder) == node
    processes.kill(node)
    helper = Process.of(int((tmp_path / "output").read_text().split()[1]))
    assert helper.alive
    assert processes.running(folder) is None
    processes.kill(helper)


@pytest.mark.parametrize("cuts", [True, False], ids=["cut", "truncated"])
def test_a_long_log_moves_aside_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cuts: bool) -> None:
    """Over its limit its content moves to .1, the writer goes on in the rest: together they are what was written."""
    if not cuts:
        monkeypatch.setattr(nodelogs, "_cut_beginning", lambda handle, size: False)
    log = tmp_path / "nodeos.log"
    written = b"".join(b"%09d\n" % number for number in range(2000))
    with log.open("ab", buffering=0) as writer:
        writer.write(written)
        assert not nodelogs.rotate(log, len(written))
        assert nodelogs.rotate(log, len(written) - 1)
        writer.write(b"more\n")
    assert log.with_name("nodeos.log.1").read_bytes() + log.read_bytes() == written + b"more\n"
    assert log.stat().st_size < 10_000


def test_no_line_is_lost_under_load(tmp_path: Path) -> None:
    """While a writer logs as fast as it can, rotations keep every line (where the file system can cut files)."""
    log, lines, kept = tmp_path / "nodeos.log", 20_000, b""
    log.write_bytes(b"x" * 8192)
    with log.open("r+b") as file:
        if not nodelogs._cut_beginning(file.fileno(), 4096):
            pytest.skip("this file system cannot cut a file's beginning off")
        file.truncate(0)

    def write() -> None:
        with log.open("ab", buffering=0) as file:
            for number in range(lines):
                file.write(b"%0100d\n" % number)

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        if nodelogs.rotate(log, 50_000):
            kept += log.with_name("nodeos.log.1").read_bytes()
    writer.join()
    kept += log.read_bytes()
    assert kept == b"".join(b"%0100d\n" % number for number in range(lines))


def test_the_keeper_bounds_logs_and_ends(
    begin: Callable[..., Process], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It empties an over-long log while a node lives, is there once only, and ends when none lives any more."""
    folder = tmp_path / "nodes" / "one"
    (folder / "log").mkdir(parents=True)
    node = begin("sleep", "60")
    node.write(folder / RECORD)
    with (folder / nodelogs.LOG).open("ab") as log:
        log.truncate(nodelogs.LIMIT + 1)
    for _ in range(3):
        nodelogs.ensure(tmp_path)
    lock = tmp_path / "nodes" / ".logs.lock"
    wait_for(lambda: (folder / nodelogs.LOG).stat().st_size < 10_000, "the rotation")
    keeper = Process.of(int(lock.read_text()))
    os.kill(node.pid, signal.SIGKILL)
    wait_for(lambda: not keeper.alive, "the keeper's end", nodelogs.IDLE + nodelogs.LOOK + 10)
    with FileLock(lock):
        assert (tmp_path / "nodes" / ".logs.log").read_text() == ""
