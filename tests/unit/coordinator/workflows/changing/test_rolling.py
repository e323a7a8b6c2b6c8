"""Changes are applied one node after the other, each producer after its own turn."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from antelope.errors import Unreachable
from boot.step import NodeMode, Query
from coordinator.engine.access import NodeAccess
from coordinator.engine.node_work import NodeWork
from coordinator.errors import OperationFailed, UsageProblem
from coordinator.report.progress import PlainReporter
from coordinator.workflows.changing import rolling as module
from coordinator.workflows.changing.changes import Change, Cost
from coordinator.workflows.changing.rolling import Rolling, apply, tolerance
from inventory.network import Network, Node, Role
from protos import coordination_pb2 as pb
from protos.states import UNTOUCHED

SCHEDULE = ("a", "b", "c", "d")


@dataclass
class Chain:
    """Four producers and a full node; who signs advances with every look, a turn being two looks."""

    down: set[str] = field(default_factory=set)
    looks: int = 0
    acts: list[tuple[str, str]] = field(default_factory=list)
    """What was restarted, and who signed at that moment."""
    lost: str = ""
    """A node that does not come back."""
    why: str = "the port is taken"
    away: int = 0
    """Looks that pass while a node restarts."""
    schedule: tuple[str, ...] = SCHEDULE
    silent: str = ""
    """A node that runs and does not answer."""
    withheld: str = ""
    """A node that runs without its key."""

    @property
    def network(self) -> Any:
        nodes = [Node("genesis", "ha", Role.GENESIS, "eosio", 1, 2)]
        nodes += [Node(name, f"h{name}", Role.PRODUCER, name, 1, 2) for name in SCHEDULE]
        nodes.append(Node("watcher", "hw", Role.FULL, None, 1, 2))
        return SimpleNamespace(nodes=nodes, node={node.name: node for node in nodes}.__getitem__)

    @property
    def signer(self) -> str:
        return SCHEDULE[self.looks // 2 % len(SCHEDULE)]

    async def ask(self, query: Query) -> Any:
        if query.path.endswith("get_producer_schedule"):
            return {"active": {"producers": [{"producer_name": name} for name in self.schedule]}}
        if query.path.endswith("paused"):
            if query.node == self.silent:
                raise Unreachable(f"{query.node} does not answer")
            return False
        self.looks += 1
        late = SCHEDULE[(self.looks // 2 - 3) % len(SCHEDULE)]  # it shows irreversible blocks only
        return {"head_block_producer": late if query.node == "genesis" else self.signer}

    def running(self, node: Node) -> bool:
        return node.name not in self.down

    def link(self, host: str) -> Any:
        """Its agent reports again with every look."""
        return SimpleNamespace(status=object())

    def status(self, node: Node) -> pb.NodeStatus:
        withheld = "it looks first" if node.name == self.withheld else ""
        return pb.NodeStatus(name=node.name, state="running", head=100, peers=3, withheld=withheld)

    async def wake(self) -> None:
        self.acts.append(("wake", self.signer))

    async def start(self, name: str, mode: NodeMode) -> None:
        self.acts.append((name, self.signer))
        if name == self.lost:
            raise OperationFailed(self.why)
        self.down.discard(name)
        self.silent, self.withheld = (one if one != name else "" for one in (self.silent, self.withheld))
        self.looks += self.away


async def applied(chain: Chain, nodes: Sequence[str], cost: Cost = Cost.RESTART, only: str = "") -> tuple[str, ...]:
    changes = [Change(f"h{name[0]}", name, "options.x", "1", "2", cost) for name in nodes]
    access, work = cast(NodeAccess, chain), cast(NodeWork, chain)
    return await apply(access, work, changes, Rolling(only), PlainReporter(io.StringIO()), chain.wake)


async def test_a_producer_is_restarted_right_after_its_turn() -> None:
    """First the other nodes, then each producer at the moment when the next one signs, all within a round or two: the
    one whose turn ends first is the next, whatever the inventory's order.
    """
    chain = Chain()
    assert await applied(chain, ["c", "d", "b", "a", "watcher"]) == ("watcher", "a", "b", "c", "d")
    assert [name for name, _ in chain.acts] == ["watcher", "a", "b", "c", "d"]
    assert chain.looks <= 4 * len(SCHEDULE)
    following = dict(zip(SCHEDULE, (*SCHEDULE[1:], SCHEDULE[0]), strict=True))
    assert all(signer == following[name] for name, signer in chain.acts if name != "watcher")


async def test_of_several_the_one_whose_turn_ends_first_is_next() -> None:
    """A round of 21 takes two minutes: in the order of the file nearly every producer would wait for one."""
    chain = Chain(looks=4, away=2)
    assert await applied(chain, ["d", "c", "b", "a"]) == ("c", "a", "d", "b")


async def test_one_that_makes_no_blocks_is_next_at_once() -> None:
    """It has no turn to wait for, and its restart may be what brings it back; the others follow."""
    chain = Chain(down={"c"})
    assert await applied(chain, ["a", "c"]) == ("c", "a")
    assert chain.acts[0] == ("c", "a")


@pytest.mark.parametrize(("silent", "withheld"), [("c", ""), ("", "c")])
async def test_one_that_runs_and_makes_no_blocks_counts_as_away(silent: str, withheld: str) -> None:
    """A node that does not answer, or runs without its key: of four no second one may be restarted meanwhile."""
    assert await applied(Chain(silent=silent, withheld=withheld), ["a", "c"]) == ("c", "a")
    with pytest.raises(OperationFailed, match="a is left as it is, because c is away"):
        await applied(Chain(silent=silent, withheld=withheld), ["a"])


@pytest.mark.advice("coordinator/workflows/changing/rolling.py: coord boot")
async def test_the_first_that_does_not_come_back_ends_it() -> None:
    """The message says what was changed, what was not, and how to continue or go back; the rest is left alone."""
    chain = Chain(lost="b")
    with pytest.raises(OperationFailed) as failed:
        await applied(chain, ["watcher", "c", "b"])
    text = str(failed.value)
    assert "hb: b did not come back after its restart: the port is taken" in text
    assert "changed before: watcher; not touched: c" in text
    assert "to go back, undo the edit" in text
    assert [name for name, _ in chain.acts] == ["watcher", "b"]
    assert "To continue, fix that and run coord boot INVENTORY again" in text
    chain.lost = ""
    assert await applied(chain, ["c", "b"]) == ("c", "b")


async def test_what_cannot_start_again_is_not_stopped() -> None:
    """Its agent says so: the message does, too. Of a host that failed the preflight no node is restarted; the others
    are, and then the message has the host's own words, and how to go on or back.
    """
    chain = Chain()
    changes = [Change(f"h{name}", name, "options.x", "1", "2", Cost.RESTART) for name in ("watcher", "c", "b", "a")]
    full = {"hb": "disk: 290 MiB are free; free some space"}

    async def apply_all() -> None:
        access, work = cast(NodeAccess, chain), cast(NodeWork, chain)
        await apply(access, work, changes, Rolling(), PlainReporter(io.StringIO()), chain.wake, full)

    with pytest.raises(OperationFailed) as failed:
        await apply_all()
    assert sorted(name for name, _ in chain.acts) == ["a", "c", "watcher"]
    told = str(failed.value)
    assert (
        "hb: not changed, because the preflight failed there: b (disk: 290 MiB are free; free some space); changed"
        in told
    )
    assert "run coord boot INVENTORY again; to go back, undo the edit" in told
    full.clear()
    chain.lost, chain.why = "b", f"node b: its disk is full; {UNTOUCHED}"
    with pytest.raises(OperationFailed, match="hb: b is not restarted: node b: its disk is full; it runs on"):
        await apply_all()


async def test_ctrl_c_says_what_is_changed_and_what_is_not() -> None:
    """Whoever stops a rollout reads how to continue and how to go back."""
    chain, said = Chain(), io.StringIO()
    changes = [Change(f"h{name}", name, "options.x", "1", "2", Cost.RESTART) for name in ("watcher", "a", "b")]
    work = cast(NodeWork, chain)
    start = chain.start

    async def interrupted(name: str, mode: NodeMode) -> None:
        await start(name, mode)
        if name == "a":
            raise asyncio.CancelledError

    chain.start = interrupted  # type: ignore[method-assign]
    with pytest.raises(asyncio.CancelledError):
        await apply(cast(NodeAccess, chain), work, changes, Rolling(), PlainReporter(said), chain.wake)
    told = said.getvalue()
    assert "changed: watcher; not changed, or not seen to be back: a, b" in told
    assert "coord plan INVENTORY shows what is left" in told
    assert "run coord boot INVENTORY again; to go back, undo the edit" in told


async def test_no_producer_is_restarted_while_the_schedule_can_lose_no_more() -> None:
    """Of four one may be away, and one already is."""
    chain = Chain(down={"c"})
    with pytest.raises(OperationFailed, match="b is left as it is, because c is away: of 4 producers 1 may be away"):
        await applied(chain, ["b"])
    assert chain.acts == []


async def test_a_producer_that_signs_nothing_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a few rounds without its turn it is restarted, because that may help it."""
    monkeypatch.setattr(module, "TURN_SECONDS", 0.05)
    chain = Chain()
    monkeypatch.setattr(Chain, "signer", property(lambda self: "a"))
    assert await applied(chain, ["b"]) == ("b",)


