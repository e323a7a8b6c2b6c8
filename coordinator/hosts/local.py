"""Agents on this machine: enrols, starts (as detached processes), finds and stops them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from coordinator.agents.hub import Hub
from coordinator.errors import OperationFailed
from coordinator.hosts.deploy.onhost.words import ended
from coordinator.hosts.deploy.onhost.words import last_words as explained
from support import nodelogs
from support.ending import Ending
from support.files import write_atomic
from support.identity import Identity, Kind, TlsError
from support.node_processes import stop_nodes
from support.processes import Process, start, stop
from support.tls import check_issued, fingerprint, load_certificate
from support.version import source_version

AGENT = (sys.executable, "-m", "agent.cli")
RECORD = "agent.json"
"""File in an agent's data folder with the agent's process."""
LOG = "agent.log"
"""File beside it with what the agent writes on its standard output and error."""
CERTIFICATE = "identity/agent.pem"
VERSION = "agent.version"
"""File beside it that says which code and options the agent was started with."""


async def ensure_agent(hub: Hub, host: str, data: Path, metrics: str = "") -> bool:
    """Enrols and starts the host's agent unless it runs. One with older code, with another address for its metrics
    (HOST:PORT; empty: none), or with a certificate that this network's register or CA does not know, is replaced; its
    nodes keep running.

    Returns whether it was started.
    """
    version = data / VERSION
    if (process := Process.read(data / RECORD)) and process.alive:
        current = version.exists() and version.read_text(encoding="ascii") == _started_as(metrics)
        if current and _enrolled(hub, host, data):
            return False
        await asyncio.to_thread(stop, process)  # an agent that ends slowly must not hold up the others
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    endpoint = f"127.0.0.1:{hub.port}"
    csr = await _agent("enrol", data, "--network", hub.network, "--name", host, "--coordinator", endpoint)
    certificate = hub.enrol(host, Kind.HOST, csr)
    await _agent("admit", data, stdin=certificate + hub.authority.pem)
    start_agent(data, metrics)
    return True


def start_agent(data: Path, metrics: str = "") -> None:
    """Starts an agent that is enrolled, and waits for nothing. metrics: where it exports them; empty: nowhere."""
    write_atomic(data / VERSION, _started_as(metrics).encode())
    Ending.forget(data)
    options = ["--metrics", metrics] if metrics else []
    agent = start([*AGENT, "serve", "--data", str(data), *options], output=data / LOG, folder=data)
    agent.write(data / RECORD)  # as the agent will itself: it is found even if this command is interrupted now


def _started_as(metrics: str) -> str:
    """What an agent that is started now is kept as: its code, and its options."""
    return source_version() + (f" --metrics {metrics}" if metrics else "")


def _enrolled(hub: Hub, host: str, data: Path) -> bool:
    """Whether the agent's certificate is valid here."""
    try:
        certificate = load_certificate((data / CERTIFICATE).read_bytes())
        check_issued(certificate, hub.authority.certificate)
    except (OSError, TlsError):
        return False
    return hub.refusal(Identity(hub.network, Kind.HOST, host), fingerprint(certificate)) is None


def agent_runs(data: Path) -> bool:
    """Whether the agent of that data folder runs."""
    process = Process.read(data / RECORD)
    return process is not None and process.alive


def last_words(data: Path) -> str:
    """Why the agent of that data folder ended, in its own words; empty if unknown."""
    ending = Ending.read(data)
    return ending.reason if ending else ""


def stop_agent(data: Path) -> bool:
    """Stops the agent, never its nodes. Returns whether it ran."""
    process = Process.read(data / RECORD)
    if process is None or not process.alive:
        return False
    stop(process)
    return True


def stop_all(data: Path) -> tuple[str, ...]:
    """Stops the agent, if it runs, and then its nodes. Returns the names of the nodes that ran."""
    stop_agent(data)
    nodes = stop_nodes(data)
    nodelogs.end(data)
    return nodes


async def _agent(command: str, data: Path, *options: str, stdin: bytes = b"") -> bytes:
    """Runs one of the agent's short commands. Raises OperationFailed with its error message."""
    process = await asyncio.create_subprocess_exec(
        *AGENT, command, "--data", str(data), *options,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate(stdin)
    if process.returncode:
        raise OperationFailed(f"agent {command}: {explained(errors) or ended(process.returncode)}")
    return output
