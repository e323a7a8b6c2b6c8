"""The coordinator's process of the benchmark of many agents: a hub, and the onboarding of parties."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from bench.watching import peak_mib
from coordinator.agents.hub import Hub
from coordinator.agents.records import Records
from coordinator.parties.invitations import invite
from coordinator.parties.onboarding import Onboarding
from coordinator.parties.open_network import OpenNetwork
from coordinator.parties.reception import Reception
from coordinator.parties.rules import RulesOf
from coordinator.parties.store import Standing
from coordinator.state.folder import StateFolder
from coordinator.workflows.serving.endpoints import tell_producers
from inventory.load import load
from inventory.sealed import Sealed
from protos import coordination_pb2 as pb
from support.endpoint import Endpoint
from support.identity import Kind
from support.retry import poll
from support.tasks import beside
from support.tls import key_pem, make_csr
from tests.unit.coordinator.parties.conftest import account_of
from tests.unit.coordinator.parties.crowd import INVENTORY, make_sealed, make_session

NETWORK = "net"
READY = (Standing.VOTABLE, Standing.VOTED, Standing.PRODUCING)
TASK_SECONDS = 120.0


@dataclass(frozen=True)
class Enrolled:
    """What agents need to dial."""

    certificates: Mapping[str, bytes]
    """By name, PEM."""
    ca: bytes
    port: int


Request = Callable[..., Awaitable[Any]]


async def serve(pipe: Pipe, requests: Mapping[str, Request]) -> None:
    """Carries out requests until the pipe is closed, and answers each with its cost; a failure is answered as text."""
    while True:
        try:
            what, given = await asyncio.to_thread(pipe.recv)
        except EOFError:
            return
        began, cpu = time.monotonic(), time.process_time()
        try:
            value = await requests[what](*given)
        except Exception as error:
            pipe.send(f"{type(error).__name__}: {error}")
            continue
        total = time.process_time()
        pipe.send((value, total - cpu, time.monotonic() - began, peak_mib(), total))


async def run_hub(pipe: Pipe, folder: str, parties: int = 0) -> None:
    """parties: the limit of parties; 0: hosts only."""
    async with AsyncExitStack() as stack:
        if parties:
            desk: _Desk = await stack.enter_async_context(_with_parties(Path(folder), parties))
        else:
            records = stack.enter_context(Records(Path(folder) / "state", NETWORK))
            hub = Hub(records, acting=True)
            await stack.enter_async_context(hub.listening(Endpoint("127.0.0.1", 0)))
            desk = _Desk(hub)
        await serve(pipe, desk.requests)


@asynccontextmanager
async def _with_parties(folder: Path, count: int) -> AsyncIterator[_Desk]:
    """A sealed network with the simulated chain of the unit tests."""
    inventory = folder / "net.toml"
    inventory.write_text(INVENTORY.replace("limit = 100", f"limit = {count}"))
    network, state = load(inventory), StateFolder(folder / "states", NETWORK)
    sealed = make_sealed(network, state)
    with Records(state.folder, NETWORK) as records:
        reception = Reception(records, RulesOf(network, lambda: sealed, state.artifacts.get))
        hub = Hub(records, acting=True, parties=reception)
        async with hub.listening(Endpoint("127.0.0.1", 0)):
            opened = make_session(network, state, hub, reception)
            async with beside(Onboarding(opened, lambda _: None).run()), beside(tell_producers(opened)):
                yield _Desk(hub, opened, sealed)
    state.close()


class _Desk:
    """The requests that the process understands."""

    def __init__(self, hub: Hub, opened: OpenNetwork | None = None, sealed: Sealed | None = None) -> None:
        self._hub = hub
        self._opened = opened
        self._sealed = sealed
        self.requests: Mapping[str, Request] = {
            "enrol": self._enrol,
            "await": self._await,
            "step": self._step,
            "idle": asyncio.sleep,
            "operator": self._operator,
            "invite": self._invite,
            "ready": self._ready,
        }

    async def _enrol(self, requests: Mapping[str, bytes]) -> Enrolled:
        """Signs the requests, by name."""
        made = {}
        for name, csr in requests.items():
            made[name] = self._hub.enrol(name, Kind.HOST, csr)
            await asyncio.sleep(0)  # one at a time, as with an installation over SSH
        return Enrolled(made, self._hub.authority.pem, self._hub.port)

    async def _await(self, count: int, seconds: float) -> None:
        """Waits until this many agents are connected and have reported."""

        async def there() -> bool:
            return sum(link.connected and link.status is not None for link in self._hub.links.values()) >= count

        await poll(there, what=f"{count} agents", deadline=seconds, every=0.05)

    async def _step(self, names: list[str], wait: bool = True) -> list[float]:
        """Gives each agent a task. Returns the seconds until each has answered; none, and at once, if wait is false."""

        async def one(name: str) -> float:
            began = time.monotonic()
            await self._hub.links[name].task(pb.Recount(step="accounts"), deadline=TASK_SECONDS)
            return time.monotonic() - began

        tasks = [asyncio.create_task(one(name)) for name in names]
        if wait:
            return await asyncio.gather(*tasks)
        self._left = tasks  # these agents never answer
        for task in tasks:
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return []

    async def _operator(self) -> tuple[Sealed | None, Enrolled, bytes]:
        """The sealed network, and what the agent of the operator's host reports."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._sealed, await self._enrol({"local": make_csr(key, "local")}), key_pem(key)

    async def _invite(self, names: list[str]) -> list[str]:
        """Their tokens."""
        journal, authority = self._hub.records.journal, self._hub.authority
        coordinators = (f"localhost:{self._hub.port}",)
        day = timedelta(days=1)
        return [invite(journal, authority, name, account_of(name), coordinators, day) for name in names]

    async def _ready(self, names: list[str], seconds: float) -> None:
        """Waits until each of these parties can be voted for."""
        assert self._opened  # noqa: S101 (asked with parties only)
        store, wanted = self._opened.parties, set(names)

        async def there() -> bool:
            return wanted <= {party.name for party in store.parties() if party.state in READY}

        def what() -> str:
            counts: dict[str, int] = {}
            for party in store.parties():
                if party.name in wanted:
                    counts[f"{party.state}: {party.why}"[:120]] = counts.get(f"{party.state}: {party.why}"[:120], 0) + 1
            return f"parties to be ready: {counts}"

        await poll(there, what=what, deadline=seconds, every=0.25)
