"""Finds the Python on a host that the agent will run on: tried as an unprivileged user, as the agent will be."""

from __future__ import annotations

import json
import os
import platform
import pwd
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from coordinator.hosts.deploy.onhost.words import ended, last_words

NEW_ENOUGH = (3, 11)
OTHERS = ("python3.13", "python3.12", "python3.11")
NOBODY = 65534
SECONDS = 20.0
HOMES = ("/home/", "/root/", "/run/user/")
"""Folders that the agent's unit hides, unless something of the agent's is there."""

# Modules that distributions omit, or that need system libraries.
_TRIAL = (
    "import asyncio, ctypes, hashlib, json, mmap, platform, sqlite3, ssl, sys, zlib; "
    "print(json.dumps([list(sys.version_info[:2]), list(platform.libc_ver())]))"
)


def best_python(user: str) -> dict[str, Any]:
    """{"path", "version": [3, n], "libc": [name, version], "problem"} of the first Python that is new enough and works.

    problem: why none works, in the order tried; the other values are then this process's own.
    user: the agent's, if it exists already.
    """
    problems = []
    for path in _candidates():
        version, libc, problem = _try(path, user)
        if not problem and tuple(version) >= NEW_ENOUGH:
            return {"path": path, "version": version, "libc": libc, "problem": ""}
        problems.append("{} {}".format(path, problem or "is Python " + ".".join(map(str, version))))
    own = list(sys.version_info[:2])
    return {"path": sys.executable, "version": own, "libc": [], "problem": "; ".join(problems)}


def own_python() -> dict[str, Any]:
    """The same of this very process."""
    version, libc = list(sys.version_info[:2]), list(platform.libc_ver())
    return {"path": sys.executable, "version": version, "libc": libc, "problem": ""}


def identity(user: str) -> tuple[int, int]:
    """uid and gid of the user that will run agent and nodes; those of nobody before that user exists."""
    try:
        found = pwd.getpwnam(user)
    except KeyError:
        return NOBODY, NOBODY
    return found.pw_uid, found.pw_gid


def lowered(user: str) -> Callable[[], None] | None:
    """A preexec function that drops a child's privileges to that user; None if we are not root."""
    if os.geteuid() != 0:
        return None
    uid, gid = identity(user)

    def drop() -> None:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        os.umask(0o077)

    return drop


def _candidates() -> list[str]:
    """Candidates: `python3`, the system's, and newer ones beside them; those in users' homes come last."""
    found = [sys.executable, "/usr/bin/python3", *(shutil.which(name) for name in OTHERS)]
    paths = [path for path in dict.fromkeys(found) if path and os.path.exists(path)]
    return sorted(paths, key=lambda path: path.startswith(HOMES))


def _try(path: str, user: str) -> tuple[list[int], list[str], str]:
    """Version, C library, and why that user cannot run it."""
    command = [path, "-I", "-B", "-c", _TRIAL]
    try:
        done = subprocess.run(  # noqa: S603 (an argument list, no shell)
            command, stdin=subprocess.DEVNULL, capture_output=True, cwd="/", timeout=SECONDS, preexec_fn=lowered(user)
        )
        if done.returncode:
            return [], [], f"does not work ({last_words(done.stderr) or ended(done.returncode)})"
        version, libc = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        return [], [], f"cannot be run by an unprivileged user ({said})"
    return version, libc, ""
