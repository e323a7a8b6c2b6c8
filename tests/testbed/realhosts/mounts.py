"""Overlay mounts, and removing folders in which something might be mounted."""

from __future__ import annotations

import os
import re
import shutil
import time
from pathlib import Path

from .command import attempt, run
from .settings import TestbedError


def mount_overlay(lower: Path, home: Path) -> None:
    """Mount `home`/root: what `home`/upper holds, over `lower`. Does nothing when it is mounted."""
    for part in ("upper", "work", "root"):
        (home / part).mkdir(parents=True, exist_ok=True)
    if not os.path.ismount(home / "root"):
        options = f"lowerdir={lower},upperdir={home}/upper,workdir={home}/work"
        run("mount", "-t", "overlay", "overlay", "-o", options, home / "root")


def unmount_below(path: Path, seconds: float = 10) -> None:
    """Unmount everything at or below `path`, deepest first; raises TestbedError when something stays busy."""
    deadline = time.monotonic() + seconds
    while mounted := _mounts_below(path):
        result = attempt("umount", mounted[-1])
        if result.returncode and time.monotonic() > deadline:
            raise TestbedError(f"cannot unmount {mounted[-1]}: {result.stderr.strip()}")
        if result.returncode:
            time.sleep(0.05)


def remove_tree(path: Path) -> None:
    """Remove a folder, unmounting first what is mounted in there: nothing beyond it is touched."""
    unmount_below(path)
    if path.exists():
        shutil.rmtree(path)


def _mounts_below(path: Path) -> list[str]:
    """Mount points at or below `path`, in the order they were mounted: proc_pid_mountinfo(5), field 5."""
    points = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        point = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), line.split()[4])
        if Path(point).is_relative_to(path):
            points.append(point)
    return points
