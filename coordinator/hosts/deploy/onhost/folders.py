"""The agent's data folder, and the processes in it."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import signal
import stat
import time

from coordinator.hosts.deploy.onhost.base import (
    ROOT,
    HostFault,
    Request,
    listed,
    records,
    remove,
    rmdir,
    said_by_user,
    text,
    write_json,
    write_record,
)


def ensure_data(record: Request, user: pwd.struct_passwd) -> None:
    """Creates the data folder for the user. An existing one must be empty or already an agent's. Raises HostFault."""
    data = record["data"]
    if any(other["data"] == data and other["network"] != record["network"] for other in records()):
        raise HostFault(f"{data} already belongs to another network: name another folder in the inventory (hosts.data)")
    if os.path.islink(data):
        raise HostFault(f"{data} is a symbolic link: name the folder itself in the inventory (hosts.data)")
    missing = []
    folder = data
    while not os.path.isdir(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    if missing:
        write_json(ROOT + "/made.json", sorted({*_made(), *missing}))
    for folder in reversed(missing):
        os.mkdir(folder, 0o755)
    info = os.stat(data)
    ours = info.st_uid == user.pw_uid and os.path.isfile(data + "/agent.toml")  # its record was lost
    if not missing and not record["taken"] and not ours:
        if os.listdir(data):
            raise HostFault(f"{data} contains other files: name an empty folder (hosts.data)")
        record["found"] = [info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)]
    record["taken"] = True
    write_record(record)
    os.chown(data, user.pw_uid, user.pw_gid)
    os.chmod(data, 0o700)


def remove_data(record: Request) -> None:
    """Empties the folder if it became the agent's; `remove_made` removes it if we created it.

    Raises HostFault while any user's process uses it: what is in use is not removed.
    """
    if not record["taken"]:
        return
    users = [pid for pid in listed("/proc") if pid.isdigit() and pid != str(os.getpid()) and _uses(pid, record["data"])]
    if users:
        name = text(f"/proc/{users[0]}/comm").strip()
        raise HostFault(f"process {users[0]} ({name}) uses {record['data']}: stop it first, nothing was removed there")
    data, found = record["data"], record["found"]
    for name in listed(data):
        path = os.path.join(data, name)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    if found:  # it existed before, and was empty
        os.chown(data, found[0], found[1])
        os.chmod(data, found[2])


def remove_made() -> None:
    """Removes data folders that we created and that are now empty."""
    used = {record["data"] for record in records()}
    left = [folder for folder in sorted(_made(), reverse=True) if folder in used or not rmdir(folder)]
    if left:
        write_json(ROOT + "/made.json", sorted(left))
    else:
        remove(ROOT + "/made.json")


def agent_lives(data: str) -> bool:
    """Whether the agent that wrote agent.json (support/processes.py) still runs."""
    try:
        record = said_by_user(data + "/agent.json")
        stat_line = text(f"/proc/{int(record['pid'])}/stat")
        started = stat_line.rpartition(")")[2].split()[19]  # field 22 of proc(5)
        boot = text("/proc/sys/kernel/random/boot_id").strip()
        return bool(record["boot"] == boot and record["started"] == int(started))
    except (ValueError, KeyError, IndexError, TypeError, OverflowError, OSError):
        return False


def end_processes(record: Request) -> None:
    """Ends processes that the agent's user still runs there (the log keeper would end only later). Raises HostFault."""
    try:
        uid = pwd.getpwnam(record["user"]).pw_uid
    except KeyError:
        return  # the installation was interrupted before that
    shared = any(other["user"] == record["user"] and other["network"] != record["network"] for other in records())
    # If we created the user and this is its last agent, none of its processes belong anywhere else.
    place = record["data"] if shared or not os.path.isdir(ROOT + "/users/" + record["user"]) else ""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            pids = [pid for pid in listed("/proc") if pid.isdigit() and _works_in(pid, place, uid)]
            if not pids:
                return
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), number)
            time.sleep(0.1)
    raise HostFault(f"processes in {record['data']} do not end")


def _works_in(pid: str, data: str, uid: int) -> bool:
    """Whether the process is this user's and uses the folder; with empty data, whether it is this user's at all."""
    try:
        return os.stat(f"/proc/{pid}").st_uid == uid and (not data or _uses(pid, data))
    except OSError:
        return False


def _uses(pid: str, data: str) -> bool:
    """Whether a process works in the folder, or has a file in it open or mapped. A zombie has none."""
    inside = os.path.realpath(data) + "/"
    try:
        places = [f"/proc/{pid}/cwd"] + [f"/proc/{pid}/fd/{handle}" for handle in os.listdir(f"/proc/{pid}/fd")]
    except OSError:  # it ended
        return False
    for place in places:
        with contextlib.suppress(OSError):
            if (os.readlink(place) + "/").startswith(inside):
                return True
    with contextlib.suppress(OSError):  # root in a container may not inspect all
        return any((" " + inside) in line for line in text(f"/proc/{pid}/maps").splitlines())
    return False


def _made() -> list[str]:
    return json.loads(text(ROOT + "/made.json") or "[]")  # type: ignore[no-any-return]
