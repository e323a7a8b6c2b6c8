"""`coord parties`."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click

from coordinator.cli.fit import say
from coordinator.cli.options import Settings, inventory_argument, json_option
from coordinator.parties.attestations import Attestation, check, count
from coordinator.parties.invite_store import Invite, Invites
from coordinator.parties.store import Attested, Party, PartyStore
from coordinator.report.tables import columns
from coordinator.state.folder import StateFolder
from inventory.network import Network
from inventory.sealed import Sealed
from inventory.share import Seats

NOBODY = "nobody was invited yet"


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
        click.echo(json.dumps({"network": network.name, "parties": []}) if as_json else NOBODY)
        return
    with closing(StateFolder(settings.state, network.name)) as state:
        shown = _Shown.of(network, state)
    if as_json:
        click.echo(json.dumps(shown.to_json(), indent=2))
        return
    say(shown.lines())


@dataclass(frozen=True)
class _Shown:
    """All that is known of a network's parties."""

    network: Network
    sealed: Sealed | None
    parties: tuple[Party, ...]
    attested: Mapping[str, Attested]
    judged: Mapping[str, Attestation]
    """The attestations, checked, by the party's name."""
    invited: tuple[Invite, ...]

    @classmethod
    def of(cls, network: Network, state: StateFolder) -> _Shown:
        store, sealed = PartyStore(state.journal), state.sealed
        parties, attested = store.parties(), store.attestations()
        found = (party for party in parties if party.name in attested)
        judged = {party.name: check(attested[party.name], party, sealed) for party in found} if sealed else {}
        return cls(network, sealed, parties, attested, judged, tuple(Invites(state.journal).open(time.time())))

    @property
    def counted(self) -> tuple[int, int]:
        """How many attest that the chain is as sealed, and of how many."""
        return count(self.judged, self.parties) if self.sealed else (0, 0)

    def to_json(self) -> dict[str, Any]:
        fine, members = self.counted
        return {
            "network": self.network.name,
            "chain_id": self.sealed.chain_id if self.sealed else None,
            "manifest": self.sealed.manifest if self.sealed else None,
            "attest": {"ok": fine, "of": members},
            "limit": str(Seats.of(self.network)),
            "parties": [self._party(party) for party in self.parties],
            "invited": [
                {"name": invite.name, "account": invite.account, "expires": _iso(invite.expires)}
                for invite in self.invited
            ],
        }

    def _party(self, party: Party) -> dict[str, Any]:
        attested = self.attested.get(party.name)
        return {
            "name": party.name, "account": party.account, "state": str(party.state), "why": party.why,
            "p2p": party.endpoint, "account_key": party.account_key, "signing_key": party.signing_key,
            "nodeos": party.nodeos, "since": _iso(party.since),
            "attests": _said(self.judged.get(party.name)),
            "document": attested.document if attested else None,
            "signature": attested.signature if attested else None,
        }  # fmt: skip

    def lines(self) -> list[str]:
        rows = [
            (party.name, party.account, party.endpoint or "-", str(party.state), _said(self.judged.get(party.name)),
             party.why)
            for party in self.parties
        ]  # fmt: skip
        for invite in self.invited:
            rows.append((invite.name, invite.account, "-", "invited", "-", f"until {_utc(invite.expires)}"))
        if not rows:
            return [NOBODY]
        fine, members = self.counted
        return [
            *columns(("PARTY", "ACCOUNT", "P2P", "STATE", "ATTESTS", "WHY"), rows),
            f"{fine} of {members} attest that the chain is as sealed",
            str(Seats.of(self.network)),
        ]


def _said(judged: Attestation | None) -> str:
    if judged is None:
        return "nothing yet"
    if judged.wrong:
        return judged.wrong
    since = f", {', '.join(judged.replaced)} as the producers replaced it" if judged.replaced else ""
    return f"block {judged.block} {'is as sealed' if judged.ok else 'DIFFERS from what was sealed'}{since}"


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _utc(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
