"""Runs on a host, sent over SSH to `python3 -`: inspects, listens and dials, and changes nothing.

Only the standard library, and Python 3.7 or newer: an old host must still be able to say how old it is.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import json
import os
import platform
import pwd
import resource
import select
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from coordinator.hosts.deploy.onhost.pythons import best_python, own_python
from coordinator.hosts.preflight.nodeos import existing, try_out
from coordinator.hosts.preflight.places import missing_libraries, room, troubles

DIAL_SECONDS = 5.0
DIALS_AT_ONCE = 64
BANNER = b"bootcoord preflight "


def look(request: dict[str, Any]) -> dict[str, Any]:
    """Facts about the host."""
    disk = os.statvfs(existing(request["data"]))
    ports = _ports(request)
    systemd = os.path.isdir("/run/systemd/system")
    return {
        "root": os.geteuid() == 0,
        "system": platform.system(),
        "os": _os_name(),
        "machine": platform.machine(),
        "python": own_python() if request["own"] else best_python(request["user"]),
        "libc": list(platform.libc_ver()),
        "memory": _memory(),
        "disk_free": disk.f_bavail * disk.f_frsize,
        "disk_used": 1 - disk.f_bavail / max(1, disk.f_blocks),
        "systemd": systemd,
        "files": _number("/proc/sys/fs/nr_open") if systemd else resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        "ports": ports,
        "places": troubles(request["places"], request["user"] if request["drop"] else ""),
        "room": {} if os.path.isdir(request["installed"]) else room(request["room"]),
        "libraries": missing_libraries(request["libraries"]),
        "nodeos": _nodeos(request, any(owner == "own" for owner in ports.values())),
    }


def _nodeos(request: dict[str, Any], running: bool) -> dict[str, Any]:
    """Facts about nodeos; empty if the bundled one is not installed yet. If nodes already run, one trial shows its
    features, and the others are for options, which may be new.
    """
    installed = sorted(glob.glob(request["bundled"]))
    command = [request["nodeos"]] if request["nodeos"] else [*installed[-1:], "nodeos"]
    if not request["trials"] or not (request["nodeos"] or installed):  # no node will run here, or it is not there yet
        return {}
    first, *others = request["trials"]
    chosen = [first, *(trial for trial in others if trial["options"] or not running)]
    return try_out({**request, "command": command, "trials": chosen})


def listen(request: dict[str, Any]) -> None:
    """Accepts on the ports, says who it is, and ends when its output is closed, or after a timeout."""
    servers = [_server("0.0.0.0", port) for port in request["ports"]]  # noqa: S104 (as nodeos will)
    print("listening", flush=True)  # noqa: T201 (the answer)
    poll = select.poll()
    for server in servers:
        poll.register(server, select.POLLIN)
    poll.register(sys.stdout, 0)  # errors and hang-ups are always reported
    deadline = time.monotonic() + request["seconds"]
    by_number = {server.fileno(): server for server in servers}
    while time.monotonic() < deadline:
        for number, _events in poll.poll(1000):
            if number not in by_number:
                return
            with contextlib.suppress(OSError):  # the dialler hung up
                connection = by_number[number].accept()[0]
                with connection:
                    connection.settimeout(1.0)
                    connection.sendall(BANNER + request["name"].encode() + b"\n")


def dial(request: dict[str, Any]) -> dict[str, str]:
    """The error of dialling each endpoint, empty on success. request: {"HOST:PORT": name of the listener, or ""}.

    Dials concurrently: an endpoint behind a firewall that drops packets takes DIAL_SECONDS.
    """
    endpoints = request["endpoints"]
    with ThreadPoolExecutor(DIALS_AT_ONCE) as pool:
        return dict(zip(endpoints, pool.map(_dial, endpoints, endpoints.values())))  # noqa: B905 (new in Python 3.10)


def _dial(endpoint: str, name: str) -> str:
    """name: who must answer; empty if anybody may, because one of our nodes already uses the port."""
    host, _, port = endpoint.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), DIAL_SECONDS) as connection:
            said = connection.recv(200) if name else b""
    except OSError as error:
        return error.strerror or str(error)
    if name and said != BANNER + name.encode() + b"\n":
        return "another machine answers"
    return ""


def _ports(request: dict[str, Any]) -> dict[str, str]:
    """Of each port: empty if free; "own" if a node or agent of this network has it; otherwise who has it, or what is
    wrong.
    """
    states = {port: _port(bind, port, request["drop"]) for bind, port in request["ports"]}
    owners = _owners({port for port, state in states.items() if state is None}, request["data"], request["user"])
    return {str(port): owners[port] if state is None else state for port, state in states.items()}


def _port(bind: str, port: int, drop: bool) -> str | None:
    """None if somebody has it; otherwise what is wrong with it, empty if nothing is."""
    least = _number("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    try:
        _server(bind, port).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return None
        if error.errno == errno.EADDRNOTAVAIL:
            return f"{bind} is not an address of this host"
        if error.errno != errno.EACCES:
            return error.strerror or str(error)
        return f"below {least}, which takes root"
    # Root may bind it, but nodes do not run as root.
    return f"below {least}, which takes root" if drop and port < least else ""


def _server(bind: str, port: int) -> socket.socket:
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind((bind, port))
        server.listen(64)
    except OSError:
        server.close()
        raise
    return server


def _owners(ports: set[int], data: str, user: str) -> dict[int, str]:
    """Which processes have these ports, found in one pass over the processes. Ours come first and mostly suffice: a
    machine may have thousands of others.
    """
    if not ports:
        return {}
    listening = [fields for fields in _sockets() if fields[3] == "0A" and _port_of(fields) in ports]
    port_of = {f"socket:[{fields[9]}]": _port_of(fields) for fields in listening}
    inside = os.path.realpath(data) + "/"
    pids = {
        pid: (_link(f"/proc/{pid}/cwd") + "/").startswith(inside) for pid in filter(str.isdigit, os.listdir("/proc"))
    }
    found: dict[int, str] = {}
    for pid in sorted(pids, key=lambda pid: not pids[pid]):
        if len(found) == len(ports):
            break
        held = {port_of[link] for link in _open_files(pid) if link in port_of}
        for port in held - found.keys():
            found[port] = "own" if pids[pid] else f"process {pid} ({_text(f'/proc/{pid}/comm').strip()})"
    for port in ports - found.keys():  # without root only the user is known
        users = {_user(int(fields[7])) for fields in listening if _port_of(fields) == port}
        nobody = "a connection of this machine has it, and nothing listens there"
        who = f"user {', '.join(sorted(users))}" if users else nobody
        found[port] = "own" if users == {user} else who
    return found


def _open_files(pid: str) -> list[str]:
    """Empty for a process that ended or is another user's."""
    try:
        return [_link(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        return []


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _sockets() -> list[list[str]]:
    """Lines of /proc/net/tcp and tcp6 (proc(5))."""
    return [line.split() for name in ("tcp", "tcp6") for line in _text("/proc/net/" + name).splitlines()[1:]]


def _port_of(fields: list[str]) -> int:
    return int(fields[1].rpartition(":")[2], 16)


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _os_name() -> str:
    for line in _text("/etc/os-release").splitlines():
        key, _, value = line.partition("=")
        if key == "PRETTY_NAME":
            return value.strip('"')
    return platform.platform(terse=True)


def _memory() -> int:
    """Bytes available to new programs (proc(5), MemAvailable)."""
    for line in _text("/proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def _number(path: str) -> int:
    return int(_text(path) or 0)


def _text(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def main(document: str) -> None:
    """Carries out one request and prints the answer; `listen` has its own."""
    request = json.loads(document)
    if request["verb"] == "listen":
        try:
            return listen(request)
        except OSError as error:
            print(json.dumps(_refused(error)))  # noqa: T201 (the answer)
            return None
    print(json.dumps(carried_out(request)))  # noqa: T201 (the answer)
    return None


def carried_out(request: dict[str, Any]) -> dict[str, Any]:
    """{"done": the answer}, or {"error": what the system said}."""
    try:
        return {"done": {"look": look, "dial": dial, "try": try_out}[request["verb"]](request)}
    except OSError as error:
        return _refused(error)


def _refused(error: OSError) -> dict[str, Any]:
    return {"error": "{}: {}".format(error.filename or "the host", error.strerror or error)}
