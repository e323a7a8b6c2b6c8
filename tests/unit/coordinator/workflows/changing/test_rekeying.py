"""A producer's block-signing key changes in order, and from wherever a change was left."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from boot.step import Query
from coordinator.engine.access import TaskFailedError
from coordinator.engine.node_work import NodeWork
from coordinator.errors import OperationFailed
from coordinator.parties.open_network import OpenNetwork
from coordinator.report.progress import PlainReporter
from coordinator.workflows.changing import rekeying
from coordinator.workflows.changing.rekeying import rekey
from inventory.network import Node, Role
from protos import coordination_pb2 as pb

NODE = Node("prod", "h1", Role.PRODUCER, "prod", 1, 2)


@dataclass
class World:
    """A chain, the host of the producer's node, and the one that has the account's key."""

    held: list[str] = field(default_factory=lambda: ["K1"])
    running: tuple[str, ...] = ("K1",)
    registered: str = "K1"
    account_host: str = "h1"
    elections: int = 2
    """Looks until the schedule follows the registration."""
    breaks: str = ""
    acts: list[str] = field(default_factory=list)

    def die(self, act: str) -> None:
        """The coordinator dies before this act, once."""
        if self.breaks == act:
            self.breaks = ""
            raise KeyboardInterrupt
        self.acts.append(act)

    async def task(self, host: str, body: Any) -> pb.Result:
        """What that host's agent does."""
        if isinstance(body, pb.Rekey):
            if body.make and len(self.held) < 2:
                self.die("make")
                self.held.append(f"K{int(self.held[-1][1:]) + 1}")
            return pb.Result(
                ok=True, collected=pb.Collected(signers=[pb.Key(account="prod", public_key=one) for one in self.held])
            )
        if isinstance(body, pb.Register):
            if host != self.account_host:
                return pb.Result(ok=True, absent=True)
            self.die("register")
            self.registered = body.key.public_key
            return pb.Result(ok=True)
        assert isinstance(body, pb.Settle)
        self.elections -= 1
        if self.elections > 0:
            return pb.Result(error="the active schedule names another key of prod", retryable=True)
        if len(self.held) > 1:
            self.die("remove")
        self.held = [body.public_key]
        return pb.Result(ok=True)

    def link(self, host: str) -> Any:
        async def task(body: Any, deadline: float) -> pb.Result:
            return await self.task(host, body)

        return SimpleNamespace(task=task, connected=True, revoked=False)

    async def ask(self, query: Query) -> Any:
        if query.path.endswith("get_table_rows"):
            found = [{"is_active": 1, "producer_key": self.registered}] if self.registered else []
            return {"rows": found, "more": False}
        return {"active": {"producers": [{"producer_name": "prod"}]}}

    def status(self, node: Node) -> pb.NodeStatus:
        return pb.NodeStatus(name=node.name, keys=self.running)


async def changed(world: World, monkeypatch: pytest.MonkeyPatch, node: Node = NODE) -> str:
    """Asks for it."""

    async def restart(*_: object) -> None:
        world.die(f"restart with {len(world.held)}")
        world.running = tuple(world.held)

    monkeypatch.setattr(rekeying, "restart", restart)
    monkeypatch.setattr(rekeying, "LOOK_SECONDS", 0.001)
    access = SimpleNamespace(link=world.link, ask=world.ask, status=world.status, running=lambda node: True)
    links = {name: world.link(name) for name in ("h0", "h1", "h2", "party")}
    parties = SimpleNamespace(parties=lambda: [SimpleNamespace(name="party")])
    opened = SimpleNamespace(
        access=access, hub=SimpleNamespace(links=links), parties=parties, network=SimpleNamespace(argument="n.toml")
    )
    work = cast(NodeWork, None)

    async def wake() -> None:
        """The chain goes on."""

    return await rekey(cast(OpenNetwork, opened), work, node, PlainReporter(io.StringIO()), wake)


STEPS = ["make", "restart with 2", "register", "remove", "restart with 1"]


async def test_both_keys_then_the_registration_then_the_new_one_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is registered that the node does not sign with, and nothing removed that a schedule needs."""
    world = World()
    assert await changed(world, monkeypatch) == "K2"
    assert world.acts == STEPS
    assert (world.held, world.running, world.registered) == (["K2"], ("K2",), "K2")


@pytest.mark.parametrize("act", STEPS)
async def test_it_goes_on_after_a_kill_anywhere(act: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same key, registered once, each restart once."""
    world = World(breaks=act)
    with pytest.raises(KeyboardInterrupt):
        await changed(world, monkeypatch)
    world.elections = 1
    assert await changed(world, monkeypatch) == "K2"
    assert sorted(world.acts) == sorted(STEPS)
    assert (world.held, world.running, world.registered) == (["K2"], ("K2",), "K2")


async def test_a_key_on_a_successors_host_is_registered_and_nothing_more_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dead machine's key is on the chain, the new one's on its successor, the account's on a third host."""
    world = World(held=["K5"], running=("K5",), account_host="h2")
    assert await changed(world, monkeypatch) == "K5"
    assert world.acts == ["register"]
    assert world.registered == "K5"


async def test_without_the_accounts_key_it_says_who_must_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parties are not asked. Both keys stay, so the command can continue once that is done."""
    world = World(account_host="party")
    with pytest.raises(OperationFailed, match="cleos system regproducer prod K2") as refused:
        await changed(world, monkeypatch)
    assert "its holder must sign" in str(refused.value)
    assert world.held == ["K1", "K2"]
    world.registered, world.elections = "K2", 1
    assert await changed(world, monkeypatch) == "K2"


async def test_nodes_without_a_key_of_the_operators_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A party's, eosio's, a full node; and one that is not registered has nothing to change."""
    for node, why in (
        (Node("p", "p", Role.PRODUCER, "p", 1, 2, party=True), "agent rotate"),
        (Node("genesis", "h1", Role.GENESIS, "eosio", 1, 2), "genesis block"),
        (Node("full", "h1", Role.FULL, None, 1, 2), "signs no blocks"),
    ):
        with pytest.raises(OperationFailed, match=why):
            await changed(World(), monkeypatch, node)
    with pytest.raises(OperationFailed, match="not registered"):
        await changed(World(registered=""), monkeypatch)


async def test_an_agents_refusal_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, with the host's name."""
    world = World()

    async def refuses(host: str, body: Any) -> pb.Result:
        return pb.Result(error="refused: prod is not a producer of this network")

    world.task = refuses  # type: ignore[method-assign]
    with pytest.raises(TaskFailedError, match="h1: refused"):
        await changed(world, monkeypatch)
