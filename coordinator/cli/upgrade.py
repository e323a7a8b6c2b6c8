"""`coord upgrade`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from antelope.transaction import LARGEST
from coordinator.advising import typed
from coordinator.agents.records import BusyError
from coordinator.cli.options import Amount, Settings, inventory_argument
from coordinator.errors import OperationFailed
from coordinator.given_files import GIVEN, read_given
from coordinator.hosts.fleet import Hosts
from coordinator.parties.upgrades import Contract, read_contract, upgrade
from coordinator.report.progress import PlainReporter
from coordinator.state.control import ask_running
from coordinator.state.folder import StateFolder
from coordinator.workflows.opening.session import DIAL_SECONDS, open_network
from inventory.network import Network

WAIT = 600.0
"""Seconds to wait for approvals by default."""


@click.command("upgrade")
@inventory_argument
@click.option("--account", default="eosio", show_default=True, help="The contract's account.")
@click.option("--wasm", type=GIVEN, required=True, help="The new code.")
@click.option("--abi", type=GIVEN, required=True, help="Its ABI, as JSON.")
@click.option(
    "--wait",
    type=Amount(),
    default=WAIT,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for approvals.",
)
@click.pass_obj
def command(settings: Settings, network: Network, account: str, wasm: Path, abi: Path, wait: float) -> None:
    """Replaces a contract that the producers govern: proposes it, has the producers' agents approve it, executes it.

    A party's agent approves if its operator or its policy says so. The same command run again continues where it
    stopped; a proposal is valid for a week. Needs `parties.sponsor`, which is sealed at the boot.

    \b
    coord upgrade inventory/testnet.toml --account eosio --wasm eosio.system.wasm --abi eosio.system.abi
    """
    contract = read_contract(account, read_given(wasm, LARGEST), read_given(abi, LARGEST))
    if not StateFolder.exists(settings.state, network.name):
        raise OperationFailed(f"{network.name} was never booted; run: {typed('boot')}")
    click.echo(asyncio.run(_upgrade(settings, network, contract, wait)))


async def _upgrade(settings: Settings, network: Network, contract: Contract, wait: float) -> str:
    """Upgrades, through the running coordinator if there is one."""
    state = StateFolder(settings.state, network.name)
    try:
        wasm, abi = state.artifacts.put(contract.wasm), state.artifacts.put(contract.abi)
        folder = state.folder
    finally:
        state.close()
    try:
        async with open_network(network, settings.state, acting=True) as opened:
            hosts = Hosts(opened.network, opened.state, opened.hub, PlainReporter(sys.stderr))
            with hosts.reached():
                known = {party.name for party in opened.parties.parties() if party.accepted}
                names = {node.host for node in network.nodes} | known
                for name, why in (await opened.connected(sorted(names), DIAL_SECONDS)).items():
                    click.echo(f"{name}: {why}", err=True)
                return await upgrade(opened, contract, wait, click.echo)
    except BusyError:
        click.echo("the running coordinator carries it out, and shows at once who approves", err=True)
        answer = await ask_running(
            folder, "upgrade", wait + 300, account=contract.account, wasm=wasm, abi=abi, wait=wait
        )
        for line in answer["lines"]:  # the other coord ended meanwhile: carry on without it
            click.echo(line)
        if "failed" in answer:
            raise OperationFailed(str(answer["failed"])) from None
        return str(answer["said"])
