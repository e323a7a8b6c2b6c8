"""The state of a network, gathered from agents, nodes and the journal, for `coord status`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from boot.plan import make_plan
from boot.steps import STEPS
from coordinator.engine.access import RUNNING
from coordinator.parties.open_network import OpenNetwork
from coordinator.parties.store import Party
from coordinator.report.chain import look
from coordinator.report.health import problems
from coordinator.reporter import StepResult
from coordinator.state.folder import StepRecord
from inventory.network import Network, Node
from inventory.share import Seats
from protos import coordination_pb2 as pb
from support import node_processes

UNKNOWN = "unknown"
"""The state of a node whose agent is not connected."""
STALLED = "stalled"
"""The phase of a network whose nodes run but whose chain makes no blocks."""


@dataclass(frozen=True)
class NodeRow:
    """One node, as reported by its agent."""

    name: str
    host: str
    account: str
    role: str
    p2p: str
    http: str
    state: str
    """running, stopped, starting or failed; unknown if its agent is not connected."""
    head: int
    lib: int
    peers: int
    detail: str
    audit: bool = False
    """It answers from irreversible state, for the audit, and takes no transactions."""


@dataclass(frozen=True)
class HostRow:
    """One host and its agent."""

    name: str
    agent: str
    """connected or away."""
    clock_offset: float | None
    """Seconds that its clock was ahead of the coordinator's at its latest report."""
    disk_free: int | None
    """Free bytes on the disk of its agent's folder."""


@dataclass(frozen=True)
class StepRow:
    """One step of the boot."""

    name: str
    state: str
    """A StepResult; `pending` if it never ended."""
    seconds: float
    transactions: int


@dataclass(frozen=True)
class NetworkStatus:
    """The state of the whole network."""

    network: str
    chain_id: str | None
    manifest: str | None
    phase: str
    head: int
    head_age: float | None
    """Seconds since the latest block; None if no node answered."""
    stands: bool
    """Whether the chain has stalled: no new blocks."""
    lib: int
    schedule: tuple[str, ...]
    silent: tuple[str, ...]
    """Scheduled producers that made no block in the latest round."""
    nodes: tuple[NodeRow, ...]
    hosts: tuple[HostRow, ...]
    steps: Mapping[str, StepRecord]
    parties: tuple[Party, ...] = ()
    seats: Seats | None = None
    """The parties' places in the schedule, and how many they hold now; None if nobody was invited."""

    @property
    def step_rows(self) -> tuple[StepRow, ...]:
        """Every step of the boot, in the plan's order."""
        return tuple(_step_row(step.name, self.steps.get(step.name)) for step in make_plan(STEPS).steps)

    @property
    def left(self) -> tuple[str, ...]:
        """The steps that are not done yet."""
        return tuple(row.name for row in self.step_rows if row.state != StepResult.DONE)

    def to_json(self) -> dict[str, Any]:
        """The document that `coord status --json` prints."""
        return {
            "network": self.network,
            "chain_id": self.chain_id,
            "manifest": self.manifest,
            "phase": self.phase,
            "head_block": self.head,
            "head_age": self.head_age,
            "lib": self.lib,
            "schedule": list(self.schedule),
            "silent": list(self.silent),
            "problems": list(problems(self)),
            "nodes": [
                {
                    "name": row.name, "host": row.host, "account": row.account, "role": row.role, "p2p": row.p2p,
                    "http": row.http, "state": row.state, "head_block": row.head, "lib": row.lib, "peers": row.peers,
                    "detail": row.detail,
                }
                for row in self.nodes
            ],
            "hosts": [
                {"name": row.name, "agent": row.agent, "clock_offset": row.clock_offset, "disk_free": row.disk_free}
                for row in self.hosts
            ],
            "parties": [
                {"name": one.name, "account": one.account, "state": str(one.state), "why": one.why, "p2p": one.endpoint}
                for one in self.parties
            ],
            "party_seats": {
                "scheduled": self.seats.taken, "most": self.seats.most, "limit": self.seats.rule,
            } if self.seats else None,
            "steps": [
                {"name": row.name, "state": row.state, "seconds": row.seconds, "transactions": row.transactions}
                for row in self.step_rows
            ],
        }  # fmt: skip


