"""The requests that a host understands."""

from __future__ import annotations

import base64
import contextlib
import errno
import json
import os
import platform

from coordinator.hosts.deploy.onhost.accounts import ensure_user, remove_users
from coordinator.hosts.deploy.onhost.archives import extract, prune, remove_uploads, unpack
from coordinator.hosts.deploy.onhost.base import (
    ROOT,
    HostFault,
    Request,
    as_user,
    listed,
    python_works,
    quiet,
    record_of,
    record_path,
    remove,
    rmdir,
    run,
    text,
    write,
    write_record,
)
from coordinator.hosts.deploy.onhost.folders import agent_lives, end_processes, ensure_data, remove_data, remove_made
from coordinator.hosts.deploy.onhost.guard import alone
from coordinator.hosts.deploy.onhost.pythons import best_python
from coordinator.hosts.deploy.onhost.units import start_unit, stop_unit


def facts(request: Request) -> Request:
    """What is installed; changes nothing."""
    record = record_of(request["network"])
    data, unit = record["data"] if record else request["data"], request["unit"]
    systemd = os.path.isdir("/run/systemd/system")
    return {
        "root": os.geteuid() == 0,
        "machine": platform.machine(),
        "python": best_python(request["user"]),
        "systemd": systemd,
        "held": listed(ROOT + "/bundles") + listed(ROOT + "/runtimes"),
        "record": record,
        "config": text(data + "/agent.toml"),
        "certificate": text(data + "/identity/agent.pem"),
        "unit": text(_unit_path(unit)),
        "enabled": systemd and quiet("systemctl", "is-enabled", "--quiet", unit),
        "active": quiet("systemctl", "is-active", "--quiet", unit) if systemd else agent_lives(data),
    }


def clear(request: Request) -> Request:
    """Removes uploads for the network, including those of interrupted installations."""
    remove_uploads(request["network"])
    return {}


def place(request: Request) -> Request:
    """Unpacks uploaded archives {sha256: path}, whole or not at all."""
    for sha256, path in request["bundles"].items():
        unpack(path, sha256, ROOT + "/bundles/" + sha256, extract)
    python = [request["python"], "-P", "-s", "-c", request["inbundle"]]
    if request["bundles"]:  # compiled once, by root, for every later start
        run([*python, "compile"], env=request["environment"])

    def unpack_runtime(archive: str, folder: str) -> None:
        run([*python, "unpack", archive, folder], env=request["environment"])

    for sha256, path in request["runtimes"].items():
        unpack(path, sha256, ROOT + "/runtimes/" + sha256, unpack_runtime)
    return {}


def configure(request: Request) -> Request:
    """Sets up user, data folder, unit and record. Returns the agent's certificate request if it needs a certificate."""
    record = record_of(request["network"]) or {"found": None, "taken": False}
    if record.get("data", request["data"]) != request["data"]:
        raise HostFault(f"this network's data and keys are in {record['data']} here: leave hosts.data as it was")
    if record["taken"] and record["user"] != request["user"]:
        raise HostFault(f"this network's files belong to {record['user']} here: leave hosts.user as it was")
    record.update({key: request[key] for key in ("network", "user", "data", "unit", "bundles", "runtime")})
    record.update({key: request[key] for key in ("python", "environment", "options")})
    write_record(record)
    user = ensure_user(request["user"])
    ensure_data(record, user)
    if request["unit_text"] and text(_unit_path(request["unit"])) != request["unit_text"]:
        write(_unit_path(request["unit"]), request["unit_text"], 0o644)
        run(["systemctl", "daemon-reload"])
    return {"csr": _agent(record, ["enrol", *request["enrol"]]).decode() if request["enrol"] else ""}


def start(request: Request) -> Request:
    """Installs the new certificate, if any, and makes sure that the agent runs, restarting it if something changed."""
    record = _known(request)
    if request["admit"]:
        _agent(record, ["admit"], request["admit"].encode())
    if request["systemd"]:
        start_unit(record, restart=request["changed"])
    else:
        verb = "restart" if request["changed"] else "start"
        as_user(record, ["-c", request["inbundle"], verb, record["data"], *record.get("options", [])])
    prune("bundles")  # only now: a running agent still reads its own
    return {}


