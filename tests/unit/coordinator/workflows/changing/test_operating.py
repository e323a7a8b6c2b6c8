"""Single nodes and hosts are operated as asked, safely if asked again, and never at the chain's expense."""

from __future__ import annotations

import io
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from boot.step import NodeMode, Query
from coordinator.agents.link import LinkError
from coordinator.errors import OperationFailed, UsageProblem
from coordinator.parties.open_network import OpenNetwork
from coordinator.report.progress import PlainReporter
from coordinator.state.placements import Placements
from coordinator.workflows.changing import operating
from coordinator.workflows.changing.operating import HostAction, NodeAction, Operation, operate
from inventory.network import Network, Node, Role
from protos import coordination_pb2 as pb
from support.identity import Kind
from support.journal import Journal

SCHEDULE = ("a", "b", "c", "d")


@dataclass
class World:
    """Four producers on two hosts, all in the schedule; nodes do as they are told."""

    down: set[str] = field(default_factory=set)
    acts: list[str] = field(default_factory=list)
    schedule: tuple[str, ...] = SCHEDULE
    paused: set[str] = field(default_factory=set)
    signers: list[str] = field(default_factory=list)
    """Who signs the next blocks; then the chain's other producers do."""

    @property
    def network(self) -> Any:
        nodes = [Node(name, f"h{number // 2}", Role.PRODUCER, name, 1, 2) for number, name in enumerate(SCHEDULE)]
        hosts = [SimpleNamespace(name="h0"), SimpleNamespace(name="h1")]
        return SimpleNamespace(
            nodes=nodes,
            hosts=hosts,
            source="net.toml",
            node={n.name: n for n in nodes}.__getitem__,
        )

    async def ask(self, query: Query) -> Any:
        if query.path.endswith("paused"):
            return query.node in self.paused
        if query.path.endswith("get_info"):
            signer = self.signers.pop(0) if self.signers else ""
            self.acts += [f"{signer} signs"] if signer else []
            return {"head_block_producer": signer}
        return {"active": {"producers": [{"producer_name": name} for name in self.schedule]}}

    def running(self, node: Node) -> bool:
        return node.name not in self.down

    def status(self, node: Node) -> pb.NodeStatus:
        return pb.NodeStatus(name=node.name)

    async def start(self, name: str, mode: NodeMode) -> None:
        self.acts.append(f"start {name}")
        self.down.discard(name)

    async def stop(self, name: str) -> None:
        self.acts.append(f"stop {name}")
        self.down.add(name)

    async def produce(self, name: str, *, paused: bool) -> None:
        self.acts.append(f"{'pause' if paused else 'resume'} {name}")
        self.paused = self.paused | {name} if paused else self.paused - {name}


async def operated(
    world: World, monkeypatch: pytest.MonkeyPatch, action: NodeAction | HostAction, name: str, force: bool = False
) -> str:
    monkeypatch.setattr(operating, "NodeWork", lambda access, lost, log: world)
    monkeypatch.setattr(operating, "LostNodes", lambda access, sealed: None)
    state = SimpleNamespace(boot_log=None)
    opened = SimpleNamespace(
        network=world.network, access=world, sealed=None, state=state, hub=SimpleNamespace(links={})
    )
    return await operate(cast(OpenNetwork, opened), Operation(action, name, force), PlainReporter(io.StringIO()))


