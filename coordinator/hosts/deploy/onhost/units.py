"""Starts and stops the agent's unit; if that fails, reports what systemd and the agent logged."""

from __future__ import annotations

import subprocess
import time

from coordinator.hosts.deploy.onhost.base import HostFault, Request, quiet, run, said_by_user
from coordinator.hosts.deploy.onhost.words import last_words

START_SECONDS = 120.0
"""Start timeout. On an idle machine an agent runs within one second; one that fails is told at once."""
LINES = 40


def start_unit(record: Request, restart: bool) -> None:
    """Starts the unit, now and after reboots, and waits until the agent reports that it runs. Raises HostFault."""
    unit = record["unit"]
    began = time.time()
    run(["systemctl", "enable", "--quiet", unit])
    try:
        run(["systemctl", "restart" if restart else "start", unit])
    except HostFault as error:
        raise HostFault(f"{error}{_said(unit, began)}") from error
    restarts = _restarts(unit)
    deadline = time.monotonic() + START_SECONDS
    while _shown(unit, "MainPID") != _own_word(record["data"]):
        # One restart may be left of an agent that did not start earlier.
        failed = _shown(unit, "ActiveState") == "failed" or _restarts(unit) > restarts + 1
        if failed or time.monotonic() > deadline:
            raise HostFault(f"the agent does not start{_said(unit, began)}")
        time.sleep(0.1)


def stop_unit(record: Request) -> None:
    """Stops the unit for good. Raises HostFault."""
    began = time.time()
    try:
        run(["systemctl", "disable", "--now", "--quiet", record["unit"]])
    except HostFault as error:
        raise HostFault(f"{error}{_said(record['unit'], began)}") from error


def _restarts(unit: str) -> int:
    """How often systemd started it again by itself."""
    return int(_shown(unit, "NRestarts") or 0)


def _own_word(data: str) -> str:
    """The pid that the agent recorded (support/processes.py) after reading everything that it needs."""
    return str(said_by_user(data + "/agent.json").get("pid", ""))[:20]


def _shown(unit: str, name: str) -> str:
    return run(["systemctl", "show", "--value", "-p", name, unit]).decode().strip()


def _said(unit: str, since: float) -> str:
    """The unit's journal since the second of that moment."""
    quiet("journalctl", "--sync")  # what a unit said last may still be on its way
    command = ["journalctl", "--no-pager", "-q", "-o", "cat", "-n", str(LINES), "-u", unit, "--since", f"@{int(since)}"]
    try:
        words = last_words(subprocess.run(command, capture_output=True).stdout)  # noqa: S603 (an argument list)
    except OSError:
        return ""
    return f": {words}" if words else ""