def back_up_keys(request: Request) -> Request:
    """The host's keys, encrypted here to the operator's public keys: base64."""
    options = [word for recipient in request["recipients"] for word in ("--recipient", recipient)]
    return {"keys": base64.b64encode(_agent(_known(request), ["keys-backup", *options])).decode()}


def restore_keys(request: Request) -> Request:
    """Hands decrypted keys to the agent's key store. Returns their accounts."""
    restored = _agent(_known(request), ["keys-restore"], request["keys"].encode())
    return {"accounts": restored.decode().split()}


def down(request: Request) -> Request:
    """Stops the agent, also across reboots, and then its nodes."""
    record = _kept(request)
    if record is None:
        return {"known": False}
    try:
        _stop_agent(request, record)
        _stop_nodes(record)
    except HostFault:
        if python_works(record):
            raise
        end_processes(record)  # its Python is gone
    return {"known": True}


def purge(request: Request) -> Request:
    """`down`, then removes everything that was installed.

    Archives are sent before the record is written and removed after it: what no record needs is removed.
    """
    record = _kept(request)
    if record is not None:
        with contextlib.suppress(HostFault):  # for instance with damaged libraries; remaining processes are ended below
            _stop_agent(request, record)
            _stop_nodes(record)
        unit = _unit_path(record["unit"])
        if text(unit):
            os.unlink(unit)
            run(["systemctl", "daemon-reload"])
            quiet("systemctl", "reset-failed", record["unit"])
        remove(unit)
        end_processes(record)
        remove_data(record)
    remove(record_path(request["network"]))
    for kind in ("bundles", "runtimes"):
        prune(kind)
    remove_users()
    remove_made()
    remove_uploads(request["network"])
    for folder in ("networks", "bundles", "runtimes", "users", ""):
        rmdir(os.path.join(ROOT, folder))
    return {"known": record is not None}


def _kept(request: Request) -> Request | None:
    """The record. Raises HostFault if it was removed by hand: without it, what we installed is unknown."""
    record, path = record_of(request["network"]), record_path(request["network"])
    if record is None and text(_unit_path(request["unit"])):
        raise HostFault(f"{path} is gone, but {request['unit']} exists: install first, then do this again")
    return record


def _stop_agent(request: Request, record: Request) -> None:
    if os.path.isdir("/run/systemd/system") and text(_unit_path(record["unit"])):
        stop_unit(record)
    elif record["taken"]:
        as_user(record, ["-c", request["inbundle"], "stop", record["data"]])


def _stop_nodes(record: Request) -> None:
    if record["taken"] and os.path.isdir(record["data"]):
        _agent(record, ["down"])


def _agent(record: Request, arguments: list[str], stdin: bytes = b"") -> bytes:
    command, rest = arguments[0], arguments[1:]
    return as_user(record, ["-m", "agent.cli", command, "--data", record["data"], *rest], stdin)


def _unit_path(unit: str) -> str:
    return "/etc/systemd/system/" + unit


def _known(request: Request) -> Request:
    record = record_of(request["network"])
    if record is None:
        raise HostFault("the network is not installed here")
    return record


def main(document: str) -> None:
    """Carries out one request and prints the answer."""
    request = json.loads(document)
    os.umask(0o022)
    verbs = {
        verb.__name__: verb for verb in (facts, clear, place, configure, start, back_up_keys, restore_keys, down, purge)
    }
    answer: Request
    try:
        if request["verb"] == "facts":
            answer = {"done": facts(request)}
        else:
            with alone():
                answer = {"done": verbs[request["verb"]](request)}
    except HostFault as error:
        answer = {"error": str(error)}
    except OSError as error:
        hint = ": free some space on its disk" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        answer = {"error": f"{error.filename or 'the host'}: {error.strerror or error}{hint}"}
    print(json.dumps(answer))  # noqa: T201 (the answer)
