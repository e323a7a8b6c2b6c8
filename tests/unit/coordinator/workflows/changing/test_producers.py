"""The operator's own producers are added and retired in order, once, and never at the schedule's cost."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from boot.step import NodeMode, Query
from coordinator.engine.node_work import NodeWork
from coordinator.errors import OperationFailed
from coordinator.parties.open_network import OpenNetwork
from coordinator.parties.progress import AccountState, ChainView
from coordinator.report.progress import PlainReporter
from coordinator.workflows.changing import producers as module
from coordinator.workflows.changing.producers import add, add_all, retire
from inventory.network import Node, Role
from inventory.planned import PlannedProducer
from protos import coordination_pb2 as pb

SCHEDULE = ("defproducera", "defproducerb")
NEW = "defproducerx"


@dataclass
class World:
    """Two producers of the boot, one that is to join, its host, and the sponsor."""

    sponsor: bool = True
    votes: bool = True
    account: AccountState = AccountState.ABSENT
    signers: list[str] = field(default_factory=list)
    runs: bool = False
    registered: list[str] = field(default_factory=lambda: list(SCHEDULE))
    voted: frozenset[str] = frozenset(SCHEDULE)
    schedule: tuple[str, ...] = SCHEDULE
    retired: bool = False
    standby: bool = False
    crowded: bool = False
    """Whether 21 others have more votes."""
    page: int = 1000
    """Rows of a table that a node answers at once."""
    connected: tuple[str, ...] = ("h0", "h1")
    acts: list[str] = field(default_factory=list)

    @property
    def network(self) -> Any:
        born = tuple(PlannedProducer(name, name, "", 0, True, 1) for name in SCHEDULE)
        later = (PlannedProducer(NEW, None if self.retired else NEW, "https://x", 3, not self.standby, 0),)
        nodes = [Node(name, "h1", Role.PRODUCER, name, 1, 2) for name in (*SCHEDULE, NEW)]
        genesis = Node("genesis", "h0", Role.GENESIS, "eosio", 1, 2)
        return SimpleNamespace(
            name="net", producers=born, later=later, source="net.toml", holder=lambda _: "h1",
            node={node.name: node for node in nodes}.__getitem__, genesis_node=genesis,
            host=lambda name: SimpleNamespace(nodeos="bundled"), parties=SimpleNamespace(vote=self.votes),
        )  # fmt: skip

    async def task(self, host: str, body: Any) -> pb.Result:
        """What that host's agent does."""
        if isinstance(body, pb.Collect):
            return pb.Result(ok=True, collected=pb.Collected(accounts=[pb.Key(account=NEW, public_key="A")]))
        if isinstance(body, pb.Rekey):
            if body.make and not self.signers:
                self.acts.append("key")
                self.signers.append("S")
            return pb.Result(ok=True, collected=pb.Collected(signers=[pb.Key(public_key=one) for one in self.signers]))
        if isinstance(body, pb.Sponsor):
            self.acts.append(f"sponsor {body.account} {body.public_key} by {host}")
            self.account = AccountState.THERE
        elif isinstance(body, pb.Elect):
            self.acts.append(f"vote {' '.join(body.producers)}")
            self.voted = frozenset(body.producers)
            if not self.crowded:
                self.schedule = tuple(name for name in body.producers if name in self.registered)
        return pb.Result(ok=True)

    def chain(self) -> ChainView:
        """As the nodes tell it."""
        keys = dict.fromkeys(self.registered, "K")
        return ChainView(follows=True, settled=True, registered=keys, voted=self.voted)

    async def ask(self, query: Query) -> Any:
        match query.path.rpartition("/")[2]:
            case "get_table_rows":
                votes = {True: "5.0", False: "0.0"}
                rows = [(name, votes[name in self.voted]) for name in self.registered]
                table = [{"owner": name, "is_active": 1, "total_votes": count} for name, count in rows]
                first = int(str(query.body["lower_bound"]) or 0)
                more = first + self.page < len(table)
                return {"rows": table[first : first + self.page], "more": more, "next_key": str(first + self.page)}
            case "get_info":
                return {"last_irreversible_block_num": 7}
            case "get_block_info":
                return {"schedule_version": 4}
        return {"active": {"version": 4, "producers": [{"producer_name": name} for name in self.schedule]}}

    async def start(self, name: str, mode: NodeMode) -> None:
        self.acts.append(f"start {name}")
        self.runs = True

    async def stop(self, name: str) -> None:
        self.acts.append(f"stop {name}")
        self.runs = False


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """With a sponsor, and voters."""
    made = World()

    async def register(opened: Any, node: Node, key: pb.Key, nonce: bytes, *_: Any) -> None:
        if NEW not in made.registered:
            made.acts.append(f"register {key.public_key}")
            made.registered.append(NEW)

    async def unregister(opened: Any, host: str, account: str, *_: Any) -> None:
        made.acts.append(f"unregister {account}")
        made.registered.remove(account)

    async def quiet(*_: object) -> None:
        """Nothing to do here."""

    async def find(*_: object) -> AccountState:
        return made.account

    async def look(*_: object) -> ChainView:
        return made.chain()

    placed = SimpleNamespace(
        remember=lambda network: None, retire=lambda account: made.acts.append(f"forget {account}"), all=dict
    )
    for name, fake in {
        "register": register, "unregister": unregister, "at_head": quiet, "tell_peers": quiet, "find_account": find,
        "look": look, "Placements": lambda journal: placed, "check_proofs": lambda *_: None, "glance": lambda *_: None,
        "ELECTION_SECONDS": 0.2, "TURN_SECONDS": 0.0,
    }.items():  # fmt: skip
        monkeypatch.setattr(module, name, fake)
    return made