async def gather(opened: OpenNetwork) -> NetworkStatus:
    """Gathers the report from the connected agents."""
    sealed = opened.state.sealed
    nodes = tuple(_node_row(opened, name) for name in (node.name for node in opened.network.nodes))
    steps = opened.state.steps()
    chain = await look(opened)
    parties = opened.parties.parties()
    accounts = {party.account for party in parties}
    return NetworkStatus(
        network=opened.network.name,
        chain_id=sealed.chain_id if sealed else None,
        manifest=sealed.manifest if sealed else None,
        phase=phase(sealed is not None, steps, {row.state for row in nodes}, chain.moves),
        head=max([chain.head, *(row.head for row in nodes)]),
        head_age=chain.age,
        stands=chain.age is not None and not chain.moves,
        lib=max([chain.lib, *(row.lib for row in nodes)]),
        schedule=chain.schedule,
        silent=chain.silent,
        nodes=nodes,
        hosts=tuple(_host_row(opened, host.name) for host in opened.network.hosts),
        steps=steps,
        parties=parties,
        seats=replace(Seats.of(opened.network), taken=len(accounts & set(chain.schedule))) if parties else None,
    )


def phase(sealed: bool, steps: Mapping[str, StepRecord], states: Collection[str], moves: bool | None) -> str:
    """planned, booting, voting, live, stalled or down; unknown if no node is known to run and an agent is away, or if
    no running node answered.

    moves: whether blocks arrive; None if unknown.
    """
    if not sealed:
        return "planned"
    if RUNNING not in states:
        return UNKNOWN if UNKNOWN in states else "down"
    if moves is None:
        return UNKNOWN
    if not moves:
        return STALLED
    if "resign" in steps and steps["resign"].done:
        return "live"
    return "voting" if any(step.result is StepResult.WAITS for step in steps.values()) else "booting"


def planned(network: Network) -> NetworkStatus:
    """The report of a network that was never booted."""
    nodes = tuple(
        NodeRow(node.name, node.host, node.account or "", node.role.value, network.p2p(node), _http(node.http_port),
                "stopped", 0, 0, 0, "")
        for node in network.nodes
    )  # fmt: skip
    return NetworkStatus(
        network.name, None, None, phase(False, {}, (), None), 0, None, False, 0, (), (), nodes,
        tuple(HostRow(host.name, "away", None, None) for host in network.hosts), {},
    )  # fmt: skip


def _step_row(name: str, record: StepRecord | None) -> StepRow:
    if record is None:
        return StepRow(name, "pending", 0.0, 0)
    return StepRow(name, str(record.result), record.seconds, record.transactions)


def _http(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _node_row(opened: OpenNetwork, name: str) -> NodeRow:
    node = opened.network.node(name)
    link = opened.hub.links.get(node.host)
    status = opened.access.status(node)
    state = status.state if status else ("stopped" if link and link.connected else _unreported(opened, node))
    return NodeRow(
        node.name, node.host, node.account or "", node.role.value, opened.network.p2p(node), _http(node.http_port),
        state, status.head if status else 0, status.lib if status else 0, status.peers if status else 0,
        status.detail if status else "", status is not None and status.mode == pb.MODE_AUDIT,
    )  # fmt: skip


def _unreported(opened: OpenNetwork, node: Node) -> str:
    """The state of a node whose agent is not connected; on this machine its process can be looked up."""
    if not opened.network.host(node.host).local:
        return UNKNOWN
    folder = opened.state.host_data(node.host) / "nodes" / node.name
    return RUNNING if folder.exists() and node_processes.running(folder) else "stopped"


def _host_row(opened: OpenNetwork, name: str) -> HostRow:
    link = opened.hub.links.get(name)
    if link is None or not link.connected:
        return HostRow(name, "away", None, None)
    return HostRow(name, "connected", link.clock_offset, link.status.disk_free if link.status else None)
