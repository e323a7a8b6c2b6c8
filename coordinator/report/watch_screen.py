"""The screen of `coord status --watch`: a network of any size on one screen. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from coordinator.report.health import problems
from coordinator.report.pulse import Pulse, fitted, pulse_lines
from coordinator.report.status import NetworkStatus, NodeRow, Phase
from coordinator.report.tables import columns
from protos.states import NodeState

LEAST_ROWS = 3
"""Rows of a table that is not shown whole."""


def screen_lines(status: NetworkStatus, pulse: Pulse | None, width: int, height: int) -> list[str]:
    """Lines that fit. pulse: of a boot that runs."""
    lines = [fitted(line, width) for line in _head(status, pulse is not None)]
    if pulse:
        lines += pulse_lines(pulse, width)
    elif status.chain_id:
        lines += [fitted(f"! {problem}", width) for problem in problems(status)[:LEAST_ROWS]]
    room = height - len(lines) - 1
    parties = list(_parties(status, width))
    tables = [list(_nodes(status, width, max(room - 1 - (len(parties) and len(parties) + 1), LEAST_ROWS)))]
    if parties:
        tables.append(parties)
    for table in tables:
        if table:
            lines += ["", *table]
    return lines[: max(height, 1)]


def _head(status: NetworkStatus, booting: bool) -> Iterator[str]:
    age = "" if status.head_age is None else f", {status.head_age:.0f} s ago"
    phase = Phase.BOOTING if booting and status.phase is Phase.DOWN else status.phase
    yield f"{status.network}: {phase}   chain {(status.chain_id or '-')[:16]}"
    if not booting:
        yield f"head {status.head:,}{age}   LIB {status.lib:,}"
        left = status.left
        yield f"schedule {', '.join(status.schedule) or '-'}"
        if left and status.chain_id:
            yield f"the boot is not done: {left[0]} is next ({len(left)} steps left)"


def _nodes(status: NetworkStatus, width: int, rows: int) -> Iterator[str]:
    shown = sorted(status.nodes, key=lambda node: node.state == NodeState.RUNNING)  # nodes that do not run come first
    if len(shown) > rows - 1:
        shown = shown[: max(rows - 2, 1)]
    heading, cells = ("NODE", "STATE", "HEAD", "LIB", "PEERS", "HOST"), [_cells(node) for node in shown]
    yield from (fitted(line, width) for line in columns(heading, cells))
    if hidden := [node for node in status.nodes if node not in shown]:
        states = ", ".join(f"{count} {state}" for state, count in Counter(node.state for node in hidden).items())
        yield fitted(f"and {len(hidden)} more nodes: {states}", width)


def _cells(node: NodeRow) -> Sequence[str]:
    return (node.name, node.state, str(node.head or "-"), str(node.lib or "-"), str(node.peers), node.host)


def _parties(status: NetworkStatus, width: int) -> Iterator[str]:
    if not status.parties:
        return
    states = Counter(str(party.state) for party in status.parties)
    yield fitted(f"parties: {', '.join(f'{count} {state}' for state, count in states.items())}", width)
    waiting = [party for party in status.parties if party.why and not party.state.gone]
    yield from (fitted(f"  {party.name}: {party.state}, {party.why}", width) for party in waiting[:LEAST_ROWS])
