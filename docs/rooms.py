"""A picture of the packages and of the coordinator's rooms, drawn from the imports of the code itself."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("agent", "antelope", "boot", "bootcoord", "inventory", "protos", "support")
COORDINATOR = "coordinator"
WIDE, HIGH, GAP_X, GAP_Y = 150, 34, 24, 46
"""Pixels: a box, and between boxes and levels."""

WORDS = "Who imports whom: arrows point at what is used"
STYLE = """<style>
text { font: 12px system-ui, sans-serif; text-anchor: middle }
line { stroke: #8894a0; stroke-width: 1.2 }
rect { fill: #f4f7fa; stroke: #5c6670 }
.room { fill: #e4eefa; stroke: #0b62a8 }
</style>"""
ARROW = """<defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0 8 4 0 8z" fill="#8894a0"/></marker></defs>"""

Edges = Mapping[str, frozenset[str]]


@cache
def edges() -> Edges:
    """Which rooms and packages each one imports. A room of the coordinator is coordinator/ROOM."""
    found: dict[str, set[str]] = {}
    for package in (*PACKAGES, COORDINATOR):
        for path in sorted((ROOT / package).rglob("*.py")):
            home = _home(path.relative_to(ROOT).with_suffix("").parts)
            if home is None:
                continue
            used = found.setdefault(home, set())
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
                names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                used |= {target for name in names if (target := _home(tuple(name.split(".")))) and target != home}
    return {home: frozenset(used) for home, used in sorted(found.items())}


def _home(parts: Sequence[str]) -> str | None:
    if parts[0] in PACKAGES:
        return parts[0]
    if parts[0] == COORDINATOR and len(parts) > 2:
        return f"{COORDINATOR}/{parts[1]}"
    return None


def direct(graph: Edges) -> Edges:
    """Without arrows between boxes that a longer path connects already."""

    def reached(start: str) -> frozenset[str]:
        seen: set[str] = set()
        rest = list(graph.get(start, ()))
        while rest:
            node = rest.pop()
            if node not in seen:
                seen.add(node)
                rest += graph.get(node, ())
        return frozenset(seen)

    beyond = {node: reached(node) for node in graph}
    return {
        node: frozenset(one for one in used if not any(one in beyond.get(other, ()) for other in used - {one}))
        for node, used in graph.items()
    }


def levels(graph: Edges) -> Sequence[Sequence[str]]:
    """The boxes by level, each just above the highest box that it uses; the highest level first."""
    height: dict[str, int] = dict.fromkeys(graph, 0)
    for _ in graph:
        for node, used in graph.items():
            height[node] = max((height[one] + 1 for one in used & height.keys()), default=0)
    return [[node for node in graph if height[node] == level] for level in range(max(height.values()), -1, -1)]


def picture() -> str:
    """The SVG."""
    graph = edges()
    rows = levels(graph)
    width = max(len(row) for row in rows) * (WIDE + GAP_X) + GAP_X
    where = {
        node: ((width - len(row) * (WIDE + GAP_X) + GAP_X) / 2 + place * (WIDE + GAP_X), 16 + level * (HIGH + GAP_Y))
        for level, row in enumerate(rows)
        for place, node in enumerate(row)
    }
    height = 32 + len(rows) * (HIGH + GAP_Y) - GAP_Y
    size = f'viewBox="0 0 {width} {height}" width="{width}"'
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{WORDS}">', STYLE, ARROW]
    for node, used in direct(graph).items():
        for one in sorted(used & where.keys()):
            (x, y), (u, v) = where[node], where[one]
            ends = f'x1="{x + WIDE / 2:g}" y1="{y + HIGH:g}" x2="{u + WIDE / 2:g}" y2="{v:g}"'
            lines.append(f'<line {ends} marker-end="url(#a)"/>')
    for node, (x, y) in where.items():
        kind = ' class="room"' if "/" in node else ""
        lines.append(f'<rect{kind} x="{x:g}" y="{y:g}" width="{WIDE}" height="{HIGH}" rx="5"/>')
        lines.append(f'<text x="{x + WIDE / 2:g}" y="{y + 21:g}">{node}</text>')
    return "\n".join((*lines, "</svg>", ""))
