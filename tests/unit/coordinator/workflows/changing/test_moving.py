"""A producer moves with a new key: its new node follows first, and its old one signs until it is not needed."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from boot.step import NodeMode
from coordinator.errors import UsageProblem
from coordinator.parties.open_network import OpenNetwork
from coordinator.report.progress import PlainReporter
from coordinator.state.leases import Leases
from coordinator.state.placements import Placements
from coordinator.workflows.changing import moving as module
from coordinator.workflows.changing.moving import move
from inventory.load import glance
from inventory.network import Network, Node
from protos import coordination_pb2 as pb
from support.journal import Journal

FILE = """
[network]
name = "net"
[producers]
count = 2
[[hosts]]
name = "h1"
address = "10.0.0.1"
[[hosts]]
name = "h2"
address = "10.0.0.2"
[[hosts]]
name = "h3"
address = "10.0.0.3"
"""
NAME = "defproducera"


@dataclass
class World:
    """Three hosts; the producer's node is on the second."""

    journal: Journal
    source: Path
    held: dict[str, list[str]] = field(default_factory=lambda: {"h2": ["K1"], "h3": []})
    running: set[str] = field(default_factory=lambda: {"h2"})
    registered: str = "K1"
    breaks: str = ""
    acts: list[str] = field(default_factory=list)

    @property
    def network(self) -> Network:
        return glance(self.source, lambda _: Placements(self.journal).all())

    def die(self, act: str) -> None:
        """The coordinator dies before this act, once."""
        if self.breaks == act:
            self.breaks = ""
            raise KeyboardInterrupt
        self.acts.append(act)

    async def move(self, to: str = "h3") -> str:
        """As the command does, with the file and the memory of now."""

        async def hold(body: pb.Hold, deadline: float) -> pb.Result:
            return pb.Result(ok=True)

        access: Any = SimpleNamespace(link=lambda host: SimpleNamespace(task=hold))
        access.running = lambda node: node.host in self.running
        access.over = lambda network: access
        state = SimpleNamespace(journal=self.journal, boot_log=None)
        sealed = SimpleNamespace(manifest="ab", elected=())
        network = self.network
        made = SimpleNamespace(network=network, access=access, state=state, sealed=sealed)
        return await move(cast(OpenNetwork, made), network.node(NAME), to, PlainReporter(io.StringIO()))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Placed on h2 by the rule, and remembered."""
    source = tmp_path / "net.toml"
    source.write_text(FILE)
    made = World(Journal(tmp_path / "journal.sqlite"), source)
    Placements(made.journal).remember(made.network)
    assert made.network.node(NAME).host == "h2"

    async def held(opened: Any, host: str, account: str, nonce: bytes, *, make: bool = False) -> tuple[pb.Key, ...]:
        if make and not made.held[host]:
            made.die(f"key on {host}")
            made.held[host].append("K2")
        return tuple(pb.Key(account=account, public_key=key) for key in made.held[host])

    async def register(opened: Any, node: Node, key: pb.Key, *_: Any) -> None:
        if made.registered != key.public_key:
            made.die(f"register {key.public_key}, first asking {node.host}")
            made.registered = key.public_key

    async def settle(opened: Any, host: str, account: str, key: str, *_: Any) -> None:
        made.die(f"settle {host}")
        made.held[host] = [one for one in made.held[host] if one == key]
        made.running.discard(host)

    async def registered_key(opened: Any, account: str) -> str:
        return made.registered

    class Work:
        def __init__(self, *_: object) -> None:
            """Starts nodes on h3."""

        async def start(self, name: str, mode: NodeMode) -> None:
            lease = Leases(made.journal).find(NAME)
            assert lease
            assert (lease.host, lease.key, lease.settled) == ("h3", "K2", True)
            if "h3" not in made.running:
                made.die("start")
                made.running.add("h3")

    async def quiet(*_: object) -> None:
        """Nothing to do here."""

    for name, fake in {
        "held_keys": held, "register": register, "settle": settle, "registered_key": registered_key, "NodeWork": Work,
        "at_head": quiet, "tell_peers": quiet,
    }.items():  # fmt: skip
        monkeypatch.setattr(module, name, fake)
    return made


STEPS = ["key on h3", "start", "register K2, first asking h2", "settle h2"]


async def test_it_follows_before_it_is_registered_and_the_other_goes_last(world: World) -> None:
    """The place is remembered: a later load has the node there, with ports of that host, and no other node moved."""
    before = {node.name: node.host for node in world.network.nodes}
    said = await world.move()
    assert world.acts == STEPS
    assert "account's own key stays on h2" in said
    assert Placements(world.journal).keepers() == {NAME: "h2"}
    assert (world.held, world.running) == ({"h2": [], "h3": ["K2"]}, {"h3"})
    assert {node.name: node.host for node in world.network.nodes} == before | {NAME: "h3"}
    assert world.network.node(NAME).p2p_port
    world.acts.clear()
    assert "is on h3 already" in await world.move()
    assert world.acts == []


@pytest.mark.parametrize("act", STEPS)
async def test_it_goes_on_after_a_kill_anywhere(world: World, act: str) -> None:
    """One key, one start, one registration."""
    world.breaks = act
    with pytest.raises(KeyboardInterrupt):
        await world.move()
    await world.move()
    assert world.acts == STEPS
    assert (world.held, world.running) == ({"h2": [], "h3": ["K2"]}, {"h3"})
    assert Placements(world.journal).leaving(NAME) == ""


async def test_a_file_that_places_it_by_name_is_left_to_its_author(world: World) -> None:
    """Nothing is done before the file agrees."""
    world.source.write_text(f'{FILE}[[nodes]]\naccount = "{NAME}"\nhost = "h2"\n')
    with pytest.raises(UsageProblem, match="leave its host out of the file"):
        await world.move()
    assert world.acts == []