async def test_a_node_is_stopped_and_started_and_the_same_again_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each command says what it did, or that nothing was to do."""
    world = World()
    assert "b is stopped; coord node INVENTORY start b" in await operated(world, monkeypatch, NodeAction.STOP, "b")
    assert await operated(world, monkeypatch, NodeAction.STOP, "b") == "b is stopped already"
    assert await operated(world, monkeypatch, NodeAction.START, "b") == "b is started"
    assert await operated(world, monkeypatch, NodeAction.START, "b") == "b runs already"
    assert world.acts == ["stop b", "start b"]


@pytest.mark.parametrize(
    ("action", "name", "act"),
    [(NodeAction.STOP, "b", "stop b"), (NodeAction.PAUSE, "b", "pause b"), (HostAction.DRAIN, "h0", "pause b")],
)
async def test_a_producer_ends_its_turn_first(
    monkeypatch: pytest.MonkeyPatch, action: NodeAction | HostAction, name: str, act: str
) -> None:
    """Away in the middle of its turn, it would miss the rest of it, too. At another time it is away at once."""
    world = World(schedule=("b", "c", "d", "e"), signers=["b", "b", "c"], down={"a"})
    await operated(world, monkeypatch, action, name)
    assert world.acts == ["b signs", "b signs", "c signs", act]


@pytest.mark.parametrize("action", [NodeAction.STOP, NodeAction.PAUSE])
async def test_a_producer_that_the_schedule_cannot_lose_stays(
    monkeypatch: pytest.MonkeyPatch, action: NodeAction
) -> None:
    """One of four is already away; --force overrides that."""
    world = World(down={"c"})
    with pytest.raises(OperationFailed, match=r"b is left as it is, because c is away: of 4 .* --force overrides this"):
        await operated(world, monkeypatch, action, "b")
    assert world.acts == []
    await operated(world, monkeypatch, action, "b", force=True)
    assert world.acts == [f"{action} b"]


async def test_a_schedule_of_three_can_lose_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than two thirds must sign."""
    world = World(schedule=("a", "b", "c"))
    with pytest.raises(OperationFailed, match="of 3 producers 0 may be away"):
        await operated(world, monkeypatch, NodeAction.STOP, "b")
    assert "d is stopped" in await operated(world, monkeypatch, NodeAction.STOP, "d")


async def test_a_host_is_drained_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both producers of a host are too many of four, and then none is paused; of a larger schedule both are."""
    world = World()
    refused = "h0 is not drained: a, b are left as they are, because the schedule cannot lose all of them: of 4 "
    with pytest.raises(OperationFailed, match=f"{refused}.* --force overrides this"):
        await operated(world, monkeypatch, HostAction.DRAIN, "h0")
    assert world.acts == []
    assert "a, b of h0 make no blocks" in await operated(world, monkeypatch, HostAction.DRAIN, "h0", force=True)
    assert "a, b of h0 make no blocks" in await operated(world, monkeypatch, HostAction.DRAIN, "h0", force=True)
    assert "a, b of h0 make blocks again" in await operated(world, monkeypatch, HostAction.UNDRAIN, "h0")
    assert world.acts == ["pause a", "pause b", "resume a", "resume b"]
    larger = World(schedule=("a", "b", "c", "d", "e", "f", "g"))
    assert "a, b of h0 make no blocks" in await operated(larger, monkeypatch, HostAction.DRAIN, "h0")
    larger.acts.clear()
    with pytest.raises(OperationFailed, match="c, d are left as they are, because a, b are away: of 7 producers 2 may"):
        await operated(larger, monkeypatch, HostAction.DRAIN, "h1")
    assert larger.acts == []


async def test_a_drain_that_fails_half_way_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second producer's agent does not answer: the first resumes; one that was paused before stays paused."""
    world = World(schedule=("a", "c", "d", "e"), paused={"a"})
    pause = world.produce

    async def fails(name: str, *, paused: bool) -> None:
        await pause(name, paused=paused)
        if paused:
            raise OperationFailed("its agent is away")

    world.produce = fails  # type: ignore[method-assign]
    with pytest.raises(OperationFailed, match="its agent is away"):
        await operated(world, monkeypatch, HostAction.DRAIN, "h0")
    assert world.acts == ["pause b", "resume b"]
    assert world.paused == {"a"}


async def test_a_paused_node_must_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """nodeos keeps the pause in memory."""
    with pytest.raises(OperationFailed, match="b does not run: start it first"):
        await operated(World(down={"b"}), monkeypatch, NodeAction.PAUSE, "b")


