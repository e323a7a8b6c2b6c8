"""Stopped nodes and a stalled chain are restarted, on a simulated clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from antelope.errors import NodeError, Unreachable
from boot.step import Query
from coordinator.engine.access import NodeAccess, TaskFailedError
from coordinator.engine.runner import Runner
from coordinator.errors import OperationFailed
from coordinator.workflows.starting.restart import RETURN_SECONDS, designated, revive, wake
from inventory.network import Node
from inventory.sealed import Sealed
from protos import coordination_pb2 as pb
from tests.unit.clock import played
from tests.unit.coordinator.engine.stage import Bench, Heard, Stage, make_bench

ALL = ("defproducera", "defproducerb")


class Chain(Stage):
    """Three nodes; the chain makes blocks once the right node was started."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.network, stage.journal)
        self.schedule: tuple[str, ...] = ALL
        self.signs = True
        self.silent: set[str] = set()
        """Nodes that run and do not answer."""

    async def ask(self, query: Query) -> Any:
        if not any(map(self.running, self.network.nodes)) or query.node in self.silent:
            raise Unreachable("no node is running")
        if query.path.endswith("get_producer_schedule"):
            return {"active": {"producers": [{"producer_name": name} for name in self.schedule]}}
        self.head += self.signs
        return {"head_block_num": self.head, "head_block_time": "2026-01-01T00:00:00.000"}

    def stand(self, *names: str) -> None:
        """These nodes run."""
        for name in names:
            self.states[name] = pb.NodeStatus(name=name, state="running")


class Starts:
    """A runner whose nodes start, and in turn make the chain go on."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.started: list[tuple[str, str, bool]] = []
        self.fails: dict[str, Exception] = {}
        self.wakes = True

    @property
    def nodes(self) -> Starts:
        """Its NodeWork."""
        return self

    async def start(self, name: str, mode: Any, anew: bool = False) -> None:
        self.started.append((name, mode.value, anew))
        if name in self.fails:
            raise self.fails[name]
        self.chain.stand(name)
        self.chain.signs = self.chain.signs or (anew and self.wakes)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """The network and what was sealed."""
    bench = make_bench(tmp_path)
    yield bench
    bench.state.close()


@pytest.fixture
def chain(bench: Bench) -> Chain:
    """Nothing runs."""
    return Chain(bench.stage)


def revived(bench: Bench, starts: Starts) -> tuple[bool, float]:
    """Whether anything had to be done, and how long it took."""
    work = revive(cast(NodeAccess, starts.chain), cast(Runner, starts), bench.sealed, bench.heard)
    return played(work)


def test_a_network_that_never_ran_is_left_alone(bench: Bench, chain: Chain) -> None:
    """No agent knows a node: the boot's steps will start them."""
    assert revived(bench, starts := Starts(chain)) == (False, 0.0)
    assert starts.started == []


def test_a_network_that_runs_is_left_alone(bench: Bench, chain: Chain) -> None:
    """Blocks come: nothing is started."""
    chain.stand("genesis", *ALL)
    assert revived(bench, starts := Starts(chain))[0] is False
    assert starts.started == []


def test_stopped_nodes_are_started_as_they_ran(bench: Bench, chain: Chain) -> None:
    """All at once; one that does not start is reported, and the others serve."""
    for name in ("genesis", *ALL):
        chain.states[name] = pb.NodeStatus(name=name, state="stopped")
    starts = Starts(chain)
    starts.fails["defproducerb"] = TaskFailedError("its disk is full", retryable=False)
    assert revived(bench, starts)[0] is True
    assert starts.started == [(name, "normal", False) for name in ("genesis", *ALL)]
    assert bench.heard.notes == [
        "starting again: genesis, defproducera, defproducerb",
        "defproducerb: its disk is full",
    ]


def test_when_no_node_starts_that_is_the_end(bench: Bench, chain: Chain) -> None:
    """With the first one's reason."""
    starts = Starts(chain)
    for name in ("genesis", *ALL):
        chain.states[name] = pb.NodeStatus(name=name, state="stopped")
        starts.fails[name] = OperationFailed(f"{name}: no memory")
    with pytest.raises(OperationFailed, match="no node could be started again: genesis: no memory"):
        revived(bench, starts)


