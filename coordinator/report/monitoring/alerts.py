"""alerts.yml: when a person must look. The limits follow from the chain and its number of elected producers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from antelope.elections import BLOCKS_PER_TURN
from coordinator.report.chain import patience
from coordinator.report.health import FINAL_ROUNDS
from inventory.network import Network

CLOCK_SECONDS = 0.5
"""nodeos refuses blocks from the future from 7 s on, and warns from 0.5 s on."""
DISK_BYTES = 10 << 30
CERTIFICATE_DAYS = 30
"""Agents renew 60 days before the end, when a coordinator runs."""


@dataclass(frozen=True)
class Alert:
    """One rule."""

    name: str
    expression: str
    """PromQL."""
    lasting: str
    """How long it must hold, such as 1m."""
    summary: str
    """One line; {{ $labels.X }} and {{ $value }} are Prometheus' own."""


def alerts(network: Network) -> Sequence[Alert]:
    """The rules for a network."""
    lag = FINAL_ROUNDS * BLOCKS_PER_TURN * max(1, len(network.elected))
    stall = patience(network.elected)
    return (
        Alert("ChainStalled", f"bootcoord_head_age_seconds > {stall:g}", "30s",
              "no new block for {{ $value }} s"),
        Alert("IrreversibilityStalled", f"bootcoord_head_block - bootcoord_irreversible_block > {lag}", "1m",
              "LIB is {{ $value }} blocks behind the head"),
        Alert("ProducerSilent", "bootcoord_producer_silent == 1", "2m",
              "{{ $labels.producer }} makes no blocks in its turns"),
        Alert("TwoSigners", "bootcoord_node_two_signers > 0", "0s",
              "node {{ $labels.node }} on {{ $labels.host }} has seen two nodes sign for one producer"),
        Alert("NodeDown", "bootcoord_node_running == 0", "2m",
              "node {{ $labels.node }} on {{ $labels.host }} does not run"),
        Alert("NodeBehind", f"bootcoord_irreversible_block - on() group_right() bootcoord_node_head_block > {lag}",
              "2m", "node {{ $labels.node }} is {{ $value }} blocks behind LIB"),
        Alert("NodeWithoutPeers", "bootcoord_node_peers == 0 and on() count(bootcoord_node_running) > 1", "2m",
              "node {{ $labels.node }} has no peers"),
        Alert("AgentAway", "bootcoord_agent_connected == 0", "2m", "the agent of {{ $labels.host }} is away"),
        Alert("ClockOff", f"abs(bootcoord_clock_offset_seconds) > {CLOCK_SECONDS:g}", "2m",
              "the clock of {{ $labels.host }} is off by {{ $value }} s"),
        Alert("DiskNearlyFull", f"bootcoord_disk_free_bytes < {DISK_BYTES}", "5m",
              "{{ $labels.host }} has {{ $value }} bytes left: nodeos stops at 90 % of the disk"),
        Alert("CertificateEnds",
              f"bootcoord_certificate_end_timestamp_seconds - time() < {CERTIFICATE_DAYS * 86400}", "1h",
              "the certificate of the agent {{ $labels.agent }} ends soon: run coord serve, and it renews it"),
        Alert("AgentExportsNothing", 'up{job="bootcoord-agents"} == 0', "5m",
              "nothing is exported at {{ $labels.instance }}: the agent does not run, or its port is taken"),
        Alert("CoordinatorAway", 'up{job="bootcoord"} == 0', "5m",
              "nothing is exported: coord serve --metrics does not run"),
    )  # fmt: skip


def rules_file(network: Network, found: Sequence[Alert]) -> str:
    """The file's text."""
    return "\n".join((*_lines(network, found), ""))


def _lines(network: Network, found: Sequence[Alert]) -> Iterator[str]:
    yield f"# When a person must look at the network {network.name}. Written by coord metrics."
    yield "groups:"
    yield f"  - name: {network.name}"
    yield "    rules:"
    for alert in found:
        yield f"      - alert: {alert.name}"
        yield f"        expr: {json.dumps(alert.expression)}"
        yield f"        for: {alert.lasting}"
        yield "        annotations:"
        yield f"          summary: {json.dumps(alert.summary)}"
