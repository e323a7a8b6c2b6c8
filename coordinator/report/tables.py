"""Reports as plain text in aligned columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from coordinator.advising import typed
from coordinator.engine.pausing import paused_line
from coordinator.report.health import silent
from coordinator.report.status import NetworkStatus, NodeRow
from protos.states import NodeState

INDENT = 10
"""Characters before the text of a line that begins with a word such as `next`."""


def wrapped(line: str, width: int | None) -> Iterator[str]:
    """The line, wrapped at words; further lines are indented."""
    if width is None or len(line) <= width:
        yield line
        return
    indent = " " * INDENT
    yield from textwrap.wrap(
        line, max(width, 2 * INDENT), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False,
        drop_whitespace=True, replace_whitespace=False,
    )  # fmt: skip


def columns(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The rows under their heading, each column as wide as its widest cell."""
    table = [tuple(heading), *(tuple(row) for row in rows)]
    widths = [max(len(row[i]) for row in table) for i in range(len(heading))]
    for row in table:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def fitting(
    heading: Sequence[str], rows: Sequence[Sequence[str]], width: int | None, dispensable: Sequence[str]
) -> Iterator[str]:
    """The same, but if it is wider than width, these columns are left out, the first ones first."""
    shown = list(range(len(heading)))
    for name in (None, *dispensable):
        shown = [place for place in shown if heading[place] != name]
        lines = list(columns([heading[i] for i in shown], [[row[i] for i in shown] for row in rows]))
        if width is None or max(map(len, lines)) <= width:
            break
    yield from lines


def node_table(report: NetworkStatus, width: int | None = None) -> Iterator[str]:
    """A line per node. width: of the terminal; None: unlimited."""
    heading = ("NODE", "HOST", "ACCOUNT", "STATE", "HEAD", "LIB", "PEERS", "P2P", "HTTP")
    rows = [
        (row.name, row.host, row.account or f"({row.role})", row.state, str(row.head or "-"), str(row.lib or "-"),
         str(row.peers), row.p2p, row.http)
        for row in report.nodes
    ]  # fmt: skip
    yield from fitting(heading, rows, width, ("ACCOUNT", "P2P", "HOST", "PEERS", "LIB", "HTTP"))
    for row in report.nodes:
        if row.detail and row.state != NodeState.RUNNING:
            yield f"{row.name}: {row.detail}"
    for row in report.nodes:
        if row.since:
            yield f"{row.name} began with a snapshot of block {row.since}: it has no earlier blocks"
    yield from (paused_line(row.name) for row in report.nodes if row.account and row.account in report.paused)
    yield from filter(None, map(_served, report.nodes))
    yield from _readers(report.nodes)


def _served(row: NodeRow) -> str:
    """The addresses where other people may use a node; empty if there are none."""
    found = [("its API at http://", row.api), ("state history at ws://", row.history)]
    places = " and ".join(f"{what}{at}" for what, at in found if at)
    return f"{row.name} serves {places}" if places else ""


def _readers(nodes: Sequence[NodeRow]) -> Iterator[str]:
    """Which nodes take no transactions, and which one does: nodeos only says "Missing Chain API Plugin"."""
    takes = next((row for row in nodes if row.state == NodeState.RUNNING and row.takes), None)
    for row in nodes:
        if row.audit:
            other = f"; {takes.name} does ({takes.http})" if takes else ""
            yield f"{row.name} answers for the audit, from irreversible state: it takes no transactions{other}"


def host_table(report: NetworkStatus) -> Iterator[str]:
    """A line per host."""
    yield from columns(
        ("HOST", "AGENT", "CLOCK", "DISK FREE"),
        [
            (row.name, row.agent, "-" if row.clock_offset is None else f"{round(row.clock_offset * 1000):+d} ms",
             "-" if row.disk_free is None else f"{row.disk_free / 2**30:.1f} GiB")
            for row in report.hosts
        ],
    )  # fmt: skip
    for host, nodes in report.unlisted.items():
        yield f"{host} left the inventory, and runs {', '.join(nodes) or 'no node'}: {typed('host', 'remove', host)}"


def step_table(report: NetworkStatus) -> Iterator[str]:
    """A line per step."""
    yield from columns(
        ("STEP", "STATE", "SECONDS", "TRANSACTIONS"),
        [(row.name, row.state, f"{row.seconds:.1f}", str(row.transactions or "-")) for row in report.step_rows],
    )


def party_table(report: NetworkStatus) -> Iterator[str]:
    """A line per party."""
    yield from columns(
        ("PARTY", "ACCOUNT", "P2P", "STATE"),
        [
            (one.name, one.account, one.endpoint or "-", f"{one.state}{': ' + one.why if one.why else ''}")
            for one in report.parties
        ],
    )


def report_lines(report: NetworkStatus, width: int | None = None) -> Iterator[str]:
    """The report as text. width: of the terminal; None: unlimited."""
    for line in _report_lines(report, width):
        yield from wrapped(line, width)


def _report_lines(report: NetworkStatus, width: int | None) -> Iterator[str]:
    yield f"network   {report.network}, phase {report.phase}"
    yield f"chain id  {report.chain_id or '-'}"
    yield f"manifest  {report.manifest or '-'}"
    age = "" if report.head_age is None else f", {report.head_age:.0f} s ago"
    yield f"head      {report.head}{age}   LIB {report.lib}"
    yield f"schedule  {', '.join(report.schedule) or '-'}"
    if report.seats:
        yield f"parties   {report.seats.taken} in the schedule; {report.seats}"
    if report.stands:
        yield f"stalled   no new blocks; {', '.join(report.schedule)} should sign"
    elif report.silent:
        yield f"silent    {silent(report)}: elected, but no block in the latest round"
    yield ""
    yield from host_table(report)
    yield ""
    yield from node_table(report, width)
    yield ""
    if report.parties:
        yield from party_table(report)
        yield ""
    yield from step_table(report)
