"""`coord devnet`."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import click

from coordinator.advising import reads, typed
from coordinator.cli.options import Settings
from coordinator.workflows import devnet
from coordinator.workflows.down import down
from coordinator.workflows.serving.serve import until_stopped
from coordinator.workflows.using.in_use import InUse, in_use
from inventory.devnet import ACCOUNTS, HTTP_PORT, NAME, P2P_PORT, SYMBOL, Devnet
from inventory.network import Network
from support.tasks import looking

GONE_SECONDS = 10.0
"""Seconds. If the node has not run for this long, another command stopped the devnet; `reset` takes less."""


@click.command("devnet")
@click.argument("action", type=click.Choice(["start", "reset"]), default="start", metavar="[start|reset]")
@click.option("--name", default=NAME, show_default=True, help="Devnets of other names have chains of their own.")
@click.option("--http-port", type=click.IntRange(1, 65535), help=f"Of a new devnet.  [default: {HTTP_PORT}]")
@click.option("--p2p-port", type=click.IntRange(1, 65535), help=f"Of a new devnet.  [default: {P2P_PORT}]")
@click.option("--symbol", help=f"Core token of a new devnet.  [default: {SYMBOL}]")
@click.option("--accounts", type=click.IntRange(1), help=f"Users of a new devnet.  [default: {ACCOUNTS}]")
@click.option(
    "--keep/--forget", default=True, help="Whether the chain and its keys are kept after the command.  [keep]"
)
@click.option("--detach", is_flag=True, help="End once the chain runs; `coord down NAME` stops it.")
@click.pass_obj
def command(
    settings: Settings, action: str, name: str, http_port: int | None, p2p_port: int | None,
    symbol: str | None, accounts: int | None, keep: bool, detach: bool,
) -> int:  # fmt: skip
    """Runs a chain on this machine for developing contracts: one node, blocks within seconds, all keys on this machine.

    eosio signs alone and never resigns. The system contract, eosio.token and eosio.msig are there, and three accounts
    with tokens. It runs until Ctrl-C, and continues the same chain the next time; --forget starts a new one and removes
    it at the end. reset starts the same chain again, with the same keys and the same chain id.

    The devnet's name stands for its inventory: `coord env dev`, `coord cleos dev -- get info`, `coord down dev`.

    \b
    coord devnet
    coord devnet --detach --forget --name test --http-port 18888 --p2p-port 19876
    coord devnet reset
    """
    began = time.monotonic()
    network = devnet.prepare(settings.state, Devnet(name, http_port, p2p_port, symbol, accounts), anew=not keep)
    reads(network.name)  # which stands for its inventory
    run = _Run(settings, network, keep, began)
    if action == "reset":
        asyncio.run(run.reset())
        return 0
    try:
        asyncio.run(run.start(detach))
    except KeyboardInterrupt:
        run.end()
        raise
    if not detach:
        run.end()
    return 0


@dataclass
class _Run:
    settings: Settings
    network: Network
    keep: bool
    began: float
    seen: float = math.inf
    """When its node was last seen to run."""

    async def start(self, detach: bool) -> None:
        root = self.settings.state
        if not self.keep:
            devnet.forget(self.network, root, _unsaid)
        already = devnet.runs(self.network, root)
        await devnet.begin(self.network, root, _unsaid)
        await self._tell("runs already" if already else f"ready in {time.monotonic() - self.began:.1f} s")
        if detach:
            click.echo(f"stop it with   {typed('down', *(() if self.keep else ('--purge',)))}")
            return
        click.echo("Ctrl-C stops it")
        await looking(until_stopped(), self._gone)

    async def reset(self) -> None:
        await devnet.again(self.network, self.settings.state, _unsaid)
        await self._tell(f"started again in {time.monotonic() - self.began:.1f} s")

    def end(self) -> None:
        """Stops it, and removes its chain if --forget was given."""
        if self.keep:
            down(self.network, self.settings.state, _unsaid)
            click.echo(f"{self.network.name} is stopped; its chain is kept")
        else:
            devnet.forget(self.network, self.settings.state, _unsaid)
            click.echo(f"{self.network.name} is stopped, and its chain is removed")

    async def _tell(self, how: str) -> None:
        for line in _lines(self.network, await in_use(self.network, self.settings.state), how):
            click.echo(line)

    def _gone(self) -> bool | None:
        """Whether it was stopped by another command."""
        now = time.monotonic()
        if devnet.runs(self.network, self.settings.state) or self.seen == math.inf:
            self.seen = now
        return True if now - self.seen > GONE_SECONDS else None


def _lines(network: Network, found: InUse, how: str) -> Iterator[str]:
    yield f"{network.name}: {how}"
    yield f"http      {found.url}   CORS is on: pages of any origin may ask"
    yield f"chain id  {found.chain_id}"
    yield f"accounts  eosio and {network.users.count} users: {typed('keys', '--private')}"
    yield f"cleos     {typed('cleos', '--', 'get', 'info')}"
    yield f"programs  {typed('env')}"


def _unsaid(*_: object) -> None:
    """Ignores lines that a user of the devnet does not need."""
