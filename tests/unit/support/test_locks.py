"""A lock has one holder, and ends with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.locks import FileLock, LockedError


def test_a_second_holder_is_refused_and_told_who(tmp_path: Path) -> None:
    """The holder's pid is in the error; after the release it is free."""
    path = tmp_path / "lock"
    with FileLock(path), pytest.raises(LockedError, match=str(os.getpid())):
        FileLock(path).acquire()
    with FileLock(path):
        pass


def test_the_lock_goes_with_the_process_not_its_children(tmp_path: Path) -> None:
    """A child that outlives the holder (a node) does not keep it locked."""
    path = tmp_path / "lock"
    program = (
        "import subprocess, sys; from pathlib import Path; from support.locks import FileLock\n"
        "FileLock(Path(sys.argv[1])).acquire()\n"
        "print(subprocess.Popen(['sleep', '60'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid)"
    )
    run = subprocess.run([sys.executable, "-c", program, str(path)], check=True, capture_output=True)
    try:
        with FileLock(path):
            pass
    finally:
        os.kill(int(run.stdout), 9)
