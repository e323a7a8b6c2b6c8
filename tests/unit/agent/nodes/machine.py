"""A simulated machine on which tests start and end the processes of a host's nodes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from agent.errors import AgentError
from agent.keys.keosd import KeosdKey
from agent.nodeos.spec import NodeSpec
from agent.nodes.folder import NodeFolder
from agent.nodes.launch import Launch
from agent.nodes.state import NodeStatus
from agent.nodes.supervisor import Nodes
from antelope.keys import PrivateKey
from boot.step import NodeMode
from inventory.network import Role
from support.processes import Process
from support.retry import poll

CHAIN = "c" * 64
GENESIS = b'{"initial_key": "x"}'
SPEC = NodeSpec("prod-a", Role.PRODUCER, "prod", "127.0.0.1:9876", "127.0.0.1:9876", 8888, peers=("h:1", "h:2"))
KEY = PrivateKey(bytes(31) + b"\x07")


@dataclass
class Client:
    """A node's HTTP API."""

    calls: list[tuple[str, str]] = field(default_factory=list)

    async def connect(self, peer: str) -> None:
        """Dials it."""
        self.calls.append(("connect", peer))

    async def disconnect(self, peer: str) -> None:
        """Hangs up."""
        self.calls.append(("disconnect", peer))

    async def call(self, path: str, body: object) -> None:
        """Any other call."""
        self.calls.append(("call", path))

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Machine:
    """Processes by pid, and the outcome of each start."""

    living: dict[int, Path] = field(default_factory=dict)
    """The folders of their nodes."""
    launched: list[Launch] = field(default_factory=list)
    halted: list[int] = field(default_factory=list)
    faults: list[AgentError] = field(default_factory=list)
    """The outcomes of the next starts."""
    client: Client = field(default_factory=Client)
    pids: itertools.count[int] = field(default_factory=lambda: itertools.count(4711))

    async def bring_up(self, launch: Launch) -> Process:
        """A process begins."""
        self.launched.append(launch)
        if self.faults:
            raise self.faults.pop(0)
        process = Process(next(self.pids), 1, "boot")
        self.living[process.pid] = launch.folder.path
        launch.folder.remember(process)
        return process

    async def halt(self, folder: NodeFolder) -> None:
        """Ends a process, if it lives."""
        for pid in [pid for pid, path in self.living.items() if path == folder.path]:
            del self.living[pid]
            self.halted.append(pid)

    def running(self, folder: Path) -> Process | None:
        """The process of a node's folder, whatever is on record."""
        return next((Process(pid, 1, "boot") for pid, path in self.living.items() if path == folder), None)

    def crash(self) -> None:
        """All processes die at once."""
        self.living.clear()


def signer(account: str) -> tuple[PrivateKey | KeosdKey, ...]:
    """The keys that sign for an account."""
    return ({"prod": KEY}[account],)


async def run(nodes: Nodes, spec: NodeSpec = SPEC, mode: NodeMode | None = NodeMode.NORMAL) -> None:
    """Has a node run."""
    await nodes.start(spec, mode, GENESIS, CHAIN)


async def becomes(what: Callable[[], object]) -> None:
    """Waits until that is true."""

    async def so() -> bool:
        return bool(what())

    await poll(so, what="the watcher", deadline=10, every=0.01)


async def seen(nodes: Nodes, what: Callable[[NodeStatus], object]) -> NodeStatus:
    """The only node's status, once it has this state."""

    async def so() -> NodeStatus | None:
        (status,) = await nodes.status()
        return status if what(status) else None

    return await poll(so, what="the node's status", deadline=10, every=0.01)
