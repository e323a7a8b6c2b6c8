"""A genesis node whose folder is lost takes the chain from the others; it never begins it again."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from coordinator.engine.access import NodeAccess
from coordinator.engine.runner import Runner
from coordinator.errors import OperationFailed
from coordinator.reporter import StepResult
from coordinator.state.folder import StepRecord
from coordinator.workflows.starting.genesis_lost import restore_genesis
from protos import coordination_pb2 as pb
from tests.unit.clock import played
from tests.unit.coordinator.engine.stage import Heard, make_bench
from tests.unit.coordinator.workflows.starting.test_restart import ALL, Chain, Starts


def restored(
    tmp_path: Path, result: StepResult, schedule: tuple[str, ...], states: dict[str, str]
) -> tuple[bool, list[tuple[str, str, bool]]]:
    """Whether it was lost, and what was started. states: of the nodes that their agents know."""
    bench = make_bench(tmp_path)
    bench.state.close()
    chain = Chain(bench.stage)
    chain.schedule = schedule
    for name, state in states.items():
        chain.states[name] = pb.NodeStatus(name=name, state=state, head=90, lib=80)
    setattr(chain, "link", lambda host: SimpleNamespace(status=pb.Status()))  # noqa: B010 (the stage has no links)
    starts = Starts(chain)
    stand = chain.stand

    def level(*names: str) -> None:
        stand(*names)
        for name in names:
            chain.states[name].head, chain.states[name].lib = 90, 80

    chain.stand = level  # type: ignore[method-assign]
    steps = {"genesis": StepRecord("genesis", result, 1.0, "", 0)}
    work = restore_genesis(cast(NodeAccess, chain), cast(Runner, starts), steps, Heard())
    return played(work)[0], starts.started


@pytest.mark.parametrize(("result", "states"), [
    (StepResult.FAILED, {}), (StepResult.DONE, {"genesis": "stopped"}), (StepResult.DONE, {"genesis": "running"}),
])  # fmt: skip
def test_one_that_is_there_or_never_began_is_left_alone(
    tmp_path: Path, result: StepResult, states: dict[str, str]
) -> None:
    """Nothing is started for it."""
    assert restored(tmp_path, result, ALL, states) == (False, [])


def test_while_eosio_signs_alone_it_signs_on_with_the_others_blocks(tmp_path: Path) -> None:
    """First it runs without signing; then, level with the others, as the only signer."""
    states = {"defproducera": "running", "defproducerb": "stopped"}
    assert restored(tmp_path, StepResult.DONE, ("eosio",), states) == (
        True, [("defproducerb", "normal", False), ("genesis", "audit", False), ("genesis", "genesis", True)]
    )  # fmt: skip


def test_after_the_election_it_stays_the_audits(tmp_path: Path) -> None:
    """The elected sign; eosio's key does not sign again."""
    assert restored(tmp_path, StepResult.DONE, ALL, {"defproducera": "running"}) == (
        True, [("genesis", "audit", False)]
    )  # fmt: skip


def test_without_another_node_the_chain_is_not_begun_again(tmp_path: Path) -> None:
    """Nothing is started; only a copy helps."""
    with pytest.raises(
        OperationFailed, match=r"genesis is lost on .*, and no other node here has it. Put back a copy of nodes/genesis"
    ):
        restored(tmp_path, StepResult.DONE, ("eosio",), {})