def test_one_elected_producer_restarts_a_chain_that_stands(bench: Bench, chain: Chain) -> None:
    """The first in the inventory whose node runs, once, with stale production, after the schedule's patience."""
    chain.stand("genesis", "defproducerb")
    chain.signs = False
    done, seconds = revived(bench, starts := Starts(chain))
    assert done
    assert starts.started == [("defproducerb", "starter", True)]
    assert "defproducerb restarts it (with stale production enabled, this once)" in bench.heard.notes[-1]
    assert seconds >= 1


def test_eosio_alone_restarts_as_the_only_signer(bench: Bench, chain: Chain) -> None:
    """Before the handover the genesis node can sign by itself."""
    chain.stand("genesis", *ALL)
    chain.schedule, chain.signs = ("eosio",), False
    revived(bench, starts := Starts(chain))
    assert starts.started == [("genesis", "genesis", True)]


def test_a_chain_whose_signers_are_not_here_is_not_restarted(bench: Bench, chain: Chain) -> None:
    """Other operators' producers sign it, and are named."""
    chain.stand("genesis", *ALL)
    chain.schedule, chain.signs = ("zed", "abe"), False
    with pytest.raises(OperationFailed, match=r"that should sign \(abe, zed\) is running here"):
        revived(bench, starts := Starts(chain))
    assert starts.started == []


def test_the_only_signers_node_whose_folder_is_lost_begins_anew(bench: Bench, chain: Chain) -> None:
    """Its agent does not know it any more: it follows its peers first, and then restarts the chain."""
    chain.stand("genesis", "defproducerb")
    chain.schedule, chain.signs = ("defproducera",), False
    assert revived(bench, starts := Starts(chain))[0] is True
    assert starts.started == [("defproducera", "normal", False), ("defproducera", "starter", True)]


def test_a_starter_that_refuses_is_no_failure_if_blocks_come(bench: Bench, chain: Chain) -> None:
    """Its agent knows more than the coordinator: either the chain has recovered, or its reason is reported."""
    chain.stand("genesis", *ALL)
    chain.signs = False
    starts = Starts(chain)
    starts.fails["defproducera"] = TaskFailedError("peers are not at the same head", retryable=True)
    with pytest.raises(OperationFailed, match="defproducera does not restart it: peers are not at the same head"):
        revived(bench, starts)

    class Returns(Starts):
        async def start(self, name: str, mode: Any, anew: bool = False) -> None:
            self.chain.signs = True
            raise TaskFailedError("blocks come", retryable=True)

    chain.signs = False
    assert revived(bench, Returns(chain))[0] is True


def test_a_restart_that_brings_no_block_is_told(bench: Bench, chain: Chain) -> None:
    """After the given number of seconds."""
    chain.stand("genesis", *ALL)
    chain.signs = False
    starts = Starts(chain)
    starts.wakes = False
    with pytest.raises(OperationFailed, match=f"makes no block {RETURN_SECONDS:g} s after defproducera was started"):
        revived(bench, starts)


def test_a_node_that_answers_nothing_proves_nothing(bench: Bench, chain: Chain) -> None:
    """Others are asked; a node that only catches up with them does not count as progress of the chain."""
    chain.stand("genesis", *ALL)
    chain.silent = {"genesis"}
    assert revived(bench, Starts(chain))[0] is False


async def test_whose_node_restarts_the_chain(chain: Chain) -> None:
    """The elected producers in their order, then others in the schedule; eosio's while it signs alone."""
    access, sealed = cast(NodeAccess, chain), cast(Sealed, SimpleNamespace(elected=("defproducerb",)))
    chain.stand("genesis", *ALL)

    def who(*schedule: str) -> str:
        node: Node | None = designated(access, sealed, frozenset(schedule))
        return node.name if node else ""

    assert who(*ALL) == "defproducerb"
    assert who("defproducera") == "defproducera"
    assert who("eosio") == "genesis"
    assert who("other") == ""
    del chain.states["defproducerb"]
    assert who(*ALL) == "defproducera"


def test_waking_waits_for_a_node_to_answer(bench: Bench, chain: Chain) -> None:
    """Nodes that were killed are restarted by their agents."""
    chain.stand("genesis", *ALL)
    looks = 0

    class Late(Chain):
        async def ask(self, query: Query) -> Any:
            nonlocal looks
            looks += 1
            if looks < 10:
                raise Unreachable("it starts")
            return await super().ask(query)

    late = Late(chain)
    late.stand("genesis", *ALL)
    heard = Heard()
    done, seconds = played(wake(cast(NodeAccess, late), cast(Runner, Starts(late)), bench.sealed, heard))
    assert (done, heard.notes) == (False, [])
    assert seconds > 1
    assert issubclass(Unreachable, NodeError)
