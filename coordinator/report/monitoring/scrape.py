"""prometheus.yml: the targets that Prometheus scrapes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from inventory.network import Network

PLUGIN = "/v1/prometheus/metrics"
"""Where nodeos' own prometheus_plugin answers (Leap 4 and later; the bundled build has none)."""
RULES = "alerts.yml"


@dataclass(frozen=True)
class Job:
    """One group of targets."""

    name: str
    targets: Sequence[str]
    """HOST:PORT."""
    path: str = "/metrics"


def jobs(network: Network, coordinator: str, agents: Sequence[str]) -> tuple[Job, ...]:
    """coordinator: where `coord serve --metrics` listens. agents: where `agent serve --metrics` do.

    nodeos answers on its host's loopback only, so its own metrics are asked for where Prometheus runs on that host.
    """
    nodes = [f"127.0.0.1:{node.http_port}" for node in network.nodes if network.host(node.host).local]
    found = (Job("bootcoord", [coordinator]), Job("bootcoord-agents", agents), Job("nodeos", nodes, PLUGIN))
    return tuple(job for job in found if job.targets)


def scrape_file(network: Network, found: Sequence[Job]) -> str:
    """The file's text."""
    return "\n".join((*_lines(network, found), ""))


def _lines(network: Network, found: Sequence[Job]) -> Iterator[str]:
    yield f"# Whom Prometheus asks about the network {network.name}. Written by coord metrics."
    yield "global:"
    yield "  scrape_interval: 15s"
    yield "rule_files:"
    yield f"  - {RULES}"
    yield "scrape_configs:"
    for job in found:
        if job.path == PLUGIN:
            yield "  # Only nodes whose nodeos has eosio::prometheus_plugin answer; remove this job where none has it."
        yield f"  - job_name: {job.name}"
        yield f"    metrics_path: {job.path}"
        yield "    static_configs:"
        yield f"      - targets: {json.dumps(list(job.targets))}"
        yield "        labels:"
        yield f"          network: {json.dumps(network.name)}"
