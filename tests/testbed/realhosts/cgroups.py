"""Control groups of a host's own, where this machine has no systemd that makes a scope for each container.

Without them all containers would share one tree, and one host's systemd would remove groups that another's is using.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from .settings import Host


def folders(host: Host) -> list[Path]:
    """Where a host's groups lie: one folder in each hierarchy that systemd uses."""
    return [hierarchy / f"testbed-{host.name}" for hierarchy in _hierarchies(Path("/proc/mounts").read_text())]


def make(host: Host) -> list[Path]:
    """Make them; a process that is to be in them writes itself into each one's cgroup.procs."""
    made = folders(host)
    for folder in made:
        folder.mkdir(exist_ok=True)
    return made


def remove(host: Host) -> None:
    """Remove those of a host that is off; a group that somebody is still in stays."""
    for top in folders(host):
        for folder, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)


def cpu_seconds(host: Host) -> float | None:
    """CPU time that all processes of a host spent since its start; None where its control group does not tell."""
    for folder in folders(host):
        with contextlib.suppress(FileNotFoundError):
            fields = dict(line.split() for line in (folder / "cpu.stat").read_text().splitlines())
            return int(fields["usage_usec"]) / 1e6
    return None


def _hierarchies(mounts: str) -> list[Path]:
    """Mount points of cgroup v2, and of systemd's own hierarchy of v1, from the text of /proc/mounts."""
    found = []
    for line in mounts.splitlines():
        _, point, kind, options, *_ = line.split(" ")
        if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options.split(",")):
            found.append(Path(point))
    return found
