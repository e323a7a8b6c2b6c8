"""Answers about a network, as values. The documents of `coord status --json` and `coord verify --json` have more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from coordinator.report.status import Phase


@dataclass(frozen=True)
class PlannedStep:
    """A step of the boot."""

    name: str
    title: str
    after: tuple[str, ...]
    """The steps that must be done before."""


@dataclass(frozen=True)
class BootResult:
    """How a boot ended, if it did not fail."""

    chain_id: str
    manifest: str
    """The hash over what was sealed."""
    changed: bool
    """Whether this run changed anything."""
    waiting: Mapping[str, str] = field(default_factory=dict)
    """Steps that wait for other people, with what is missing; a later boot continues."""


@dataclass(frozen=True)
class NodeStatus:
    """One nodeos."""

    name: str
    host: str
    account: str
    """The producer that it signs for; empty if none."""
    role: str
    p2p: str
    """HOST:PORT."""
    http: str
    """URL, as the node's own host reaches it."""
    state: str
    """running, stopped, starting, failed, or unknown."""
    head_block: int
    lib: int
    detail: str
    """What is wrong with it; may be empty."""


@dataclass(frozen=True)
class StepStatus:
    """How a step of the boot last ended."""

    name: str
    state: str
    """A StepResult; `pending` if it never ended."""
    seconds: float
    transactions: int


@dataclass(frozen=True)
class Status:
    """The state of a network."""

    network: str
    phase: Phase
    chain_id: str | None
    """None before the seal."""
    manifest: str | None
    head_block: int
    lib: int
    """Last irreversible block."""
    schedule: tuple[str, ...]
    """The producers that sign blocks."""
    problems: tuple[str, ...]
    """What `coord status --check` would complain about."""
    nodes: tuple[NodeStatus, ...]
    steps: tuple[StepStatus, ...]
    document: Mapping[str, Any] = field(repr=False)
    """All that `coord status --json` prints."""

    @staticmethod
    def of(document: Mapping[str, Any]) -> Status:
        """From that document."""
        return Status(
            network=document["network"],
            phase=Phase(document["phase"]),
            chain_id=document["chain_id"],
            manifest=document["manifest"],
            head_block=document["head_block"],
            lib=document["lib"],
            schedule=tuple(document["schedule"]),
            problems=tuple(document["problems"]),
            nodes=tuple(_node(node) for node in document["nodes"]),
            steps=tuple(
                StepStatus(step["name"], step["state"], step["seconds"], step["transactions"])
                for step in document["steps"]
            ),
            document=document,
        )

    def node(self, name: str) -> NodeStatus:
        """The node of that name. Raises KeyError."""
        return {node.name: node for node in self.nodes}[name]


def _node(node: Mapping[str, Any]) -> NodeStatus:
    return NodeStatus(
        name=node["name"], host=node["host"], account=node["account"], role=node["role"], p2p=node["p2p"],
        http=node["http"], state=node["state"], head_block=node["head_block"], lib=node["lib"], detail=node["detail"],
    )  # fmt: skip


@dataclass(frozen=True)
class Check:
    """One comparison of the audit."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True)
class Audit:
    """The audit of a whole chain against its inventory."""

    born: bool
    """Whether the chain was born as planned, which its blocks prove for ever."""
    unchanged: bool
    """Whether everything is still as it was right after the boot."""
    checks: tuple[Check, ...]
    document: Mapping[str, Any] = field(repr=False)
    """All that `coord verify --json` prints."""

    @staticmethod
    def of(document: Mapping[str, Any]) -> Audit:
        """From that document."""
        checks = tuple(Check(one["name"], one["ok"], one["detail"]) for one in document["checks"])
        return Audit(document["born"], document["unchanged"], checks, document)