def opened(world: World, *, booted: bool = True) -> OpenNetwork:
    """The network, with its agents connected."""

    def link(host: str) -> Any:
        async def task(body: Any, deadline: float) -> pb.Result:
            return await world.task(host, body)

        return SimpleNamespace(task=task, connected=True)

    access = SimpleNamespace(link=link, ask=world.ask, running=lambda node: node.name != NEW or world.runs)
    steps = {"resign": SimpleNamespace(done=True)} if booted else {}
    state = SimpleNamespace(journal=None, steps=lambda: steps)
    sponsor = SimpleNamespace(account="sponsor") if world.sponsor else None
    sealed = SimpleNamespace(sponsor=sponsor, votes=(1,), elected=SCHEDULE)
    hub = SimpleNamespace(links={host: link(host) for host in world.connected})
    made = SimpleNamespace(network=world.network, access=access, state=state, sealed=sealed, hub=hub, parties=None)
    return cast(OpenNetwork, made)


async def added(world: World, *, booted: bool = True) -> str:
    return await add(opened(world, booted=booted), cast(NodeWork, world), NEW, PlainReporter(io.StringIO()))


STEPS = [
    f"sponsor {NEW} A by h0", "key", f"start {NEW}", "register S", f"vote defproducera defproducerb {NEW}",
]  # fmt: skip


async def test_account_key_node_registration_votes(world: World) -> None:
    """In this order: nobody is voted for whose node does not follow the chain."""
    assert "is in the active schedule" in await added(world)
    assert world.acts == STEPS
    world.acts.clear()
    assert "is in the active schedule" in await added(world)
    assert world.acts == []


@pytest.mark.advice("coordinator/workflows/changing/producers.py: coord status")
async def test_one_that_is_voted_for_and_not_elected(world: World) -> None:
    """The contract takes those with the most votes: the schedule, in coord status, shows who they are."""
    world.crowded = True
    assert "not in the schedule: the contract takes the 21 with the most votes (coord status INVENTORY shows" in (
        await added(world)
    )
    assert NEW in world.voted


