"""What `coord boot` says at its end: the chain, the nodes, where keys lie, and what to type next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from antelope.errors import NodeError
from boot.claims import Claim, claims
from boot.reads import rows, run_reads
from coordinator.booting import Booted
from coordinator.deploy.unit import data_dir
from coordinator.reporting import Report, gather
from coordinator.session import Session
from coordinator.tables import node_table


@dataclass(frozen=True)
class Summary:
    """A boot's end, ready to be printed."""

    booted: Booted
    report: Report
    claims: tuple[Claim, ...]
    keys: tuple[str, ...]
    """HOST: path of the accounts.json that its agent keeps."""
    inventory: str

    def lines(self) -> Iterator[str]:
        """The text, a line at a time."""
        outcome = self.booted.outcome
        yield ""
        for name, reason in outcome.failed.items():
            yield f"FAILED {name}: {reason}"
        for name, reason in outcome.parked.items():
            yield f"waiting for others at {name}: {reason}"
        if not outcome.failed and not outcome.parked and not self.booted.changed:
            yield "Nothing to do: everything is done already, and runs."
        yield f"network   {self.report.network}, phase {self.report.phase}"
        yield f"chain id  {self.report.chain_id}"
        yield f"manifest  {self.report.manifest}"
        yield f"schedule  {', '.join(self.report.schedule) or '-'}"
        yield ""
        yield from node_table(self.report)
        yield ""
        for place in self.keys:
            yield f"keys      {place}"
        if due := self._claim():
            yield due
        yield from self._next()

    def _claim(self) -> str:
        if not self.claims:
            return ""
        now = datetime.now(UTC)
        first = min(self.claims, key=lambda claim: claim.due)
        if first.is_due(now):
            return f"rewards   due: coord boot {self.inventory} --only claim"
        return f"rewards   {first.producer} may claim from {first.due:%Y-%m-%d %H:%M:%S} UTC: coord boot --only claim"

    def _next(self) -> Iterator[str]:
        if self.booted.outcome.failed:
            yield f"next      coord logs {self.inventory} NODE, then coord boot {self.inventory} again"
            return
        node = next((row for row in self.report.nodes if row.role != "genesis" and row.state == "running"), None)
        yield f"next      coord status {self.inventory}   coord verify {self.inventory}   coord down {self.inventory}"
        if node:
            yield f"          cleos -u {node.http} get info"


async def summarise(session: Session, booted: Booted) -> Summary:
    """Gathers it while agents are connected."""
    report = await gather(session)
    try:
        registered = await run_reads(rows("eosio", "eosio", "producers"), session.desk.ask)
    except NodeError:
        registered = []
    keys = tuple(
        f"{session.state.host_data(host.name) / 'keys' / 'accounts.json'}"
        if host.local
        else f"on {host.name}: {data_dir(host, session.network.name)}/keys/accounts.json"
        for host in session.network.hosts
        if any(node.host == host.name for node in session.network.nodes)
    )
    return Summary(booted, report, claims(registered), keys, str(session.network.source))
