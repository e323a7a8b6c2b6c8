"""A chain of one node that is up in seconds: what `coord devnet` runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Self

from bootcoord.events import Event, StepEnded, unheard
from bootcoord.models import BootResult
from bootcoord.network import STATE, Network, OnExit
from coordinator.errors import UsageProblem
from coordinator.reporter import StepResult
from coordinator.state.folder import StateFolder
from coordinator.workflows import devnet
from inventory.devnet import NAME
from inventory.devnet import Devnet as Wanted


class Devnet(Network):
    """One node, blocks after a second or two, every key at hand. eosio is the only producer and never resigns."""

    @classmethod
    def named(
        cls, name: str = NAME, *, state: str | Path = STATE, on_exit: OnExit = OnExit.KEEP,
        http_port: int | None = None, p2p_port: int | None = None, symbol: str | None = None,
        accounts: int | None = None,
    ) -> Self:  # fmt: skip
        """A devnet, new or kept from before. Ports (by default 8888 and 9876), symbol and number of users apply to a
        new one. Raises InventoryError, UsageProblem.
        """
        root = Path(state).absolute()
        wanted = Wanted(name, http_port, p2p_port, symbol, accounts)
        return cls(devnet.prepare(root, wanted, anew=False), root, on_exit)

    async def boot(self, *, until: str = "", only: str = "", on_event: Callable[[Event], None] = unheard) -> BootResult:
        """Starts the chain that exists, or a new one. Returns once it takes transactions."""
        if until or only:
            raise UsageProblem("a devnet boots as a whole: leave until and only out")
        ran = devnet.runs(self._network, self.state)
        await devnet.begin(self._network, self.state, _told(on_event))
        return self._result(not ran)

    async def reset(self) -> None:
        """Begins the same chain again from its first block: with the same keys and chain id, without anything that
        happened after the boot. It takes a second or two, and needs no `save`.
        """
        await self._close()
        await devnet.again(self._network, self.state, _told(unheard))

    async def save(self) -> None:
        """Does nothing: a devnet needs no saved state, because `reset` begins again from the first block."""

    async def down(self, *, purge: bool = False) -> None:
        """Stops it. purge: also removes the chain and every key. Raises OperationFailed."""
        await self._close()
        if purge:
            devnet.forget(self._network, self.state, lambda _: None)
        else:
            await super().down()

    def _result(self, changed: bool) -> BootResult:
        sealed = StateFolder(self.state, self.name).sealed
        assert sealed is not None  # noqa: S101 (it has been begun)
        return BootResult(sealed.chain_id, sealed.manifest, changed)


def _told(tell: Callable[[Event], None]) -> devnet.Tell:
    return lambda step, seconds: tell(StepEnded(step, step, StepResult.DONE, f"{seconds:.1f} s"))