async def test_a_boot_adds_what_the_inventory_has_and_the_chain_has_not(world: World) -> None:
    """Once; a retired one is left alone."""
    reporter = PlainReporter(io.StringIO())
    assert await add_all(opened(world), cast(NodeWork, world), reporter) == (NEW,)
    assert await add_all(opened(world), cast(NodeWork, world), reporter) == ()
    world.registered.remove(NEW)
    world.retired = True
    assert await add_all(opened(world), cast(NodeWork, world), reporter) == ()
    assert world.acts == STEPS


async def test_without_a_sponsor_it_says_which_key_the_account_needs(world: World) -> None:
    """It continues once somebody has created the account; an account with other keys is refused."""
    world.sponsor = False
    with pytest.raises(OperationFailed, match="create it with the key A"):
        await added(world)
    world.account = AccountState.THERE
    assert "is in the active schedule" in await added(world)
    world.account = AccountState.FOREIGN
    with pytest.raises(OperationFailed, match="exists with other keys"):
        await added(world)


async def test_where_nobody_votes_it_is_registered_and_that_is_said(world: World) -> None:
    """parties.vote = false leaves the voters alone."""
    world.votes = False
    assert "is elected when others give it" in await added(world)
    assert not any(act.startswith("vote") for act in world.acts)


async def test_nobody_is_added_before_the_chain_is_handed_over(world: World) -> None:
    """The votes of the boot elect the schedule of the boot."""
    with pytest.raises(OperationFailed, match="once eosio has resigned"):
        await added(world, booted=False)
    assert world.acts == []


@pytest.mark.parametrize("page", [1000, 1])
async def test_retired_only_when_others_can_take_its_place(world: World, page: int) -> None:
    """The contract never shrinks a schedule: an absent producer would miss its turns for ever. All who are registered
    are looked at, though a node answers only a part of a long table at once.
    """
    world.page = page
    reporter = PlainReporter(io.StringIO())
    with pytest.raises(OperationFailed, match="cannot be spared"):
        await retire(opened(world), cast(NodeWork, world), "defproducerb", reporter)
    assert world.acts == []
    await added(world)
    world.schedule = SCHEDULE
    world.acts.clear()
    said = await retire(opened(world), cast(NodeWork, world), "defproducerb", reporter)
    assert world.acts == [
        "unregister defproducerb", f"vote defproducera {NEW}", "stop defproducerb", "forget defproducerb",
    ]  # fmt: skip
    assert "data and keys stay" in said


async def test_a_retirement_goes_on_where_it_stopped(world: World) -> None:
    """Unregistered already: the schedule and the node are left."""
    world.registered.remove("defproducerb")
    world.schedule = ("defproducera",)
    await retire(opened(world), cast(NodeWork, world), "defproducerb", PlainReporter(io.StringIO()))
    assert world.acts == ["vote defproducera", "stop defproducerb", "forget defproducerb"]


async def test_a_standby_takes_a_retired_ones_place(world: World) -> None:
    """It is registered and runs, and is voted for only once the other is unregistered: the schedule stays as large."""
    world.standby = True
    assert "as a standby" in await added(world)
    assert world.acts == STEPS[:-1]
    assert await add_all(opened(world), cast(NodeWork, world), PlainReporter(io.StringIO())) == ()
    world.acts.clear()
    await retire(opened(world), cast(NodeWork, world), "defproducerb", PlainReporter(io.StringIO()))
    assert world.acts == [
        "unregister defproducerb", f"vote defproducera {NEW}", "stop defproducerb", "forget defproducerb",
    ]  # fmt: skip
    with pytest.raises(OperationFailed, match="cannot be spared"):
        await retire(opened(world), cast(NodeWork, world), "defproducera", PlainReporter(io.StringIO()))


async def test_nothing_begins_while_an_agent_that_it_needs_is_away(world: World) -> None:
    """Its own host's, and the genesis node's, which has the sponsor's and the voters' keys."""
    world.connected = ("h0",)
    with pytest.raises(OperationFailed, match="defproducerx cannot be added now: no agent answers on h1; run: "):
        await added(world)
    world.connected = ()
    with pytest.raises(OperationFailed, match="no agent answers on h1, h0; run: "):
        await added(world)
    assert world.acts == []
