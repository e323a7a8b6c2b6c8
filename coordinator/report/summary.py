"""The summary that `coord boot` ends with: the chain, the nodes, where the keys are, and what to run next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from antelope.errors import NodeError
from boot.claims import Claim, claims, through_vaulta
from boot.reads import rows, run_reads
from coordinator.advising import near, typed
from coordinator.engine.outcome import Booted
from coordinator.hosts.deploy.unit import data_dir
from coordinator.parties.open_network import OpenNetwork
from coordinator.report.gathering import gather
from coordinator.report.status import NetworkStatus
from coordinator.report.tables import node_table, wrapped
from inventory.network import Host

ELECTED = "turns"
"""The step after which the elected producers sign, and producers may claim."""


@dataclass(frozen=True)
class Summary:
    """A boot's summary, ready to print."""

    booted: Booted
    report: NetworkStatus
    claims: tuple[Claim, ...]
    keys: tuple[str, ...]
    """Per host, the path of the accounts.json that its agent keeps."""

    def lines(self, width: int | None = None) -> Iterator[str]:
        """The text, a line at a time. width: of the terminal; None: unlimited."""
        for line in self._lines(width):
            yield from wrapped(line, width)

    def _lines(self, width: int | None) -> Iterator[str]:
        outcome = self.booted.outcome
        yield ""
        for name, reason in outcome.failed.items():
            yield f"FAILED {name}: {reason}"
        for name, reason in outcome.parked.items():
            yield f"waiting for others at {name}: {reason}"
        if self.report.stands:
            yield "FAILED the chain has stalled: no new blocks"
        elif not outcome.failed and not outcome.parked and not self.booted.changed:
            yield "Nothing to do: everything is done and running." if not self.report.left else "Nothing to do."
        yield f"network   {self.report.network}, phase {self.report.phase}"
        yield f"chain id  {self.report.chain_id}"
        yield f"manifest  {self.report.manifest}"
        yield f"schedule  {', '.join(self.report.schedule) or '-'}"
        yield ""
        yield from node_table(self.report, width)
        yield ""
        for place in self.keys:
            yield f"keys      {place}"
        if due := self._claim():
            yield due
        yield from self._next()

    def brief(self) -> Iterator[str]:
        """What went wrong, and the phase."""
        for name, reason in self.booted.outcome.failed.items():
            yield f"FAILED {name}: {reason}"
        yield f"{self.report.network}: {self.report.phase}"

    def _claim(self) -> str:
        if not self.claims:
            return ""
        if ELECTED in self.report.left:
            return "rewards   none yet: the contract pays from the election on"
        now = datetime.now(UTC)
        scheduled = [claim for claim in self.claims if claim.producer in self.report.schedule]
        first = min(scheduled or self.claims, key=lambda claim: claim.due)
        when = "now" if first.is_due(now) else f"from {first.due:%Y-%m-%d %H:%M:%S} UTC"
        return f"rewards   {first.producer} may claim {when}: {typed('claim')}"

    def _next(self) -> Iterator[str]:
        """What to run next, and why."""
        left, rows = self.report.left, []
        if self.booted.outcome.failed or self.report.stands:
            rows.append((typed("logs", "NODE"), "may show why"))
            rows.append((typed("boot"), "tries again, and continues"))
        elif left:
            rows.append((typed("boot"), f"continues with {left[0]}"))
        rows.append((typed("status"), "shows the state of the network; --watch updates it"))
        if not left:
            rows.append((typed("verify"), "audits the chain against the inventory"))
        rows.append((typed("down"), "stops the network; boot starts it again"))
        width = max(len(command) for command, _ in rows)
        for number, (command, purpose) in enumerate(rows):
            yield f"{'' if number else 'next':9} {command:{width}}  {purpose}"


async def summarise(opened: OpenNetwork, booted: Booted) -> Summary:
    """Gathers the summary while agents are connected."""
    report = await gather(opened)
    try:
        registered = await run_reads(rows("eosio", "eosio", "producers"), opened.access.ask)
    except NodeError:
        registered = []
    keys = tuple(place for host in opened.network.hosts if (place := _keys_of(opened, host)))
    ours = {producer.account for producer in booted.sealed.producers}  # late parties claim for themselves
    elsewhere = through_vaulta(opened.blueprint(booted.sealed))
    due = () if elsewhere else tuple(claim for claim in claims(registered) if claim.producer in ours)
    return Summary(booted, report, due, keys)


def _keys_of(opened: OpenNetwork, host: Host) -> str:
    """Where the accounts' keys of a host are; empty if it has none: a host of full nodes alone."""
    if host.local:
        file = opened.state.host_data(host.name) / "keys" / "accounts.json"
        return near(file) if file.exists() else ""
    has_keys = any(node.host == host.name and node.account for node in opened.network.nodes)
    return f"on {host.name}: {data_dir(host, opened.network.name)}/keys/accounts.json" if has_keys else ""
