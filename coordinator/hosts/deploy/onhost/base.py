"""Files, commands, and the records below ROOT."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
from collections.abc import Callable
from typing import Any

from coordinator.hosts.deploy.onhost.words import ended, last_words

ROOT = "/opt/bootcoord"
UPLOADS = "/var/tmp/bootcoord"  # noqa: S108 (the beginning of names that mktemp makes up)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

Request = dict[str, Any]


class HostFault(Exception):
    """One line for the operator."""


def run(
    command: list[str],
    stdin: bytes = b"",
    env: dict[str, str] | None = None,
    before: Callable[[], None] | None = None,
) -> bytes:
    """Runs a command and returns what it printed. Raises HostFault with its own message if its status is not 0.

    env is added to a minimal environment; before is called in the child.
    """
    full = {"PATH": PATH, "LC_ALL": "C.UTF-8", **(env or {})}
    name = " ".join(word for word in command[:6] if "\n" not in word)
    try:
        done = subprocess.run(  # noqa: S603 (an argument list, no shell)
            command, input=stdin, capture_output=True, env=full, cwd="/", preexec_fn=before
        )
    except OSError as error:
        raise HostFault(f"{name}: {error.strerror or error}") from error
    if done.returncode:
        raise HostFault(f"{name}: {last_words(done.stderr or done.stdout) or ended(done.returncode)}")
    return done.stdout


def quiet(*command: str) -> bool:
    """Whether the command exists and its status is 0."""
    try:
        return subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0  # noqa: S603
    except OSError:
        return False


def as_user(record: Request, arguments: list[str], stdin: bytes = b"") -> bytes:
    """Runs Python with the agent's bundle, as the agent's user. Raises HostFault."""
    try:
        user = pwd.getpwnam(record["user"])
    except KeyError:
        raise HostFault(f"user {record['user']} is gone: install again, which creates it") from None

    def unprivileged() -> None:
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
        os.umask(0o077)

    return run([record["python"], "-P", "-s", *arguments], stdin, record["environment"], unprivileged)


def python_works(record: Request) -> bool:
    """Whether the agent's Python still works for the agent's user."""
    try:
        as_user(record, ["-c", "pass"])
    except HostFault:
        return False
    return True


def record_path(network: str) -> str:
    """The path of a network's record."""
    return f"{ROOT}/networks/{network}.json"


def record_of(network: str) -> Request | None:
    """The record of a network; None if it is not installed."""
    held = text(record_path(network))
    return json.loads(held) if held else None


def records() -> list[Request]:
    """The records of all networks on this host."""
    names = [name[:-5] for name in listed(ROOT + "/networks") if name.endswith(".json")]
    return [record for record in map(record_of, names) if record]


def write_record(record: Request) -> None:
    """Writes the record."""
    os.makedirs(ROOT + "/networks", 0o755, exist_ok=True)
    write_json(record_path(record["network"]), record)


def write_json(path: str, value: Any) -> None:
    """Writes a JSON file that only root can read."""
    write(path, json.dumps(value, indent=1, sort_keys=True), 0o600)


def write(path: str, text: str, mode: int) -> None:
    """Replaces a file atomically."""
    with open(path + ".new", "w") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


def remove(path: str) -> None:
    """Removes a file that `write` created, or left unfinished."""
    for each in (path, path + ".new"):
        if os.path.lexists(each):
            os.unlink(each)


def text(path: str) -> str:
    """A file's text; empty if there is none."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def said_by_user(path: str) -> dict[str, Any]:
    """The JSON object in a file that the agent's user may have written arbitrarily; empty if there is none."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            found = json.loads(os.read(handle, 4096))
        finally:
            os.close(handle)
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def listed(folder: str) -> list[str]:
    """Names in a folder; empty if there is none."""
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def rmdir(folder: str) -> bool:
    """Removes a folder if it is empty. Returns whether it is gone."""
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
