"""`coord devnet`: a chain on this machine that eosio signs alone, quickly, for people who write contracts.

`agent solo` makes the keys, seals the network, sends the boot's own transactions in a row, and reads the evidence of
every step. Then the host's agent starts, and the network is like any other: `coord boot` would find nothing to do.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coordinator.advising import near
from coordinator.errors import OperationFailed, UsageProblem
from coordinator.hosts.local import start_agent, stop_agent, stop_all
from coordinator.parties.open_network import OpenNetwork
from coordinator.reporter import StepResult
from coordinator.state.folder import SEALED
from coordinator.state.placements import Placements
from inventory import syntax
from inventory.devnet import FILE, Devnet
from inventory.errors import InventoryError
from inventory.load import load
from inventory.network import Network
from inventory.sealed import Sealed
from support import node_processes
from support.artifacts import ArtifactStore
from support.files import remove_folder, write_atomic
from support.identity import Kind

from .down import down
from .opening.session import open_network

Tell = Callable[[str, float], None]
"""Is called with each finished step and its seconds."""
Heard = Callable[[dict[str, Any], asyncio.subprocess.Process], Awaitable[None]]
"""Receives each message of the process, and may answer."""


def prepare(root: Path, wanted: Devnet, *, anew: bool) -> Network:
    """The devnet's network. Writes its inventory if there is none, or if other settings are wanted. anew: an existing
    chain is to be removed. Raises InventoryError, UsageProblem.
    """
    if wrong := syntax.network_name(wanted.name):
        raise UsageProblem(f"--name: {wrong}")
    folder = root / wanted.name
    path = folder / FILE
    if not path.exists() and folder.exists() and any(folder.iterdir()):
        raise UsageProblem(f"{folder} is the state of another network: give the devnet another --name")
    if path.exists() and wanted.says_nothing:
        return load(path)
    if (folder / SEALED).exists() and not anew:
        raise UsageProblem(
            f"{wanted.name} has a chain already, with what {near(path)} says: ports, symbol and accounts are for a new "
            "one; leave them out, or say --forget, or give another --name"
        )
    before = path.read_bytes() if path.exists() else None
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_atomic(path, wanted.text().encode())
    try:
        return load(path)
    except InventoryError:  # it stays as it was
        if before is None:
            remove_folder(folder)
        else:
            write_atomic(path, before)
        raise


async def begin(network: Network, root: Path, tell: Tell) -> None:
    """Starts the chain's node, on a new chain or the existing one. Returns once it takes transactions.

    Raises OperationFailed, and what opening a network raises.
    """
    folder = root.absolute() / network.name
    data = folder / "hosts" / network.genesis_node.host
    if runs(network, root):
        return
    if not (folder / SEALED).exists():  # never begun, or interrupted while it began
        stop_all(data)
        for path in folder.iterdir():
            if path.name != FILE:
                remove_folder(path) if path.is_dir() else path.unlink()
    async with open_network(network, root, acting=True) as opened:
        try:
            if opened.state.sealed:
                await asyncio.to_thread(stop_agent, data)  # `agent solo` takes its place for a moment
                await _Solo(opened, data, tell).run("--resume")
            else:
                await _sealed(opened, data, await _Solo(opened, data, tell).begin())
        except BaseException:
            stop_all(data)
            raise
    start_agent(data, network.host(network.genesis_node.host).metrics)


async def _sealed(opened: OpenNetwork, data: Path, manifest: str) -> None:
    """Stores the network that the agent has sealed."""
    store = ArtifactStore(data / "artifacts")
    sealed = Sealed.parse(store.get(manifest))
    opened.state.seal(sealed, {sha256: store.get(sha256) for sha256 in sealed.artifacts})
    Placements(opened.state.journal).remember(opened.network)
    opened.state.inputs.rows_digest(opened.network.users)


async def again(network: Network, root: Path, tell: Tell) -> None:
    """Begins the same chain again from its first block: the same keys and chain id, but nothing that
    happened since the boot. Raises OperationFailed before the first start.
    """
    data = root.absolute() / network.name / "hosts" / network.genesis_node.host
    async with open_network(network, root, acting=True) as opened:
        manifest = opened.sealed.manifest
        await asyncio.to_thread(stop_all, data)
        remove_folder(data / "nodes" / network.genesis_node.name)
        await _Solo(opened, data, tell).run("--again", manifest)
    start_agent(data, network.host(network.genesis_node.host).metrics)


def runs(network: Network, root: Path) -> bool:
    """Whether the devnet's node is running."""
    folder = root / network.name / "hosts" / network.genesis_node.host / "nodes" / network.genesis_node.name
    return folder.exists() and node_processes.running(folder) is not None


def forget(network: Network, root: Path, tell: Callable[[str], None]) -> None:
    """Stops the devnet and removes its chain and its keys; its ports are kept. Raises as `down`."""
    folder = root / network.name
    text = (folder / FILE).read_bytes()
    if any(path.name != FILE for path in folder.iterdir()):
        down(network, root, tell, purge=True)
        folder.mkdir(mode=0o700)
        write_atomic(folder / FILE, text)


@dataclass(frozen=True)
class _Solo:
    """This process's conversation with `agent solo`, in lines of JSON."""

    opened: OpenNetwork
    data: Path
    tell: Tell

    async def begin(self) -> str:
        """Boots a new chain. Returns its manifest."""
        manifest = ""

        async def heard(document: dict[str, Any], process: asyncio.subprocess.Process) -> None:
            nonlocal manifest
            manifest = str(document.get("manifest", ""))
            if "csr" in document and process.stdin:
                hub, host = self.opened.hub, self.opened.network.genesis_node.host
                certificates = hub.enrol(host, Kind.HOST, document["csr"].encode()) + hub.authority.pem
                process.stdin.write(json.dumps({"certificates": certificates.decode()}).encode() + b"\n")
                await process.stdin.drain()

        await self.run("--coordinator", f"127.0.0.1:{self.opened.hub.port}", heard=heard)
        return manifest

    async def run(self, *options: str, heard: Heard | None = None) -> None:
        """Starts the existing chain."""
        source = str(self.opened.network.source)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "agent.cli", "solo", "--data", str(self.data), "--inventory", source, *options,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout  # noqa: S101 (a pipe)
        assert process.stderr  # noqa: S101 (a pipe)
        errors = asyncio.ensure_future(process.stderr.read())
        try:
            async for line in process.stdout:
                document = json.loads(line)
                if "step" in document:
                    step, seconds = str(document["step"]), float(document["seconds"])
                    self.opened.state.record_step(step, StepResult.DONE, seconds, str(document["detail"]))
                    self.tell(step, seconds)
                if heard:
                    await heard(document, process)
            said = (await errors).decode(errors="replace").strip()
            if await process.wait():
                raise OperationFailed(said.removeprefix("agent: ") or "agent solo has failed")
        finally:
            errors.cancel()
            if process.returncode is None:
                process.terminate()
                await process.wait()
