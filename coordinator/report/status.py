"""The state of a network: its phase, chain, hosts, nodes and steps. Pure; `gathering.py` gathers it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from boot.plan import make_plan
from boot.steps import STEPS
from boot.steps.resign import STEP as RESIGN
from coordinator.parties.store import Party
from coordinator.reporter import StepResult
from coordinator.state.folder import StepRecord
from inventory.network import Role
from inventory.share import Seats
from protos.states import NodeState

UNKNOWN = "unknown"
"""The state of a node whose agent is not connected."""
CONNECTED, AWAY = "connected", "away"
"""The states of an agent."""


class Phase(StrEnum):
    """How far a network is."""

    PLANNED = "planned"
    """Not sealed yet."""
    BOOTING = "booting"
    VOTING = "voting"
    """The boot waits for people's votes."""
    LIVE = "live"
    """eosio has resigned, and blocks come."""
    STALLED = "stalled"
    """Nodes run, but no block comes."""
    DOWN = "down"
    UNKNOWN = "unknown"
    """No node is known to run and an agent is away, or no running node answered."""


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
    since: int = 0
    """Block of the snapshot that its chain began with; it has no earlier ones. 0: it has all."""
    withheld: str = ""
    """Why a producer's node follows the chain without its key; empty if it signs in its turn."""
    doubles: tuple[str, ...] = ()
    """What shows that two nodes sign for one producer."""
    api: str = ""
    """HOST:PORT where it serves the chain API to other people; empty: nowhere."""
    history: str = ""
    """HOST:PORT where it serves the history of the state; empty: nowhere."""

    @property
    def takes(self) -> bool:
        """Whether it takes transactions while it runs."""
        return not self.audit and self.role != Role.SEED


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
    contested: bool = False
    """Two machines dial in as this host in turn."""
    lost_keys: tuple[str, ...] = ()
    """Which of its key files are gone while its nodes run, a line each."""


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
    phase: Phase
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
    unlisted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Hosts that left the inventory and whose agents are connected, each with the nodes that run there."""
    paused: tuple[str, ...] = ()
    """The operator's producers whose nodes were paused, or whose hosts were drained."""
    planned: tuple[str, ...] = tuple(step.name for step in make_plan(STEPS).steps)
    """The steps of this network's boot, in the plan's order."""

    @property
    def step_rows(self) -> tuple[StepRow, ...]:
        """Every step of the boot, in the plan's order."""
        return tuple(_step_row(name, self.steps.get(name)) for name in self.planned)

    @property
    def left(self) -> tuple[str, ...]:
        """The steps that are not done yet."""
        return tuple(row.name for row in self.step_rows if row.state != StepResult.DONE)


def phase(
    sealed: bool, steps: Mapping[str, StepRecord], states: Collection[str], moves: bool | None, last: str = RESIGN.name
) -> Phase:
    """states: of the nodes. moves: whether blocks arrive; None if unknown. last: the step that makes it live."""
    if not sealed:
        return Phase.PLANNED
    if NodeState.RUNNING not in states:
        return Phase.UNKNOWN if UNKNOWN in states else Phase.DOWN
    if moves is None:
        return Phase.UNKNOWN
    if not moves:
        return Phase.STALLED
    if last in steps and steps[last].done:
        return Phase.LIVE
    return Phase.VOTING if any(step.result is StepResult.WAITS for step in steps.values()) else Phase.BOOTING


def _step_row(name: str, record: StepRecord | None) -> StepRow:
    if record is None:
        return StepRow(name, "pending", 0.0, 0)
    return StepRow(name, str(record.result), record.seconds, record.transactions)
