"""`coord invite`."""

from __future__ import annotations

import ipaddress
import json
from datetime import timedelta

import click

from coordinator.advising import typed
from coordinator.agents.ca import CertificateAuthority
from coordinator.cli.options import Amount, Settings, inventory_argument, json_option
from coordinator.errors import UsageProblem
from coordinator.hosts.address import advertised
from coordinator.parties.invitations import HOURS, MOST_HOURS, check_name, invite, late
from coordinator.state.folder import StateFolder
from coordinator.state.losses import check_whole
from coordinator.state.numbers import reserve_port
from inventory.network import Network
from inventory.reach import Reach
from support.endpoint import Endpoint
from support.invitation import parse


@click.command("invite")
@inventory_argument
@click.argument("name")
@click.option("--account", help="The party's producer account.  [default: NAME]")
@click.option(
    "--expires", type=Amount(MOST_HOURS), default=HOURS, show_default=True, metavar="HOURS",
    help="How long the token is valid.",
)  # fmt: skip
@click.option(
    "--advertise",
    metavar="HOST:PORT",
    help="Where this party reaches the coordinator, if not at the inventory's address.",
)
@json_option
@click.pass_obj
def command(
    settings: Settings, network: Network, name: str, account: str | None, expires: float, advertise: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Invites the party NAME: prints a one-use token in the one command that the party runs.

    Anyone who has the token can join under that name: hand it over like a password. `coord serve` (or `coord boot
    --serve`) must be running when it is redeemed. A new token for the same name voids the older one.

    \b
    coord invite inventory/devnet.toml alice --account alice1111111
    coord invite inventory/testnet.toml bob --account bob111111111 --expires 48
    """
    account = account or name
    check_name(network, name, account)
    state = StateFolder(settings.state, network.name)
    try:
        endpoint = _endpoint(advertise, network, state)
        check_whole(state)
        waits = _unsponsored(network, state, account)
        authority = CertificateAuthority(state.folder / "ca", network.name)
        token = invite(state.journal, authority, name, account, (str(endpoint),), timedelta(hours=expires))
    finally:
        state.close()
    invitation = parse(token)
    near = network.parties.endpoints
    peers = "" if near is Reach.PUBLIC else f" --peers {near}"
    line = f"agent serve --join {token} --account {account} --p2p HOST:PORT{peers}"
    if as_json:
        document = {
            "name": name,
            "account": account,
            "token": token,
            "command": line,
            "coordinator": str(endpoint),
            "note": waits,
        }
        click.echo(json.dumps(document | {"pin": invitation.pin, "expires": invitation.expires.isoformat()}, indent=2))
        return
    click.echo(f"# {name}, account {account}: valid once, until {invitation.expires:%Y-%m-%d %H:%M} UTC.")
    click.echo("# The party runs this on a host of its own; HOST:PORT is the p2p endpoint where others reach its node:")
    click.echo(line)
    if waits:
        click.echo(f"# {waits}", err=True)
    if _near(endpoint.host):
        click.echo(
            f"# {endpoint} can be reached from this machine only; for parties elsewhere, set coordinator.listen and "
            f"coordinator.advertise in {network.source}",
            err=True,
        )


def _unsponsored(network: Network, state: StateFolder, account: str) -> str:
    """What the party would wait for in vain, an account that nobody creates; empty if there is nothing."""
    sealed = state.sealed
    sponsored = sealed.sponsor if sealed else network.parties.sponsor
    if sponsored or account in network.parties.wait_for or not late(account):
        return ""
    waits = f"{account} must be on the chain before the party can go on, and this network has no sponsor to create it"
    if sealed is None:
        return f'{waits}: write sponsor = "sponsor" under [parties] in {network.source} before the boot'
    return (
        f"{waits}; create it yourself (cleos system newaccount), with the party's key: account_key of "
        f"{typed('parties', '--json')}"
    )


def _endpoint(advertise: str | None, network: Network, state: StateFolder) -> Endpoint:
    if advertise is not None:
        try:
            endpoint = Endpoint.parse(advertise)
        except ValueError as error:
            raise UsageProblem(f"--advertise: {error}") from error
        if not endpoint.port:
            raise UsageProblem(f"--advertise: {advertise}: a port is missing")
        return endpoint
    return Endpoint(advertised(network), reserve_port(state.journal, Endpoint.parse(network.listen)))


def _near(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