async def test_the_only_producer_is_followed_by_a_look_whether_the_chain_stands() -> None:
    """After a restart nodeos waits for a fresh block, and nobody else makes one."""
    chain = Chain(schedule=("a",))
    assert await applied(chain, ["a", "watcher"]) == ("watcher", "a")
    assert [name for name, _ in chain.acts] == ["watcher", "a", "wake"]


async def test_what_needs_no_restart_is_told_and_only_what_was_asked_for_is_changed() -> None:
    """A running node learns its peers; `--only` names a host or a node."""
    chain = Chain()
    assert await applied(chain, ["b", "a"], Cost.NOTHING, only="ha") == ("a",)
    assert await applied(chain, ["b", "a"], Cost.BY_HAND) == ()
    assert await applied(chain, ["b", "a"], Cost.START) == ()
    assert [name for name, _ in chain.acts] == ["a"]


def test_only_must_name_something() -> None:
    """A typo must change neither everything nor nothing: it is an error."""
    network = SimpleNamespace(nodes=(), hosts=(SimpleNamespace(name="h1"),), source="net.toml")
    Rolling("h1").check(cast(Network, network))
    with pytest.raises(UsageProblem, match="there is no step, host or node 'h7'"):
        Rolling("h7").check(cast(Network, network))


def test_how_many_may_be_away() -> None:
    """More than two thirds of the schedule must sign."""
    assert [tolerance(number) for number in (1, 3, 4, 6, 7, 21)] == [0, 0, 1, 1, 2, 6]
