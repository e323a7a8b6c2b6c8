"""A report in the form in which commands pass it on: a document, lines, and the facts that a command decides by.

The command that works on a network makes reports for other terminals, too: they cross the control socket as JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from coordinator.report.health import problems
from coordinator.report.status import NetworkStatus, Phase
from coordinator.report.tables import report_lines

if TYPE_CHECKING:
    from boot.audit import AuditReport


@dataclass(frozen=True)
class ShownStatus:
    """A network's state."""

    document: Mapping[str, Any]
    """For `--json`."""
    lines: tuple[str, ...]
    phase: Phase
    head: int
    lib: int
    problems: tuple[str, ...]
    left: tuple[str, ...]
    """The steps that are not done yet."""

    @classmethod
    def of(cls, status: NetworkStatus, more: Iterable[str] = (), width: int | None = None) -> ShownStatus:
        """more: further lines. width: of the terminal; None: unlimited."""
        lines = (*report_lines(status, width), *more)
        return cls(document(status), lines, status.phase, status.head, status.lib, problems(status), status.left)

    def to_json(self) -> dict[str, Any]:
        """For another command."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ShownStatus:
        """From another command."""
        lines, wrong, left = (tuple(value[name]) for name in ("lines", "problems", "left"))
        return cls(value["document"], lines, Phase(value["phase"]), value["head"], value["lib"], wrong, left)


@dataclass(frozen=True)
class ShownAudit:
    """An audit."""

    document: Mapping[str, Any]
    """For `--json`."""
    lines: tuple[str, ...]
    born: bool
    """Whether the chain was born as planned."""
    unchanged: bool
    """Whether nothing is different today."""

    @classmethod
    def of(cls, report: AuditReport) -> ShownAudit:
        """An audit's report."""
        from boot.audit import render  # takes 0.1 s to import, and --help does not need it

        return cls(report.to_json(), tuple(render(report)), report.born, report.unchanged)

    def to_json(self) -> dict[str, Any]:
        """For another command."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ShownAudit:
        """From another command."""
        return cls(value["document"], tuple(value["lines"]), value["born"], value["unchanged"])


def document(status: NetworkStatus) -> dict[str, Any]:
    """The document that `coord status --json` prints."""
    return {
        "network": status.network,
        "chain_id": status.chain_id,
        "manifest": status.manifest,
        "phase": status.phase,
        "head_block": status.head,
        "head_age": status.head_age,
        "lib": status.lib,
        "schedule": list(status.schedule),
        "silent": list(status.silent),
        "paused": list(status.paused),
        "problems": list(problems(status)),
        "nodes": [
            {
                "name": row.name, "host": row.host, "account": row.account, "role": row.role, "p2p": row.p2p,
                "http": row.http, "state": row.state, "head_block": row.head, "lib": row.lib, "peers": row.peers,
                "detail": row.detail, "since": row.since, "withheld": row.withheld,
                "double_signing": list(row.doubles), "api": row.api, "history": row.history,
            }
            for row in status.nodes
        ],
        "hosts": [
            {
                "name": row.name, "agent": row.agent, "clock_offset": row.clock_offset, "disk_free": row.disk_free,
                "lost_keys": list(row.lost_keys),
            }
            for row in status.hosts
        ],
        "unlisted_hosts": {host: list(nodes) for host, nodes in status.unlisted.items()},
        "parties": [
            {"name": one.name, "account": one.account, "state": str(one.state), "why": one.why, "p2p": one.endpoint}
            for one in status.parties
        ],
        "party_seats": {
            "scheduled": status.seats.taken, "most": status.seats.most, "limit": status.seats.rule,
        } if status.seats else None,
        "steps": [
            {"name": row.name, "state": row.state, "seconds": row.seconds, "transactions": row.transactions}
            for row in status.step_rows
        ],
    }  # fmt: skip
