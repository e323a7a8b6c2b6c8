"""Turns the facts about a host into cells and problems. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coordinator.advising import typed
from coordinator.hosts.deploy.errors import PYTHON_HINT
from coordinator.hosts.deploy.onhost.base import UPLOADS
from coordinator.hosts.deploy.target import MACHINES
from coordinator.hosts.deploy.unit import DATA, ROOT
from coordinator.hosts.preflight.model import HostProblem, Row
from coordinator.hosts.preflight.told import EXEC, NOEXEC, OPT, OPTIONS, OWN, SLOW, WRAPPER, told
from inventory.network import BUNDLED, Host
from support.bundled import GLIBC, VERSION

MIB, GIB = 1 << 20, 1 << 30
MEMORY_AGENT, MEMORY_NODE = 128 * MIB, 128 * MIB
"""Seen: 70 MiB for an agent, 77 MiB for an idle node."""
MEMORY_GROWTH = 512 * MIB
"""Additional memory of a node of a chain with a few 100,000 accounts."""
DISK_INSTALL, DISK_NODE = 512 * MIB, 256 * MIB
"""Agent and bundled nodeos take 150 MB, twice that while they are unpacked; a node begins with some 20 MB and its log
may grow to 32 MiB."""
ROOM = {ROOT: 300 * MIB, str(Path(UPLOADS).parent): 64 * MIB}
"""Space that an installation needs outside the data folder: unpacked, and while it is sent."""
DISK_GROWTH = 5 * GIB
"""Per node: blocks and state of the first months."""
DISK_USED = 0.90
"""nodeos stops at this share of the disk (resource-monitor-space-threshold)."""
CLOCK_WARN, CLOCK_FATAL = 0.1, 0.5
"""Seconds. Half a second is a whole slot: its blocks would miss their place; nodeos warns from there."""
FILES_UNIT, FILES_ALONE = 65536, 4096
"""Open files: what the unit asks for; what a node with 250 clients needs where there is no unit."""


@dataclass(frozen=True)
class Clock:
    """A host's clock against the operator's, in seconds."""

    offset: float
    uncertainty: float
    """Half of the round trip."""


@dataclass(frozen=True)
class Finding:
    """One check's cell, and its problem, if any."""

    check: str
    cell: str
    message: str = ""
    hint: str = ""
    fatal: bool = True


def unreachable(host: Host, message: str) -> tuple[Row, tuple[HostProblem, ...]]:
    """The row of a host that could not be logged in to. The message itself says what to do."""
    hint = f"then run {typed('preflight')} again"
    return Row(host.name, {"ssh": "no"}), (HostProblem(host.name, "ssh", True, message, hint),)


def without_python(host: Host, message: str) -> tuple[Row, tuple[HostProblem, ...]]:
    """The row of a host with a login but no facts. The message itself says what to do."""
    hint = f"then run {typed('preflight')} again"
    return Row(host.name, {"ssh": "yes", "python": "no"}), (HostProblem(host.name, "python", True, message, hint),)


def judge(host: Host, nodes: int, facts: Mapping[str, Any], clock: Clock | None, sudo: str) -> tuple[
    Row, tuple[HostProblem, ...]
]:  # fmt: skip
    """A row and its problems. nodes: how many the host will run. sudo: why sudo does not work; empty if it does."""
    checks = [Finding("ssh", "local" if host.local else "yes"), *_machine(host, facts), *_resources(host, nodes, facts)]
    checks += [
        *_clock(clock),
        *_ports(facts["ports"]),
        *_nodeos(host, facts),
        *_service(host, facts),
        *_sudo(host, sudo),
    ]
    cells = {check.check: check.cell for check in checks}
    problems = (HostProblem(host.name, one.check, one.fatal, one.message, one.hint) for one in checks if one.message)
    return Row(host.name, cells), tuple(problems)


def _machine(host: Host, facts: Mapping[str, Any]) -> Iterator[Finding]:
    linux = facts["system"] == "Linux"
    yield Finding("os", facts["os"], "" if linux else f"it runs {facts['system']}", "use a host with Linux")
    known = facts["machine"] in MACHINES
    yield Finding(
        "cpu", facts["machine"], "" if known else "the agent does not support it", f"use {' or '.join(MACHINES)}"
    )
    python = facts["python"]
    message = python["problem"]
    if not message and python["libc"][0] != "glibc":
        message = f"{python['path']} was not built for glibc, the agent's libraries are"
    yield Finding("python", ".".join(map(str, python["version"])), message, PYTHON_HINT)


