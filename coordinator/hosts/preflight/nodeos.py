"""Looks at a host's own nodeos: does it run, its version and protocol features. Sent along with probe.py."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from typing import Any

HELP_SECONDS = 10.0
START_SECONDS = 20.0
NOBODY = 65534
PLUGINS = ("chain", "http", "producer", "producer_api", "chain_api")  # chain first: some builds crash otherwise


def look_at_nodeos(path: str, drop: bool) -> dict[str, Any]:
    """{"error": what is wrong} or {"version", "supported": its protocol features, as it answered}.

    drop: root runs it as nobody, as another user will later; on the operator's own machine it is the operator who runs
    it.
    """
    drop = drop and os.geteuid() == 0
    if os.path.isdir(path):
        return {"error": path + " is a folder"}
    if not os.path.isfile(path):
        return {"error": "there is no " + path}
    if not os.access(path, os.X_OK):
        return {"error": path + " is not executable"}
    scratch = tempfile.mkdtemp(prefix="bootcoord-preflight-")
    try:
        if drop:
            os.chown(scratch, NOBODY, NOBODY)
        return _ask(path, scratch, drop)
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
        return {"error": "{} cannot be used: {}".format(path, getattr(error, "strerror", None) or error)}
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _unprivileged() -> None:
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def _ask(path: str, scratch: str, drop: bool) -> dict[str, Any]:
    """Runs it for a moment on a throwaway chain, on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        port, p2p = one.getsockname()[1], other.getsockname()[1]
    command = [path, "--config-dir", scratch, "--data-dir", scratch, "--http-server-address", f"127.0.0.1:{port}"]
    command += ["--p2p-listen-endpoint", f"127.0.0.1:{p2p}"]  # producer_plugin brings net_plugin along
    for plugin in PLUGINS:
        command += ["--plugin", f"eosio::{plugin}_plugin"]
    with open(os.path.join(scratch, "log"), "wb") as log:
        process = subprocess.Popen(  # noqa: S603 (an argument list, no shell)
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=scratch,
            start_new_session=True,
            preexec_fn=_unprivileged if drop else None,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            try:
                version = _get(port, "/v1/chain/get_info")["server_version_string"]
                return {"version": version, "supported": _get(port, "/v1/producer/get_supported_protocol_features")}
            except ConnectionRefusedError:
                time.sleep(0.1)
        return {"error": "{} does not run: {}".format(path, _complaint(os.path.join(scratch, "log")))}
    finally:
        process.terminate()
        try:
            process.wait(HELP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what a script in nodeos' place has started


def _get(port: int, path: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("POST", path, "{}")
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def _complaint(path: str) -> str:
    """The last one that tells of an error, if any does."""
    with open(path, errors="replace") as file:
        lines = file.read().strip().splitlines()
    errors = [line for line in lines if line.startswith("error")]
    return [*lines, *errors][-1][:200] if lines else "it says nothing"
