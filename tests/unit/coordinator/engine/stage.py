"""A simulated chain and its nodes, as the engine reaches them through agents, without agents."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from antelope.errors import NodeError, Unreachable
from boot.blueprint import Blueprint
from boot.step import ChainStep, Finality, NodeMode, NodeStep, Push, Query, Reads, Verdict, WaitStep
from coordinator.engine.access import NodeAccess, TaskFailedError, pusher
from coordinator.engine.reasons import Reason, Reasons
from coordinator.engine.runner import Runner
from coordinator.reporter import StepResult
from coordinator.state.folder import StateFolder
from inventory.load import load
from inventory.network import Network, Node
from inventory.sealed import Sealed
from protos import coordination_pb2 as pb
from support.journal import Journal
from tests.unit.coordinator.parties.crowd import make_sealed

INVENTORY = """
[network]
name = "net"
[users]
count = 3
[producers]
count = 2
[[hosts]]
name = "one"
local = true
[[hosts]]
name = "two"
local = true
"""


class Heard:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.ends: list[tuple[str, StepResult, str]] = []
        self.details: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def began(self, step: str, title: str) -> None:
        pass

    def moved(self, step: str, done: int, total: int, detail: str) -> None:
        self.details.append(detail)

    def ended(self, step: str, title: str, result: StepResult, detail: str) -> None:
        self.ends.append((step, result, detail))

    def asking(self) -> Any:
        raise AssertionError("nothing is asked")

    def close(self) -> None:
        pass

    @property
    def results(self) -> dict[str, StepResult]:
        """How each step ended."""
        return {step: result for step, result, _ in self.ends}


def pushed(step: str, key: str, block: int) -> pb.Pushed:
    """What an agent tells of a transaction, each time the same."""
    return pb.Pushed(key=key, transaction=hashlib.sha256(f"{step} {key}".encode()).hexdigest(), block=block)


@dataclass
class Link:
    """The agent of a host, which forwards to the stage."""

    stage: Stage
    name: str
    connected: bool = True

    @property
    def manifest(self) -> str:
        """Of the sealed network, which every agent holds."""
        return self.stage.manifest

    async def query(self, node: str, path: str, body: Any = None) -> Any:
        """As AgentLink's."""
        return await self.stage.ask(Query(path, body, node=node))

    async def task(
        self, body: Any, on_progress: Callable[[pb.Progress], None], deadline: float, keys: Iterable[str]
    ) -> pb.Result:
        """As AgentLink's; the stage is only asked to recount."""
        self.stage.tasks.append((self.name, body))
        on_progress(pb.Progress(pushed=[pushed(body.step, key, 7) for key in keys]))
        return pb.Result(ok=True)