def test_names_are_checked_before_anything_is_opened() -> None:
    """A typo, and a host that the file still lists."""
    network = cast(Network, World().network)
    with pytest.raises(UsageProblem, match="there is no node 'z'"):
        Operation(NodeAction.RESTART, "z").check(network)
    with pytest.raises(UsageProblem, match="there is no host 'h7'"):
        Operation(HostAction.DRAIN, "h7").check(network)
    with pytest.raises(UsageProblem, match="host h0 is still listed"):
        Operation(HostAction.REMOVE, "h0").check(network)
    Operation(HostAction.REMOVE, "h7").check(network)


class Link:
    """The agent of a host that left the inventory."""

    name, connected = "h9", True

    def __init__(self) -> None:
        spec = pb.NodeSpec(name="old")
        self.status = pb.Status(nodes=[pb.NodeStatus(name="old", state="running", spec=spec)])
        self.stopped: list[str] = []

    async def task(self, body: pb.StopNode, deadline: float) -> pb.Result:
        self.stopped.append(body.name)
        return pb.Result(ok=True)


async def test_a_node_that_left_the_inventory_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """On whichever host runs it, whatever a party claims to run; an unknown node is the user's mistake."""
    world, link, claimed = World(), Link(), Link()
    claimed.status.nodes[0].state = "stopped"
    forgotten: list[str] = []
    monkeypatch.setattr(operating, "Placements", lambda journal: SimpleNamespace(forget=forgotten.append))
    monkeypatch.setattr(operating, "NodeWork", lambda access, lost, log: world)
    monkeypatch.setattr(operating, "LostNodes", lambda access, sealed: None)
    opened = SimpleNamespace(
        network=world.network, access=world, sealed=None, state=SimpleNamespace(boot_log=None, journal=None),
        hub=SimpleNamespace(
            links={"mallory": claimed, "h9": link},
            register=SimpleNamespace(find=lambda _: SimpleNamespace(kind=Kind.HOST, revoked=False)),
        ),
        parties=SimpleNamespace(parties=lambda: [SimpleNamespace(name="mallory")]),
    )  # fmt: skip
    stop = Operation(NodeAction.STOP, "old")
    said = await operate(cast(OpenNetwork, opened), stop, PlainReporter(io.StringIO()))
    assert said == "old of h9 is stopped; its data is still there"
    assert (link.stopped, claimed.stopped, forgotten) == (["old"], [], ["old"])
    link.status.nodes[0].spec.account = "c"
    for leaving in (stop, Operation(HostAction.REMOVE, "h9")):
        with pytest.raises(OperationFailed, match=r"old signs blocks for c: list c in producers\.later again"):
            await operate(cast(OpenNetwork, opened), leaving, PlainReporter(io.StringIO()))
    assert link.stopped == ["old"]
    link.status.nodes[0].state = "stopped"
    assert await operate(cast(OpenNetwork, opened), stop, PlainReporter(io.StringIO())) == "old is stopped already"
    with pytest.raises(UsageProblem, match="no host has a node 'never'"):
        await operate(cast(OpenNetwork, opened), Operation(NodeAction.STOP, "never"), PlainReporter(io.StringIO()))


async def test_a_carried_account_key_is_found_on_its_new_host(tmp_path: Path) -> None:
    """The host that leaves is then not called the only one; a host that does not have the key is not named."""
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        placements = Placements(journal)
        placements.move(Node("c", "h1", Role.PRODUCER, "c", 1, 2), "h9")
        holds = {"h9"}

        def link(host: str) -> Any:
            async def task(body: pb.Rekey, deadline: float) -> pb.Result:
                if host == "h0":
                    raise LinkError("h0 was revoked")
                own = [pb.Key(account=body.account)] if host in holds else []
                return pb.Result(ok=True, collected=pb.Collected(accounts=own))

            return SimpleNamespace(connected=True, task=task)

        links = {host: link(host) for host in ("h0", "h1", "h9")}
        access = SimpleNamespace(link=links.__getitem__)
        opened: Any = SimpleNamespace(network=World().network, hub=SimpleNamespace(links=links), access=access)
        assert await operating._kept_alone(opened, placements, "h9") == ["c"]
        holds.add("h1")
        assert await operating._kept_alone(opened, placements, "h9") == []
        assert placements.keepers() == {"c": "h1"}
