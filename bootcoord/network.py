"""One network: loaded, planned, booted, watched, changed, audited, taken down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from antelope.http import NodeClient
from antelope.keys import PrivateKey
from boot.plan import Plan, make_plan
from boot.steps import OPTIONAL, STEPS, steps_of
from bootcoord.chain import Chain
from bootcoord.events import Event, Teller, unheard
from bootcoord.models import Audit, BootResult, PlannedStep, Status
from bootcoord.sources import Source, file_of, with_node
from coordinator.errors import OperationFailed, UsageProblem
from coordinator.report.status import Phase
from coordinator.state.folder import StateFolder
from coordinator.state.placements import placements_of
from coordinator.workflows.boot import boot
from coordinator.workflows.changing.acting import act
from coordinator.workflows.changing.operating import NodeAction, Operation
from coordinator.workflows.down import down
from coordinator.workflows.recovering.checkpoint import forget, restore, save
from coordinator.workflows.starting.foresee import check_contracts
from coordinator.workflows.using.in_use import AccountKeys, in_use, keys
from coordinator.workflows.watching.auditing import verify
from coordinator.workflows.watching.status import report
from coordinator.workflows.watching.waiting import wait
from inventory.load import load
from inventory.network import Network as Loaded
from inventory.placed import Placed
from support.retry import DeadlineError

STATE = Path(".coord")
BOOT_SECONDS = 600.0
_END = object()


class OnExit(Enum):
    """What happens to the network at the end of `async with`."""

    KEEP = "keep"
    """It keeps running."""
    DOWN = "down"
    """It is stopped. The next boot continues the same chain."""
    PURGE = "purge"
    """It is stopped. Its chain and keys are removed."""


class Network:
    """A network that an inventory describes. Nothing runs until `boot`.

    All methods raise the project's own errors, which are `Explained`: InventoryError for a wrong inventory, CoordError
    (UsageProblem, OperationFailed), NodeError for what nodeos refuses, DeadlineError.
    """

    def __init__(self, network: Loaded, state: Path, on_exit: OnExit = OnExit.KEEP, *, own: bool = False) -> None:
        """Use `load`. own: whether this package wrote the inventory's file."""
        self._network = network
        self._on_exit = on_exit
        self._own = own
        self._chain: Chain | None = None
        self.state = state
        """The folder that has a folder for each network, as for `coord --state`."""

    @classmethod
    def load(cls, inventory: Source, *, state: str | Path = STATE, on_exit: OnExit = OnExit.KEEP) -> Self:
        """A network from an inventory: the path of a file, its text (with a line break in it), or its tables.

        Raises InventoryError with everything that is wrong with it.
        """
        root = Path(state).absolute()
        path, own = file_of(inventory, root)
        return cls(_load(path, root), root, on_exit, own=own)

    @property
    def name(self) -> str:
        """The network's name."""
        return self._network.name

    @property
    def inventory(self) -> Path:
        """The inventory's file, for use with `coord`."""
        return self._network.source

    def plan(self) -> tuple[PlannedStep, ...]:
        """The steps of the boot, in an order in which each comes after all steps that it needs."""
        return tuple(
            PlannedStep(step.name, step.title, step.after) for step in make_plan(steps_of(self._network)).steps
        )

    async def boot(self, *, until: str = "", only: str = "", on_event: Callable[[Event], None] = unheard) -> BootResult:
        """Boots the network, or continues where it stopped. Changes nothing if there is nothing to do.

        until: stops after this step and all steps that it needs. only: does this step alone. on_event: receives the
        events. Raises OperationFailed with the first step that failed, and what the workflow raises.
        """
        teller = Teller(on_event)
        check_contracts(self._network, self.state, teller.note)
        booted = await boot(self._network, self.state, self._selected(until, only), teller)
        await self._close()
        if booted.outcome.failed:
            step, reason = next(iter(booted.outcome.failed.items()))
            raise OperationFailed(f"{step}: {reason}")
        sealed = booted.sealed
        return BootResult(sealed.chain_id, sealed.manifest, booted.changed, dict(booted.outcome.parked))

    async def booting(self, *, until: str = "", only: str = "") -> AsyncIterator[Event]:
        """As `boot`, as an iterator of events. It ends when the boot has ended, and raises as `boot`.

        Leaving the loop stops the boot; finished steps are kept.
        """
        queue: asyncio.Queue[Event | object] = asyncio.Queue()

        async def run() -> None:
            try:
                await self.boot(until=until, only=only, on_event=queue.put_nowait)
            finally:
                queue.put_nowait(_END)

        task = asyncio.create_task(run())
        try:
            while (event := await queue.get()) is not _END:
                yield event  # type: ignore[misc] # all but _END are events
            await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def status(self) -> Status:
        """The state of the network, also while another command works on it."""
        return Status.of((await report(self._network, self.state)).document)

    async def verify(self) -> Audit:
        """Audits the whole chain against the inventory, with code that is independent of the boot."""
        return Audit.of((await verify(self._network, self.state)).document)

    async def wait_for(
        self, *, phase: Phase | None = None, block: int = 0, lib: int = 0, seconds: float = BOOT_SECONDS,
        on_event: Callable[[str], None] = lambda _: None,
    ) -> Status:  # fmt: skip
        """Waits until all given conditions are true: a phase (LIVE or VOTING), a head block, an irreversible block.
        By default waits until the network is live. on_event: receives what is missing. Raises DeadlineError.

        For a row of a table see `Chain.wait_for_row`.
        """
        wanted = phase or (None if block or lib else Phase.LIVE)
        shown, left = await wait(self._network, self.state, wanted, block or None, lib or None, seconds, on_event)
        if left or shown is None:
            raise DeadlineError(f"{self.name}: {'; '.join(left)}", seconds)
        return Status.of(shown.document)

    async def chain(self) -> Chain:
        """The chain, through a node of this machine that takes transactions; OperationFailed if there is none."""
        if self._chain is None:
            found = await in_use(self._network, self.state)
            self._chain = Chain(NodeClient(found.url), found.chain_id, self.key)
        return self._chain

    def keys(self, *accounts: str) -> tuple[AccountKeys, ...]:
        """The keys of these accounts, or of all accounts, as far as this machine holds them."""
        return keys(self._network, self.state, accounts)

    def key(self, account: str) -> PrivateKey:
        """The private key of an account. Raises UsageProblem if it is not on this machine, or is in a keosd."""
        (found,) = self.keys(account)
        if found.private is None:
            raise UsageProblem(f"the private key of {account} is in a keosd")
        return PrivateKey.parse(found.private)

    async def add_node(self, *, on_event: Callable[[Event], None] = unheard, **table: Any) -> BootResult:
        """Adds a node to an inventory that was loaded from text or tables, and boots it. table: as `[[nodes]]`.

        An inventory of your own is for you to edit; `boot` then applies the change.
        """
        if not self._own:
            raise UsageProblem(f"{self.inventory} is your own file: add [[nodes]] to it, load it again, and boot")
        text = self.inventory.read_text(encoding="utf-8")
        self.inventory.write_text(with_node(text, table), encoding="utf-8")
        try:
            self._network = _load(self.inventory, self.state)
        except Exception:
            self.inventory.write_text(text, encoding="utf-8")
            raise
        return await self.boot(on_event=on_event)

    async def start_node(self, name: str) -> str:
        """Starts a stopped node. Returns the outcome as a line, as the following methods do."""
        return await self._act(NodeAction.START, name)

    async def stop_node(self, name: str, *, force: bool = False) -> str:
        """Stops a node, until it is started or the network is booted. force: even if the schedule cannot lose the
        producer.
        """
        return await self._act(NodeAction.STOP, name, force)

    async def restart_node(self, name: str) -> str:
        """Restarts a node; a producer's node right after the producer's turn."""
        return await self._act(NodeAction.RESTART, name)

    async def pause_node(self, name: str, *, force: bool = False) -> str:
        """Pauses block production on a producer's node."""
        return await self._act(NodeAction.PAUSE, name, force)

    async def resume_node(self, name: str) -> str:
        """Resumes block production."""
        return await self._act(NodeAction.RESUME, name)

    async def down(self, *, purge: bool = False) -> None:
        """Stops nodes and agents. purge: also removes the chain and every key. Raises OperationFailed."""
        await self._close()
        if purge:
            forget(self._network, self.state)
        if not StateFolder.exists(self.state, self.name):
            return
        failed = await asyncio.to_thread(down, self._network, self.state, lambda _: None, purge=purge)
        if failed:
            raise OperationFailed("; ".join(f"{host}: {trouble}" for host, trouble in failed.items()))

    async def save(self) -> None:
        """Saves the network as it is now, for `reset`. The network is stopped for a moment. Raises UsageProblem unless
        all of its hosts are this machine.
        """
        await self._stopped(save)

    async def reset(self) -> None:
        """Restores what `save` saved: chain, keys, state of the boot. Raises UsageProblem if nothing was saved."""
        await self._stopped(restore)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()
        if self._on_exit is not OnExit.KEEP:
            await self.down(purge=self._on_exit is OnExit.PURGE)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {str(self.inventory)!r})"

    async def _stopped(self, work: Callable[[Loaded, Path], None]) -> None:
        await self.down()
        await asyncio.to_thread(work, self._network, self.state)
        await self.boot()

    async def _act(self, action: NodeAction, name: str, force: bool = False) -> str:
        return await act(self._network, self.state, Operation(action, name, force), Teller(unheard))

    async def _close(self) -> None:
        """Closes the connections: after a new start another node may take transactions."""
        chain, self._chain = self._chain, None
        if chain:
            await chain.client.close()

    def _selected(self, until: str, only: str) -> Plan:
        if until and only:
            raise UsageProblem("until and only cannot be used together")
        if only:
            return make_plan((*STEPS, *OPTIONAL)).only(only)
        plan = make_plan(steps_of(self._network))
        return plan.until(until) if until else plan


def _load(path: Path, state: Path) -> Loaded:
    def remembered(name: str) -> Mapping[str, Placed]:
        return placements_of(state, name)

    return load(path, remembered=remembered)
