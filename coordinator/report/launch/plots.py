"""The report's drawings as SVG. Colours and fonts come from the style sheet; the same facts are in text beside each
drawing. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape

from coordinator.report.distribution import Distribution
from coordinator.report.launch.document import ReportedStep
from coordinator.report.peer_graph import Drawing

ROW, LEFT, WIDE = 22, 150, 800
"""Pixels: the height of a step's row, the space for its name, and the whole width."""
AXIS = 28
"""Pixels below the rows, for the times."""
SQUARE, MARGIN = 260, 44
"""Pixels: the size of the Lorenz curve's frame, and the margin left of it."""
GRAPH, RADIUS = 420, 165.0
"""Pixels: the size of the peer graph, and the radius of its outermost ring."""
NAMED = 40
"""Up to this many nodes, their names are shown."""


def timeline(steps: Sequence[ReportedStep]) -> str:
    """Each step with transactions as a bar from its first to its last block; nothing where no times are known."""
    placed = [(step, _seconds(step.began), _seconds(step.ended)) for step in steps if step.began and step.ended]
    if not placed:
        return ""
    start, end = min(began for _, began, _ in placed), max(ended for _, _, ended in placed)
    scale = (WIDE - LEFT - 70) / max(end - start, 1.0)
    bottom = ROW * len(placed)
    lines = [_opened(WIDE, bottom + AXIS, "Steps of the boot by the time of their blocks")]
    for tick in _ticks(end - start):
        x = LEFT + tick * scale
        lines.append(f'<line class="grid" x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{bottom + 6}"/>')
        lines.append(_text(x, bottom + AXIS - 6, _length(tick), anchor="middle"))
    for number, (step, began, ended) in enumerate(placed):
        x, y = LEFT + (began - start) * scale, number * ROW
        width = max((ended - began) * scale, 3.0)
        lines.append(_text(LEFT - 10, y + 15, step.name, "name", "end"))
        lines.append(f'<rect class="bar" x="{x:.1f}" y="{y + 4}" width="{width:.1f}" height="{ROW - 8}" rx="2"/>')
        lines.append(_text(x + width + 6, y + 15, f"{len(step.transactions):,}"))
    return "".join((*lines, "</svg>"))


def lorenz(found: Distribution) -> str:
    """The Lorenz curve, with the line of equal shares."""
    right, bottom = MARGIN + SQUARE, 10 + SQUARE
    points = " ".join(f"{MARGIN + x * SQUARE:.1f},{bottom - y * SQUARE:.1f}" for x, y in found.curve)
    lines = [
        _opened(right + 18, bottom + 34, "Lorenz curve of the allocation"),
        f'<rect class="frame" x="{MARGIN}" y="10" width="{SQUARE}" height="{SQUARE}"/>',
        f'<polygon class="area" points="{points} {right},{bottom}"/>',
        f'<line class="equal" x1="{MARGIN}" y1="{bottom}" x2="{right}" y2="10"/>',
        f'<polyline class="curve" points="{points}"/>',
        _text(MARGIN + SQUARE / 2, bottom + 30, "share of the accounts", anchor="middle"),
    ]
    for part in (0.0, 0.5, 1.0):
        lines.append(_text(MARGIN + part * SQUARE, bottom + 15, f"{part:.0%}", anchor="middle"))
        lines.append(_text(MARGIN - 6, bottom + 4 - part * SQUARE, f"{part:.0%}", anchor="end"))
    return "".join((*lines, "</svg>"))


def peers(drawing: Drawing) -> str:
    """The peer graph; the names of its nodes where they have room."""
    middle = GRAPH / 2
    where = {place.name: (middle + place.x * RADIUS, middle + place.y * RADIUS) for place in drawing.places}
    lines = [_opened(GRAPH, GRAPH, "Who dials whom")]
    for one, other in drawing.links:
        (x, y), (u, v) = where[one], where[other]
        lines.append(f'<line class="link" x1="{x:.1f}" y1="{y:.1f}" x2="{u:.1f}" y2="{v:.1f}"/>')
    for place in drawing.places:
        x, y = where[place.name]
        lines.append(f'<circle class="node {escape(place.kind)}" cx="{x:.1f}" cy="{y:.1f}" r="6"/>')
        if len(drawing.places) <= NAMED:
            lines.append(_text(x, y + (20 if place.y >= 0 else -12), place.name, anchor="middle"))
    return "".join((*lines, "</svg>"))


def _opened(width: float, height: float, title: str) -> str:
    return f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" role="img" aria-label="{escape(title)}">'


def _text(x: float, y: float, text: str, kind: str = "tick", anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _seconds(time: str | None) -> float:
    return datetime.fromisoformat(str(time)).timestamp()


def _ticks(length: float) -> Iterator[float]:
    """From 0 on, at most eight, at round lengths of time."""
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
    step = next((one for one in steps if length / one <= 7), max(86400, length / 7))
    number = 0
    while number * step <= length:
        yield number * step
        number += 1


def _length(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
