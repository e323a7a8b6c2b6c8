"""Processes that outlive their starter, and logs that stay bounded meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from support import nodelogs, processes
from support.locks import FileLock
from support.node_processes import RECORD
from support.processes import Process, StillRunningError
from tests.waiting import until

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"


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
    """After stop the process is gone, also for a caller that did not start it; a second stop does nothing."""
    process = begin("sleep", "60")
    processes.stop(process, 20)
    assert not process.alive
    processes.stop(process, 0)


@pytest.mark.advice(
    "support: process … (…) still runs … s after SIGTERM; look at its log, and only when nothing else helps: kill -9 …",
)
def test_what_does_not_end_is_an_error_and_lives(begin: Callable[..., Process], tmp_path: Path) -> None:
    """A process that ignores SIGTERM is reported after the grace period, and not killed; `kill` does that."""
    process = begin(sys.executable, "-c", DEAF)
    until(lambda: "deaf" in (tmp_path / "output").read_text(), "the process to be deaf")
    with pytest.raises(StillRunningError) as told:
        processes.stop(process, 0.2)
    assert process.alive
    advised = str(told.value).rpartition(": ")[2]
    assert advised == f"kill -9 {process.pid}"
    subprocess.run(advised.split(), check=True)
    until(lambda: not process.alive, "it was killed")


@pytest.mark.parametrize("cuts", [True, False], ids=["cut", "truncated"])
def test_a_long_log_moves_aside_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cuts: bool) -> None:
    """Beyond the limit the content moves to .1 and the writer continues in the file: together they hold all that was
    written.
    """
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
    """It rotates long logs while a node lives, runs only once, and ends with the last node."""
    folder = tmp_path / "nodes" / "one"
    (folder / "log").mkdir(parents=True)
    node = begin("sleep", "60")
    node.write(folder / RECORD)
    with (folder / nodelogs.LOG).open("ab") as log:
        log.truncate(nodelogs.LIMIT + 1)
    for _ in range(3):
        nodelogs.ensure(tmp_path)
    lock = tmp_path / "nodes" / ".logs.lock"
    until(lambda: (folder / nodelogs.LOG).stat().st_size < 10_000, "the rotation")
    keeper = Process.of(int(lock.read_text()))
    os.kill(node.pid, signal.SIGKILL)
    until(lambda: not keeper.alive, "the keeper's end", nodelogs.IDLE + nodelogs.LOOK + 10)
    with FileLock(lock):
        assert (tmp_path / "nodes" / ".logs.log").read_text() == ""


def test_how_a_process_ended_is_known_though_another_thread_looks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One that ends at once, while another thread looks at all processes just then."""
    look: list[threading.Thread] = []
    popen = subprocess.Popen

    def crashed(*arguments: object, **more: object) -> object:
        child = popen(*arguments, **more)  # type: ignore[call-overload] # as it came
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        process = Process.of(child.pid)
        look.append(threading.Thread(target=lambda: process.alive))
        look[0].start()
        look[0].join(0.2)
        return child

    monkeypatch.setattr("support.processes.subprocess.Popen", crashed)
    process = processes.start(["sh", "-c", "exit 3"], output=tmp_path / "log", folder=tmp_path)
    look[0].join()
    assert process.ended == 3


LAST_THREAD = """
import ctypes, os, sys, threading, time

def last():
    while not os.path.exists(sys.argv[1]):
        time.sleep(0.01)
    os._exit(3)

threading.Thread(target=last).start()
ctypes.CDLL(None).syscall(60, 0)  # exit of this thread alone; the number is x86-64's
"""


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the system call's number is x86-64's")
def test_a_child_is_alive_until_its_last_thread_has_ended(begin: Callable[..., Process], tmp_path: Path) -> None:
    """nodeos' first thread is a zombie for a moment before the others have ended, and has its data open until then."""
    process = begin(sys.executable, "-c", LAST_THREAD, str(tmp_path / "end"))
    state = Path(f"/proc/{process.pid}/stat")
    until(lambda: state.read_text().rpartition(")")[2].split()[0] == "Z", "the first thread's end", 20)
    assert process.alive
    assert process.ended is None
    (tmp_path / "end").touch()
    until(lambda: not process.alive, "the last thread's end", 20)
    assert process.ended == 3
