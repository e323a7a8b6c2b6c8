"""Starts each kind of node once before anything is sealed: with its options, in its folder, as its user.

If nodeos refuses something (an option, a plugin, a missing library, a folder that it may not write), one line says so
while it can still be changed. The node runs on a chain of its own, which is removed afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from agent.errors import BadConfiguration, NodeFault, NotAnswering
from agent.nodeos.config import command_line, config_ini, produces
from agent.nodeos.probe import Capabilities
from agent.nodeos.spec import NodeSpec
from agent.nodeos.throwaway import free_ports
from agent.nodes.failure import explain
from agent.nodes.folder import NodeFolder, NodeRecord
from agent.nodes.launch import Launch, halt, start
from antelope.errors import NodeError
from antelope.genesis import Genesis
from antelope.http import NodeClient
from antelope.keys import PrivateKey
from boot.step import NodeMode
from inventory.network import Role
from support.endpoint import Endpoint
from support.retry import DeadlineError, poll

FOLDER = ".rehearsal"
"""Beginning of the names of its folders, beside those of the nodes."""
AT_ONCE = 2
BLOCKS = 3
"""Blocks that a node which produces makes: some limits show with the first ones."""
BLOCKS_SECONDS = 30.0

_MODES: Mapping[Role, tuple[NodeMode, ...]] = {
    Role.GENESIS: (NodeMode.GENESIS, NodeMode.AUDIT),
}
"""How a node of a role runs in its life, one after the other; others run in one. A starter differs by `-e` alone."""


@dataclass(frozen=True)
class Rehearsal:
    """The place of a rehearsal, and its nodeos."""

    folder: NodeFolder
    command: tuple[str, ...]
    found: Capabilities
    local: bool


async def rehearse(
    specs: Iterable[NodeSpec],
    nodes: Path,
    capabilities: Callable[[str], Awaitable[Capabilities]],
    command: Callable[[str], Awaitable[tuple[str, ...]]],
    *,
    local: bool,
) -> None:
    """Starts one node of each kind. Raises NodeFault with the option that is to blame, NodeosError, SpecError."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(number: int, spec: NodeSpec) -> None:
        async with places:
            stage = Rehearsal(
                NodeFolder(nodes / f"{FOLDER}-{number}"),
                await command(spec.nodeos),
                await capabilities(spec.nodeos),
                local,
            )
            await _blamed(spec, stage)

    results = await asyncio.gather(
        *(one(number, spec) for number, spec in enumerate(kinds(specs))), return_exceptions=True
    )
    for result in results:
        if result is not None:
            raise result


def kinds(specs: Iterable[NodeSpec]) -> tuple[NodeSpec, ...]:
    """One node of each kind: nodes that differ only in names, accounts, ports and peers start alike."""

    def kind(spec: NodeSpec) -> tuple[object, ...]:
        served = (_host(one) for one in (spec.api, spec.history))
        return (spec.role, spec.nodeos, *served, *sorted(spec.options.items()))

    return tuple({kind(spec): spec for spec in specs}.values())


async def clear(nodes: Path) -> None:
    """Stops and removes what is left of rehearsals that the agent's end interrupted. Raises NodeFault."""
    for path in nodes.glob(f"{FOLDER}-*"):
        await halt(NodeFolder(path))
        await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)


async def _blamed(spec: NodeSpec, stage: Rehearsal) -> None:
    """Rehearses a node. If it fails and the reason names no option of the inventory, finds the option."""
    fault = await _fault(spec, stage)
    if fault is None:
        return
    if not spec.options or any(option in str(fault) for option in spec.options):
        raise fault
    for option, value in spec.options.items():
        others = {name: kept for name, kept in spec.options.items() if name != option}
        if await _fault(replace(spec, options=others), stage) is None:
            why = str(fault).removeprefix(f"node {spec.name}: ")
            raise BadConfiguration(f"node {spec.name}: it does not start with {option} = {value}: {why}") from fault
    raise fault


async def _fault(spec: NodeSpec, stage: Rehearsal) -> NodeFault | None:
    """Why it does not run in one of its modes; None if it runs in all."""
    folder, key = stage.folder, PrivateKey.generate()
    genesis = Genesis(datetime.now(UTC).replace(microsecond=0), key.public)
    http, p2p, *served = free_ports(4)
    here = f"127.0.0.1:{p2p}"
    api, history = (
        at and str(Endpoint(_host(at), port)) for at, port in zip((spec.api, spec.history), served, strict=True)
    )
    spec = replace(spec, http_port=http, p2p_bind=here, p2p_endpoint=here, peers=(), api=api, history=history)
    try:
        for mode in _MODES.get(spec.role, (NodeMode.NORMAL,)):
            signers = (key,) if produces(spec, mode) else ()
            config = config_ini(spec, mode, stage.found.options, signers, local=stage.local)
            folder.make()
            folder.write(NodeRecord(spec, mode, genesis.chain_id()), config, genesis.to_json().encode())
            command = command_line(stage.command, folder.path, spec.role, mode)
            await _run(Launch(folder, command, spec, genesis.chain_id()), produces=mode is NodeMode.GENESIS)
    except NodeFault as fault:
        return fault
    finally:
        with contextlib.suppress(NodeFault):  # the next agent removes a node that does not end
            await halt(folder)
            await asyncio.to_thread(shutil.rmtree, folder.path, ignore_errors=True)
    return None


def _host(endpoint: str) -> str:
    """The part of a HOST:PORT that a machine may lack."""
    return Endpoint.parse(endpoint).host if endpoint else ""


async def _run(launch: Launch, *, produces: bool) -> None:
    """Starts it, waits for its first blocks if it produces, and stops it. Raises NodeFault."""
    process = await start(launch)

    async def made() -> bool:
        if not process.alive:
            raise explain(launch.spec.name, launch.folder.log.last_run(), process.ended)
        with contextlib.suppress(NodeError):
            return (await node.get_info()).head_block_num >= BLOCKS
        return False

    if produces:
        async with NodeClient(launch.url, timeout=5.0) as node:
            try:
                await poll(made, what="blocks", deadline=BLOCKS_SECONDS, every=0.1)
            except DeadlineError as error:
                raise NotAnswering(
                    f"node {launch.spec.name}: it makes no block on a chain of its own: see the agent's log"
                ) from error
    await halt(launch.folder)