@dataclass
class Stage:
    """Stands for NodeAccess and its hub. A task takes effect at once, unless `refuses` says otherwise."""

    network: Network
    journal: Journal
    manifest: str = ""
    """Of the sealed network that all agents hold."""
    links: dict[str, Link] = field(default_factory=dict)
    blocks: dict[str, set[str]] = field(default_factory=dict)
    """The keys of each step that are in blocks."""
    head: int = 100
    lib: int = 100
    pace: int = 1
    """Blocks that are made, and become irreversible, between two looks."""
    states: dict[str, pb.NodeStatus] = field(default_factory=dict)
    tasks: list[tuple[str, Any]] = field(default_factory=list)
    refuses: Callable[[str, Any], Exception | None] = lambda host, body: None
    unreadable: Callable[[Query], NodeError | None] = lambda query: None

    @property
    def records(self) -> Stage:
        """Its journal is here."""
        return self

    @property
    def hub(self) -> Stage:
        """Its links are here."""
        return self

    @property
    def register(self) -> Stage:
        """Every host is installed."""
        return self

    def find(self, name: str) -> str:
        return name

    def link(self, host: str) -> Link:
        return self.links.setdefault(host, Link(self, host))

    def status(self, node: Node) -> pb.NodeStatus | None:
        return self.states.get(node.name)

    def running(self, node: Node) -> bool:
        return node.name in self.states and self.states[node.name].state == "running"

    def pusher(self, account: str) -> Node:
        return pusher(self.network, account)

    async def ask(self, query: Query) -> Any:
        if error := self.unreadable(query):
            raise error
        if query.path.endswith("get_info"):
            self.head += self.pace
            self.lib += self.pace
            return {"head_block_num": self.head, "last_irreversible_block_num": self.lib}
        return sorted(self.blocks.get(query.path, ()))

    async def task(
        self,
        host: str,
        body: Any,
        on_progress: Callable[[pb.Progress], None] = lambda progress: None,
        keys: Iterable[str] = (),
    ) -> pb.Result:
        self.tasks.append((host, body))
        if error := self.refuses(host, body):
            raise error
        if isinstance(body, pb.RunStep):
            self.blocks.setdefault(body.step, set()).update(body.keys)
            on_progress(pb.Progress(pushed=[pushed(body.step, key, self.head) for key in body.keys]))
        if isinstance(body, pb.StartNode):
            self.states[body.spec.name] = pb.NodeStatus(name=body.spec.name, state="running", mode=body.mode)
        return pb.Result(ok=True)

    def run_steps(self) -> list[tuple[str, str, list[str]]]:
        """Who was told to run what."""
        return [(host, body.step, list(body.keys)) for host, body in self.tasks if isinstance(body, pb.RunStep)]


@dataclass
class Bench:
    """A runner over a stage."""

    stage: Stage
    state: StateFolder
    sealed: Sealed
    heard: Heard = field(default_factory=Heard)
    told: list[Reason] = field(default_factory=list)

    def runner(self) -> Runner:
        """A new one, as each `coord boot` has."""
        blueprint = Blueprint(self.sealed, self.state.artifacts.get)
        return Runner(cast(NodeAccess, self.stage), blueprint, self.state, self.heard, Reasons(self.told.append))


def make_bench(folder: Path) -> Bench:
    """Two hosts, of which each has a producer's node."""
    (path := folder / "net.toml").write_text(INVENTORY)
    network, state = load(path), StateFolder(folder / "state", "net")
    sealed = make_sealed(network, state)
    return Bench(Stage(network, state.journal, sealed.manifest), state, sealed)


def evidence(name: str, keys: Iterable[str], **verdict: Any) -> Callable[[Blueprint], Reads]:
    """What the stage lacks of these keys."""

    def reads(_: Blueprint) -> Reads:
        found = yield Query(name)
        if isinstance(found, NodeError):
            raise found
        missing = tuple(key for key in keys if key not in found)
        return Verdict(missing, f"{len(missing)} are missing" if missing else "", **(verdict if missing else {}))

    return reads


def chain_step(name: str, keys: dict[str, str], *after: str, parallel: bool = False, final: bool = False) -> ChainStep:
    """One transaction per key; keys: with the account whose agent signs."""
    pushes = [Push(key, (), holder) for key, holder in keys.items()]
    finality = Finality.IRREVERSIBLE if final else Finality.BLOCK
    return ChainStep(name, name, after, lambda _: pushes, evidence(name, keys), finality, parallel)


def wait_step(name: str, seconds: float, *after: str) -> WaitStep:
    """Waits for the key `it`."""
    return WaitStep(name, name, after, evidence(name, ["it"]), lambda _: seconds)


def node_step(name: str, *nodes: str, mode: NodeMode = NodeMode.NORMAL, **more: Any) -> NodeStep:
    """Starts these nodes."""
    return NodeStep(name, name, (), lambda _: nodes, mode, **more)


def gone(_: Query) -> NodeError:
    """No node can be asked."""
    return Unreachable("no node is running")


def refused(error: str, retryable: bool) -> Callable[[str, Any], Exception]:
    """Every task fails like that."""
    return lambda host, body: TaskFailedError(error, retryable)
