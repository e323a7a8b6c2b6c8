"""Whether folders can hold what an installation brings, and which libraries are missing. Sent along with probe.py."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile

from coordinator.hosts.deploy.onhost.pythons import lowered
from coordinator.hosts.preflight.nodeos import existing

PROGRAM = "#!/bin/sh\nexit 0\n"


def troubles(places: dict[str, bool], user: str) -> dict[str, str]:
    """What is wrong with each folder. places: whether programs will run from it. user: who uses it."""
    found = {place: _trouble(existing(place), executes, user) for place, executes in places.items()}
    return {place: trouble for place, trouble in found.items() if trouble}


def room(places: dict[str, int]) -> dict[str, int]:
    """Free bytes of folders that have less than an installation needs. places: the needed bytes of each."""
    free = {}
    for place in places:
        disk = os.statvfs(existing(place))
        free[place] = disk.f_bavail * disk.f_frsize
    return {place: free[place] for place, needed in places.items() if free[place] < needed}


def missing_libraries(names: list[str]) -> list[str]:
    """The libraries that the loader does not find."""
    missing = []
    for name in names:
        try:
            ctypes.CDLL(name)
        except OSError:
            missing.append(name)
    return missing


def _trouble(place: str, executes: bool, user: str) -> str:
    """Tries a folder with a program in it, run by that user. Leaves nothing behind."""
    if os.geteuid() != 0 and not os.access(place, os.W_OK):
        return ""  # without root nothing can be tried there; the sudo check reports that
    try:
        folder = tempfile.mkdtemp(prefix=".bootcoord-preflight-", dir=place)
    except OSError as error:
        return f"nothing can be written in {place} ({error.strerror})"
    try:
        os.chmod(folder, 0o755)  # noqa: S103 (as the folder itself will be)
        program = os.path.join(folder, "program")
        with open(program, "w") as file:
            file.write(PROGRAM)
        os.chmod(program, 0o755)  # noqa: S103 (a program)
        become = lowered(user) if user else None
        seen = subprocess.run(["/bin/sh", "-c", '[ -r "$1" ]', "sh", program], preexec_fn=become)  # noqa: S603
        if seen.returncode:
            return f"an unprivileged user cannot enter {place}: chmod o+x {place} and its parents"
        if executes:
            subprocess.run([program], preexec_fn=become, check=True)  # noqa: S603 (our own)
    except PermissionError as error:
        return f"programs cannot run from {place} ({error.strerror}): is it mounted noexec?"
    except (OSError, subprocess.SubprocessError) as error:
        return f"{place} cannot be used ({getattr(error, 'strerror', None) or error})"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return ""
