"""Agents' reports of a boot's transactions count only for the agent's own part."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent.session import Send, Session
from boot.blueprint import Blueprint
from boot.step import ChainStep
from boot.steps import STEPS
from coordinator.agents.hub import Hub
from coordinator.engine.access import NodeAccess
from coordinator.engine.boot_log import BootLog
from coordinator.engine.chain_work import ChainWork
from coordinator.engine.lost_nodes import LostNodes
from coordinator.engine.runbook import runbook
from coordinator.report.progress import PlainReporter
from coordinator.state.folder import StateFolder
from inventory.network import Node
from protos import coordination_pb2 as pb
from support import bundled
from support.identity import Kind
from support.retry import poll
from tests.unit.coordinator.fakes import FakeWork, credentials, open_hub
from tests.unit.coordinator.parties.crowd import make_network, make_sealed

OWN = "defproducera"
(STEP,) = (step for step in STEPS if step.name == "register" and isinstance(step, ChainStep))


@dataclass
class Bench:
    """A network of one host, whose agent and a party's are there."""

    hub: Hub
    work: ChainWork
    host: FakeWork
    party: FakeWork
    state: StateFolder

    @property
    def node(self) -> Node:
        """The producer's."""
        return self.work._access.pusher(OWN)


def _telling(*pushed: pb.Pushed) -> FakeWork:
    """An agent that always reports this, whatever it is asked."""

    def carry_out(task: pb.Task, send: Send) -> None:
        send(pb.FromAgent(progress=pb.Progress(task=task.id, pushed=pushed)))
        send(pb.FromAgent(result=pb.Result(task=task.id, ok=True)))

    return FakeWork(carry_out=carry_out)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """Both agents tell of work that is not theirs; the host's of its own, too."""
    network, state = make_network(tmp_path), StateFolder(tmp_path / "state", "net")
    sealed = make_sealed(network, state)
    made_up = [pb.Pushed(key=key, transaction="ff", block=4_000_000_000) for key in ("made-up", OWN)]
    host, party = _telling(pb.Pushed(key=OWN, transaction="aa" * 32, block=50), made_up[0]), _telling(*made_up)
    async with open_hub(state.folder) as hub:
        name = network.genesis_node.host
        sessions = [
            asyncio.create_task(Session(f"localhost:{hub.port}", shown, work).run(lambda _: None))
            for shown, work in (
                (credentials(hub, tmp_path, name), host),
                (credentials(hub, tmp_path, "mallory", Kind.PARTY), party),
            )
        ]
        await asyncio.gather(hub.agent(name, 30), hub.agent("mallory", 30))

        async def told() -> bool:
            return hub.links[name].status is not None

        await poll(told, what="how the nodes are", deadline=30, every=0.01)
        blueprint = Blueprint(sealed, state.artifacts.get)
        access = NodeAccess(network, hub, lambda party: False)
        broken, log = LostNodes(access, sealed), BootLog(state.boot_log)
        work = ChainWork(access, broken, blueprint, state, log, PlainReporter(io.StringIO()))
        yield Bench(hub, work, host, party, state)
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)
    state.close()


async def test_who_had_no_part_in_a_step_is_not_asked(bench: Bench) -> None:
    """A recount asks only the hosts that pushed, and records only each one's own part."""
    await bench.work.recount(STEP)
    assert [task.recount.step for task in bench.host.tasks] == ["register"]
    assert bench.party.tasks == []
    pushed = bench.state.journal.rows("SELECT step, key, id, block FROM pushed")
    assert pushed == [("register", OWN, "aa" * 32, 50)]


async def test_an_agent_that_lost_the_sealed_network_takes_it_again(bench: Bench) -> None:
    """Before the first work that it is handed, and only once."""
    bench.host.answers = lambda query: pb.Answer(id=query.id, status=200, body=b'{"head_block_num": 60}')
    for _ in range(2):
        await asyncio.wait_for(bench.work.run(STEP, (OWN,), 1), 30)
    hold, *runs = bench.host.tasks
    assert hold.hold.sha256 == bench.work._blueprint.sealed.manifest
    assert [task.run_step.step for task in runs] == ["register", "register"]


@pytest.mark.advice("coordinator/engine/chain_work.py: coord plan --cleos")
async def test_commands_of_very_many_transactions_are_in_the_runbook(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log names the command that prints them instead; what it prints has them."""
    monkeypatch.setattr("coordinator.engine.chain_work.MOST_WRITTEN_OUT", 0)
    monkeypatch.setattr(bundled, "fetch", lambda: SimpleNamespace(command=lambda program: ("/opt/bundled", program)))
    await bench.work.recount(STEP)
    assert f"# {OWN}: for its commands see coord plan INVENTORY --cleos" in bench.state.boot_log.read_text()
    script = list(runbook(bench.work._access.network, bench.state))
    assert [line for line in script if "regproducer" in line and OWN in line]


async def test_a_host_that_goes_silent_does_not_hold_a_recount_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log lacks that host's transactions, and the boot continues."""
    monkeypatch.setattr("coordinator.engine.chain_work.ACT_SECONDS", 0.2)
    bench.host.carry_out = lambda task, send: None
    await asyncio.wait_for(bench.work.recount(STEP), 30)
    assert bench.state.journal.rows("SELECT * FROM pushed") == []


async def test_a_partys_blocks_hold_nobody_up(bench: Bench) -> None:
    """If a party reports a block far in the future, the next transaction waits only for the blocks that the operator's
    nodes have.
    """
    party = replace(bench.node, party=True)
    told = pb.Progress(pushed=[pb.Pushed(key=OWN, transaction="bb", block=4_000_000_000)])
    bench.work._progressed(STEP, party, told, 1)
    heads = iter((7, 6, 7))
    asked: list[str] = []

    def answers(query: pb.Query) -> pb.Answer:
        asked.append(query.path)
        return pb.Answer(id=query.id, status=200, body=b'{"head_block_num": %d}' % next(heads))

    bench.host.answers = answers
    await asyncio.wait_for(bench.work._caught_up(bench.node.name), 30)
    assert len(asked) == 3  # the reader's head, and the node's until it is there


@pytest.mark.parametrize("answer", [b"[]", b"{}", b'{"head_block_num": "x"}', b"null"])
async def test_a_nonsensical_head_is_none(bench: Bench, answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The node is asked again, for as long as it may take; nonsense must not look like a fault of the boot's."""
    answers = iter((answer, b'{"head_block_num": 5}'))
    bench.host.answers = lambda query: pb.Answer(id=query.id, status=200, body=next(answers))
    await asyncio.wait_for(bench.work._caught_up(bench.node.name), 30)
    assert next(answers, None) is None  # it asked twice


async def test_words_of_agents_are_plain_lines(bench: Bench) -> None:
    """Neither a reason nor a node's trouble can control the operator's terminal."""
    link = bench.hub.links["mallory"]
    bench.party.carry_out = lambda task, send: send(
        pb.FromAgent(result=pb.Result(task=task.id, error="no\n\x1b]0;root\x07" + "x" * 9000))
    )
    result = await link.task(pb.Recount(step="x"))
    assert result.error.startswith("no  ]0;root x")
    assert len(result.error) == 4000