def _resources(host: Host, nodes: int, facts: Mapping[str, Any]) -> Iterator[Finding]:
    memory, free = facts["memory"], facts["disk_free"]
    least, good = MEMORY_AGENT + nodes * MEMORY_NODE, MEMORY_AGENT + nodes * (MEMORY_NODE + MEMORY_GROWTH)
    message = "" if memory >= good else f"{_size(memory)} are free for {_count(nodes)}: {_size(good)} are better"
    yield Finding("memory", _size(memory), message, "give it more memory, or fewer nodes", fatal=memory < least)
    least, good = DISK_INSTALL + nodes * DISK_NODE, DISK_INSTALL + nodes * DISK_GROWTH
    message = "" if free >= good else f"{_size(free)} are free for {_count(nodes)}: {_size(good)} are better"
    fatal = free < least
    if facts["disk_used"] >= DISK_USED and not host.local:  # there nodeos is configured to continue
        message, fatal = f"the disk is {facts['disk_used']:.0%} full, and nodeos stops at {DISK_USED:.0%}", True
    where = "--state DIR" if host.local else f"hosts.data, now {host.data or DATA}"
    hint = f"free some space, or name a folder on another disk ({where})"
    yield Finding("disk", f"{_size(free)} free", message, hint, fatal)
    for place, trouble in facts["places"].items():
        data = place != ROOT
        yield Finding("disk", f"{_size(free)} free", trouble, NOEXEC if data else OPT)
    for place, bytes_ in facts["room"].items():
        message = f"{_size(bytes_)} are free in {place}, an installation needs {_size(ROOM[place])}"
        yield Finding("disk", f"{_size(free)} free", message, "free some space there")
    files = facts["files"]
    needed = FILES_UNIT if facts["systemd"] and not host.local else FILES_ALONE
    message = "" if files >= needed else f"at most {files} files can be open, {needed} are needed"
    yield Finding("files", str(files), message, "raise fs.nr_open, or the user's limit (ulimit -Hn)", fatal=False)


def _clock(clock: Clock | None) -> Iterator[Finding]:
    if clock is None:
        return
    surely = max(0.0, abs(clock.offset) - clock.uncertainty)
    message = "" if surely < CLOCK_WARN else f"it is {clock.offset:+.2f} s off the operator's clock"
    hint = "let NTP set both clocks (systemd-timesyncd or chrony)"
    yield Finding("clock", f"{round(clock.offset * 1000):+d} ms", message, hint, fatal=surely >= CLOCK_FATAL)


def _ports(ports: Mapping[str, str]) -> Iterator[Finding]:
    taken = {port: who for port, who in ports.items() if who not in ("", "own")}
    own = sum(who == "own" for who in ports.values())
    cell = f"{len(taken)} taken" if taken else f"{own} in use by our nodes" if own else "free"
    message = ", ".join(f"port {port} cannot be used: {who}" for port, who in taken.items())
    yield Finding(
        "ports", cell, message, "stop that program, or give the node another port or address in the inventory"
    )


def _nodeos(host: Host, facts: Mapping[str, Any]) -> Iterator[Finding]:
    bundled, found = host.nodeos == BUNDLED, facts["nodeos"]
    if bundled:
        cell, wrong = f"bundled ({VERSION})", _unfit(facts)
        yield Finding("nodeos", cell, wrong, "install a nodeos there, and name its path (hosts.nodeos)")
    elif "error" in found:
        cell = "no"
    else:
        cell = f"{found['version']}, {len(found['supported'])} features" if found else "not used"
    message = told(found) if "error" in found else ""
    remedy = NOEXEC if found.get("noexec") else SLOW if found.get("slow") else OPTIONS if bundled else OWN
    yield Finding("nodeos", cell, message, remedy)
    if found.get("wrapper"):
        yield Finding("nodeos", cell, WRAPPER, EXEC, fatal=False)


def _unfit(facts: Mapping[str, Any]) -> str:
    """Why the bundled nodeos cannot run there."""
    library, version = facts["libc"]
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if facts["machine"] != "x86_64" or library != "glibc" or numbers < GLIBC:
        return f"the bundled nodeos needs x86_64 and glibc {GLIBC[0]}.{GLIBC[1]} or newer"
    missing = ", ".join(facts["libraries"])
    return f"the bundled nodeos needs {missing}, which is not there (Debian: libstdc++6, zlib1g)" if missing else ""


def _service(host: Host, facts: Mapping[str, Any]) -> Iterator[Finding]:
    if host.local:
        yield Finding("service", "none needed")
        return
    message = "" if facts["systemd"] else "it has no systemd: after a reboot nothing starts agent and nodes"
    hint = f"run {typed('boot')} then, or use a host with systemd"
    yield Finding("service", "systemd" if facts["systemd"] else "none", message, hint, fatal=False)


def _sudo(host: Host, sudo: str) -> Iterator[Finding]:
    if host.ssh is not None:
        yield Finding("sudo", "no" if sudo else str(host.ssh.sudo), sudo, "the SSH user must become root to install")


def _count(nodes: int) -> str:
    return f"{nodes} node{'' if nodes == 1 else 's'}"


def _size(number: float) -> str:
    return f"{number / GIB:.1f} GiB" if number >= GIB else f"{number / MIB:.0f} MiB"
