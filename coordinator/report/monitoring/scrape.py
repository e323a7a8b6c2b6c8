"""prometheus.yml: the targets that Prometheus scrapes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from inventory.network import Host, Network
from support.endpoint import Endpoint

PLUGIN = "/v1/prometheus/metrics"
"""Where nodeos' own prometheus_plugin answers (Leap 4 and later; the bundled build has none)."""
RULES = "alerts.yml"
LOOPBACK = ("127.0.0.1", "localhost")
EVERYWHERE = "0.0.0.0"  # noqa: S104 (compared with, not listened at)


@dataclass(frozen=True)
class Scraped:
    """Where values are exported."""

    at: str
    """HOST:PORT."""
    host: str = ""
    """The inventory's host; empty: of no host, or not known."""


@dataclass(frozen=True)
class Job:
    """One group of targets."""

    name: str
    targets: Sequence[Scraped]
    path: str = "/metrics"
    notes: Sequence[str] = ()
    """What a reader of the file should know."""


def jobs(network: Network, coordinator: str, agents: Sequence[str]) -> tuple[Job, ...]:
    """coordinator: where `coord serve --metrics` listens. agents: where others' `agent serve --metrics` do.

    What answers on a host's loopback only is asked for where Prometheus runs on that host: on this one.
    """
    nodes = [
        Scraped(f"127.0.0.1:{node.http_port}", node.host)
        for node in network.nodes
        if node.prometheus and network.host(node.host).local
    ]
    exporting = [(host, Endpoint.parse(host.metrics)) for host in network.hosts if host.metrics]
    far = [(host, at) for host, at in exporting if not host.local and at.host in LOOPBACK]
    near = [Scraped(_reached(host, at), host.name) for host, at in exporting if (host, at) not in far]
    notes = [
        f"The agent of {host.name} listens on that host's loopback ({at}): write hosts.metrics with an address that "
        "Prometheus reaches, or ask it there."
        for host, at in far
    ]
    found = (
        Job("bootcoord", [Scraped(coordinator)]),
        Job("bootcoord-agents", [*near, *map(Scraped, agents)], notes=notes),
        Job("nodeos", nodes, PLUGIN),
    )
    return tuple(job for job in found if job.targets or job.notes)


def _reached(host: Host, at: Endpoint) -> str:
    """Where the address that an agent listens at is reached."""
    return str(Endpoint(host.address, at.port)) if at.host == EVERYWHERE else str(at)


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
        yield from (f"  # {note}" for note in job.notes)
        if not job.targets:
            continue
        yield f"  - job_name: {job.name}"
        yield f"    metrics_path: {job.path}"
        yield "    static_configs:"
        for target in job.targets:
            labels = {"network": network.name} | ({"host": target.host} if target.host else {})
            yield f"      - targets: {json.dumps([target.at])}"
            yield f"        labels: {json.dumps(labels)}"
