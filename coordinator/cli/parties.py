"""`coord parties`."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import click

from coordinator.cli.options import Settings, inventory_argument, json_option
from coordinator.parties.attestations import Attestation, check, count
from coordinator.parties.invite_store import Invite, Invites
from coordinator.parties.store import PartyStore
from coordinator.report.tables import columns
from coordinator.state.folder import StateFolder
from inventory.network import Network
from inventory.share import Seats


@click.command("parties")
@inventory_argument
@json_option
@click.pass_obj
def command(settings: Settings, network: Network, as_json: bool) -> None:
    """Shows who was invited, who joined, each party's state, and what it attests about the chain. Changes nothing.

    An attestation is the result of an audit by a party's agent through its own node, signed with the party's own key.
    The signatures are checked here; --json prints them, so that anybody can check them again.

    \b
    coord parties inventory/devnet.toml
    """
    if not StateFolder.exists(settings.state, network.name):
        click.echo(json.dumps({"network": network.name, "parties": []}) if as_json else "nobody was invited yet")
        return
    state = StateFolder(settings.state, network.name)
    try:
        document = _document(network, state)
    finally:
        state.close()
    if as_json:
        click.echo(json.dumps(document, indent=2))
        return
    for line in _lines(document):
        click.echo(line)


def _document(network: Network, state: StateFolder) -> dict[str, object]:
    store, sealed = PartyStore(state.journal), state.sealed
    parties, attested = store.parties(), store.attestations()
    judged = {
        party.name: check(attested[party.name], party, sealed) for party in parties if sealed and party.name in attested
    }
    fine, members = count(attested, parties, sealed) if sealed else (0, 0)
    return {
        "network": network.name,
        "chain_id": sealed.chain_id if sealed else None,
        "manifest": sealed.manifest if sealed else None,
        "attest": {"ok": fine, "of": members},
        "limit": str(Seats.of(network)),
        "parties": [
            {
                "name": party.name, "account": party.account, "state": str(party.state), "why": party.why,
                "p2p": party.endpoint, "account_key": party.account_key, "signing_key": party.signing_key,
                "nodeos": party.nodeos, "since": _iso(party.since),
                "attests": _said(judged.get(party.name)),
                "document": attested[party.name].document if party.name in attested else None,
                "signature": attested[party.name].signature if party.name in attested else None,
            }
            for party in parties
        ],
        "invited": [_invited(invite) for invite in Invites(state.journal).open(time.time())],
    }  # fmt: skip


def _invited(invite: Invite) -> dict[str, str]:
    return {"name": invite.name, "account": invite.account, "expires": _iso(invite.expires)}


def _said(judged: Attestation | None) -> str:
    if judged is None:
        return "nothing yet"
    if judged.wrong:
        return judged.wrong
    since = f", {', '.join(judged.replaced)} as the producers replaced it" if judged.replaced else ""
    return f"block {judged.block} {'is as sealed' if judged.ok else 'DIFFERS from what was sealed'}{since}"


def _lines(document: dict[str, object]) -> list[str]:
    parties: list[dict[str, str]] = document["parties"]  # type: ignore[assignment]
    invited: list[dict[str, str]] = document["invited"]  # type: ignore[assignment]
    attest: dict[str, int] = document["attest"]  # type: ignore[assignment]
    rows = [
        (one["name"], one["account"], one["p2p"] or "-", one["state"], one["attests"], one["why"]) for one in parties
    ]
    rows += [(one["name"], one["account"], "-", "invited", "-", f"until {_utc(one['expires'])}") for one in invited]
    if not rows:
        return ["nobody was invited yet"]
    lines = list(columns(("PARTY", "ACCOUNT", "P2P", "STATE", "ATTESTS", "WHY"), rows))
    lines.append(f"{attest['ok']} of {attest['of']} attest that the chain is as sealed")
    return [*lines, str(document["limit"])]


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _utc(iso: str) -> str:
    return f"{datetime.fromisoformat(iso):%Y-%m-%d %H:%M} UTC"
