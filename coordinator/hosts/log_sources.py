"""Finds the logs of nodes and agents, and reads them as they grow: on this machine, or over SSH."""

from __future__ import annotations

import os
import queue
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coordinator.errors import OperationFailed, UsageProblem
from inventory.network import Host, Network
from support.errors import explanation

if TYPE_CHECKING:  # it takes a while to import, and local logs need none
    from coordinator.hosts.deploy.deployment import SshDeployment

AGENT = "agent"


@dataclass(frozen=True)
class LogSource:
    """One log."""

    name: str
    """As a user types it: a node's name, or agent@HOST."""
    host: Host
    node: str
    """Empty: the host's agent."""

    def file(self, hosts: Path) -> Path:
        """The log's path on this machine. hosts: the folder with the folders of this machine's hosts."""
        return hosts / self.host.name / (f"nodes/{self.node}/log/nodeos.log" if self.node else "agent.log")


def log_sources(network: Network, names: Sequence[str]) -> tuple[LogSource, ...]:
    """The logs of these names; without names, of all the operator's nodes and agents. Raises UsageProblem."""
    hosts = {host.name: host for host in network.hosts}
    known = {node.name: LogSource(node.name, hosts[node.host], node.name) for node in network.nodes if not node.party}
    known |= {f"{AGENT}@{name}": LogSource(f"{AGENT}@{name}", host, "") for name, host in hosts.items()}
    if unknown := [name for name in names if name not in known]:
        raise UsageProblem(
            f"{network.source}: there is no node {', '.join(map(repr, unknown))}; known: {', '.join(known)}"
        )
    return tuple(known[name] for name in dict.fromkeys(names)) or tuple(known.values())


@dataclass(frozen=True)
class Piece:
    """Bytes of one log. Without bytes the log has ended, with a reason if reading it failed."""

    source: str
    data: bytes
    reason: str = ""


class LogReading:
    """Reads several logs at once, each in a thread of its own."""

    def __init__(self, hosts: Path, far: SshDeployment | None, lines: int, follow: bool) -> None:
        """hosts: the folders of this machine's hosts. far: reaches the others; None: there are none. lines: how many
        from the end of each log. follow: then the new ones, without end.
        """
        self._hosts, self._far, self._lines, self._follow = hosts, far, lines, follow
        self._pieces: queue.Queue[Piece] = queue.Queue()
        self._tails: list[subprocess.Popen[bytes]] = []

    @contextmanager
    def open(self, sources: Sequence[LogSource]) -> Iterator[queue.Queue[Piece]]:
        """The pieces of all logs, in the order in which they arrive, until the block ends."""
        for source in sources:
            threading.Thread(target=self._read, args=(source,), daemon=True).start()
        try:
            yield self._pieces
        finally:
            for tail in self._tails:
                tail.terminate()

    def _read(self, source: LogSource) -> None:
        reason = ""
        try:
            for data in self._local(source) if source.host.local else self._remote(source):
                self._pieces.put(Piece(source.name, data))
        except OperationFailed as error:
            reason = explanation(error) if source.host.local else f"{source.name}: {explanation(error)}"
        except OSError as error:
            reason = f"{source.name}: its log cannot be read: {error.strerror or error}"
        finally:
            self._pieces.put(Piece(source.name, b"", reason))

    def _remote(self, source: LogSource) -> Iterator[bytes]:
        if self._far is None:
            raise OperationFailed(f"host {source.host.name} is another machine")
        return self._far.logs(source.host, source.node, lines=self._lines, follow=self._follow)

    def _local(self, source: LogSource) -> Iterator[bytes]:
        file = source.file(self._hosts)
        if not self._follow and not file.exists():
            raise OperationFailed(f"{source.name} has written no log yet ({file})")
        command = ["tail", "-n", str(self._lines), *(["-F"] if self._follow else []), "--", str(file)]
        with subprocess.Popen(  # noqa: S603 (an argument list)
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as tail:
            self._tails.append(tail)
            while tail.stdout and (data := os.read(tail.stdout.fileno(), 1 << 16)):
                yield data
