"""dashboard.json: a Grafana dashboard of a network."""

from __future__ import annotations

import json
from typing import Any

from inventory.network import Network

SCHEMA = 39
"""Of Grafana 10's dashboards; later versions read it."""
WIDE, HIGH = 12, 8
"""Grid units of a panel; a row has 24."""

_STATS = (
    ("Phase", "bootcoord_phase == 1", "{{phase}}", "name"),
    ("Head", "bootcoord_head_block", "", "value"),
    ("LIB", "bootcoord_irreversible_block", "", "value"),
    ("Latest block, seconds old", "bootcoord_head_age_seconds", "", "value"),
    ("Producers silent", "sum(bootcoord_producer_silent)", "", "value"),
    ("Agents away", "count(bootcoord_agent_connected == 0) or vector(0)", "", "value"),
)
_GRAPHS = (
    ("LIB behind the head, blocks", "bootcoord_head_block - bootcoord_irreversible_block", "blocks", "none"),
    (
        "Nodes behind the head, blocks",
        "bootcoord_head_block - on() group_right() bootcoord_node_head_block",
        "{{node}}",
        "none",
    ),
    ("Peers of nodes", "bootcoord_node_peers", "{{node}}", "none"),
    ("Silent producers", "bootcoord_producer_silent", "{{producer}}", "none"),
    ("Signs of two signers", "bootcoord_node_two_signers", "{{node}}", "none"),
    ("Clocks", "bootcoord_clock_offset_seconds", "{{host}}", "s"),
    ("Free disk", "bootcoord_disk_free_bytes", "{{host}}", "bytes"),
    ("Parties", "bootcoord_parties", "{{state}}", "none"),
    ("Certificates, until their end", "bootcoord_certificate_end_timestamp_seconds - time()", "{{agent}}", "s"),
)


def dashboard(network: Network) -> str:
    """The file's text."""
    return json.dumps(_document(network), indent=1) + "\n"


def _document(network: Network) -> dict[str, Any]:
    panels = [_stat(place, *stat) for place, stat in enumerate(_STATS)]
    panels += [_graph(len(_STATS) + place, place, *graph) for place, graph in enumerate(_GRAPHS)]
    return {
        "title": f"Antelope network {network.name}",
        "uid": f"bootcoord-{network.name}"[:40],
        "tags": ["bootcoord"],
        "schemaVersion": SCHEMA,
        "refresh": "15s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {
            "list": [{"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source"}]
        },
        "panels": panels,
    }


def _stat(place: int, title: str, expression: str, legend: str, mode: str) -> dict[str, Any]:
    panel = _panel(place, "stat", title, {"x": place * 4, "y": 0, "w": 4, "h": 4})
    panel["options"] = {"textMode": mode, "reduceOptions": {"calcs": ["lastNotNull"]}}
    panel["targets"] = [_target(expression, legend)]
    return panel


def _graph(number: int, place: int, title: str, expression: str, legend: str, unit: str) -> dict[str, Any]:
    at = {"x": place % 2 * WIDE, "y": 4 + place // 2 * HIGH, "w": WIDE, "h": HIGH}
    panel = _panel(number, "timeseries", title, at)
    panel["fieldConfig"] = {"defaults": {"unit": unit}, "overrides": []}
    panel["targets"] = [_target(expression, legend)]
    return panel


def _panel(number: int, kind: str, title: str, at: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number + 1, "type": kind, "title": title, "gridPos": at,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
    }  # fmt: skip


def _target(expression: str, legend: str) -> dict[str, str]:
    return {"refId": "A", "expr": expression, "legendFormat": legend or "__auto"}
