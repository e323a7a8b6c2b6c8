"""A producer moves with a new key: its new node follows first, and its old one signs until it is not needed."""

from __future__ import annotations

import io
import re
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

    async def move(self, to: str = "h3", name: str = NAME) -> str:
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
        return await move(cast(OpenNetwork, made), network.node(name), to, PlainReporter(io.StringIO()))


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


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (f'[[nodes]]\naccount = "{NAME}"\nhost = "h2"\n', "nodes[0].host"),
        (f'[[producers.list]]\naccount = "{NAME}"\nhost = "h2"\n', "producers.list[0].host"),
    ],
)
async def test_a_file_that_names_its_host_is_left_to_its_author(world: World, more: str, line: str) -> None:
    """The message says what the file says now, and what to do. Nothing is done before the file agrees."""
    text = FILE.replace("count = 2\n", "") if "list" in more else FILE
    world.source.write_text(text + more)
    said = (
        f"{world.source} names h2 as the host of {NAME} ({line}), which keeps it there: remove that line, then run "
        "this again; the new host is remembered"
    )
    with pytest.raises(UsageProblem, match=re.escape(said)):
        await world.move()
    assert world.acts == []
    world.source.write_text(text + more.replace('host = "h2"\n', ""))
    assert "signs on h3" in await world.move()


async def test_so_is_a_node_without_keys_whose_host_the_file_names(world: World) -> None:
    """It is neither stopped nor started: it would have been started on its present host again."""
    watcher = '[[nodes]]\nname = "watcher"\nhost = "h1"\n'
    world.source.write_text(FILE + watcher)
    Placements(world.journal).remember(world.network)
    with pytest.raises(UsageProblem, match=r"names h1 as the host of watcher, which keeps it there: remove that line"):
        await world.move(name="watcher")
    assert world.acts == []


async def test_what_else_does_not_fit_is_said_of_the_new_host(world: World) -> None:
    """A port that another node has there."""
    port = world.network.node("defproducerb").p2p_port
    assert world.network.node("defproducerb").host == "h3"
    world.source.write_text(f'{FILE}[[nodes]]\naccount = "{NAME}"\np2p_port = {port}\n')
    with pytest.raises(UsageProblem, match=rf"does not fit {NAME} on h3: .*p2p_port: {port} is taken by node"):
        await world.move()
    assert world.acts == []
