"""The state of a network as measured values: what `coord boot --metrics` and `coord serve --metrics` export. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from coordinator.parties.store import Standing
from coordinator.report.status import CONNECTED, NetworkStatus, Phase
from protos.states import NodeState
from support.exporter import Gauge


def measures(status: NetworkStatus, certificates: Mapping[str, float]) -> Sequence[Gauge]:
    """certificates: until when the certificate of each host's and party's agent is valid, in Unix seconds."""
    return (*_chain(status), *_boot(status), *_hosts(status, certificates), *_nodes(status), *_parties(status))


def _chain(status: NetworkStatus) -> Sequence[Gauge]:
    phases = ((str(phase), float(phase is status.phase)) for phase in Phase)
    silent = ((name, float(name in status.silent)) for name in status.schedule)
    return (
        Gauge.each("bootcoord_phase", "1 for the phase that the network is in", "phase", phases),
        Gauge.of("bootcoord_head_block", "Number of the latest block", status.head or None),
        Gauge.of("bootcoord_irreversible_block", "Number of the last irreversible block", status.lib or None),
        Gauge.of("bootcoord_head_age_seconds", "Age of the latest block", status.head_age),
        Gauge.of("bootcoord_stalled", "1 if no new blocks come", float(status.stands)),
        Gauge.each(
            "bootcoord_producer_silent", "1 for a scheduled producer without a block in the latest round", "producer",
            silent,
        ),
    )  # fmt: skip


def _boot(status: NetworkStatus) -> Sequence[Gauge]:
    rows = status.step_rows
    return (
        Gauge.of("bootcoord_steps", "Steps of the boot", len(rows)),
        Gauge.of("bootcoord_steps_done", "Steps of the boot that are done", len(rows) - len(status.left)),
    )


def _hosts(status: NetworkStatus, certificates: Mapping[str, float]) -> Sequence[Gauge]:
    hosts = status.hosts
    clocks = ((one.name, one.clock_offset) for one in hosts if one.clock_offset is not None)
    disks = ((one.name, float(one.disk_free)) for one in hosts if one.disk_free is not None)
    return (
        Gauge.each(
            "bootcoord_agent_connected", "1 if the host's agent is connected", "host",
            ((one.name, float(one.agent == CONNECTED)) for one in hosts),
        ),
        Gauge.each("bootcoord_clock_offset_seconds", "How much the host's clock is ahead", "host", clocks),
        Gauge.each("bootcoord_disk_free_bytes", "Free space where the nodes' data lies", "host", disks),
        Gauge.each(
            "bootcoord_certificate_end_timestamp_seconds", "Until when an agent's certificate is valid", "agent",
            sorted(certificates.items()),
        ),
    )  # fmt: skip


def _nodes(status: NetworkStatus) -> Sequence[Gauge]:
    nodes = [((one.name, one.host), one) for one in status.nodes]
    told = {host.name for host in status.hosts if host.agent == CONNECTED}
    running = [(who, one) for who, one in nodes if one.state == NodeState.RUNNING and one.host in told]

    def of(name: str, text: str, values: Sequence[tuple[tuple[str, str], float]]) -> Gauge:
        return Gauge(name, text, ("node", "host"), tuple(values))

    return (
        of(
            "bootcoord_node_running", "1 if the node runs",
            [(who, float(one.state == NodeState.RUNNING)) for who, one in nodes],
        ),
        of("bootcoord_node_head_block", "Number of the node's latest block", [(w, float(n.head)) for w, n in running]),
        of(
            "bootcoord_node_irreversible_block", "Number of the node's last irreversible block",
            [(who, float(one.lib)) for who, one in running],
        ),
        of(
            "bootcoord_node_two_signers", "Signs that two nodes sign for one producer, seen by this node's agent",
            [(who, float(len(one.doubles))) for who, one in nodes],
        ),
        of("bootcoord_node_peers", "Connected peers of the node", [(who, float(one.peers)) for who, one in running]),
    )  # fmt: skip


def _parties(status: NetworkStatus) -> Sequence[Gauge]:
    states = [party.state for party in status.parties]
    return (
        Gauge.each(
            "bootcoord_parties", "Parties by their state", "state",
            ((str(state), float(states.count(state))) for state in Standing) if states else (),
        ),
    )  # fmt: skip
