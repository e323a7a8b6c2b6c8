"""Random transfers as the coordinator has them made: what became of each, in what time, and through which command."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from coordinator.agents.link import LinkError
from coordinator.engine import transfers
from coordinator.engine.access import NodeAccess
from coordinator.engine.transfers import Confirmed, Made, Part, make
from coordinator.errors import OperationFailed
from coordinator.report.progress import PlainReporter
from coordinator.state.folder import StateFolder
from coordinator.workflows.transferring import Fate, Load, lines, quantiles, send
from protos import coordination_pb2 as pb

HEAD = 100
FAILURE = "transfers 7/8: useraaaaaaaa has no CPU left"


@dataclass
class Link:
    """An agent that has put every third transfer into a block before, and never makes the last one."""

    name: str = "h1"
    failing: bool = False
    mode: int = pb.MODE_NORMAL
    asked: list[pb.Transfer] = field(default_factory=list)

    connected: bool = True

    @property
    def status(self) -> pb.Status:
        """One node."""
        return pb.Status(nodes=[pb.NodeStatus(name="a", state="running", mode=cast("Any", self.mode))])

    async def wait_connected(self, deadline: float) -> None:
        """It is."""

    async def query(self, node: str, path: str) -> Any:
        """The head."""
        return {"head_block_num": HEAD}

    async def task(
        self, body: pb.Transfer, progressed: Callable[[pb.Progress], None], deadline: float, keys: Iterable[str]
    ) -> pb.Result:
        """Reports all but the very last one of nine."""
        self.asked.append(body)
        if self.failing:
            raise LinkError("h1 was revoked")
        for number in range(body.first, body.first + body.count):
            if number < 8:
                block = HEAD - 5 if number % 3 == 0 else HEAD + 1 + number
                progressed(pb.Progress(pushed=[pb.Pushed(key=f"7/{number}", transaction="ab", block=block)]))
        return pb.Result(ok=body.first + body.count < 9, error=FAILURE)


def network(link: Link, booted: bool = True) -> tuple[StateFolder, NodeAccess]:
    """What the work uses of it."""
    state = SimpleNamespace(steps=lambda: {"accounts": SimpleNamespace(done=booted)})
    of = SimpleNamespace(name="net", genesis_node=SimpleNamespace(host="h1"))
    return cast("StateFolder", state), cast("NodeAccess", SimpleNamespace(network=of, link=lambda host: link))


async def made_by(link: Link) -> Fate:
    """Nine transfers of seed 7, all of them made by this agent."""
    state, access = network(link)
    made = Fate(Load(9, 0.4, 7))
    await send(made, lambda part, told: make(state, access, part, told), asyncio.Event(), PlainReporter(None))
    return made


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time to wait passes at once."""
    sleep = asyncio.sleep
    monkeypatch.setattr("asyncio.sleep", lambda _: sleep(0))


async def test_what_became_of_each_is_told(quick: None) -> None:
    """New ones, those that were made before, and the reason of one that failed; in parts of ten seconds."""
    link = Link()
    made = await made_by(link)
    assert [(one.first, one.count) for one in link.asked] == [(0, 4), (4, 4), (8, 1)]
    document = made.to_json()
    assert (document["confirmed"], document["confirmed_before"], document["failed"]) == (5, 3, 1)
    assert document["blocks"] == [HEAD + 2, HEAD + 8]
    assert document["reasons"] == {FAILURE: 1}
    told = lines(document)
    assert told[0].startswith("5 transfers confirmed in blocks 102 to 108: ")
    assert told[1:] == ["3 of seed 7 had been made before", f"1 failed: {FAILURE}"]
    assert not made.left


async def test_an_agent_that_is_gone_fails_them_all(quick: None) -> None:
    """With the reason, once."""
    made = await made_by(Link(failing=True))
    assert made.failures == {"h1 was revoked": 9}
    assert made.to_json()["latency"] == {}
    assert lines(made.to_json()) == ["9 failed: h1 was revoked"]


async def test_what_cannot_begin_says_why(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the accounts are there; where the host's only node shows irreversible state."""
    monkeypatch.setattr(transfers, "NODE_SECONDS", 0.05)
    with pytest.raises(OperationFailed, match=r"no accounts yet; run: coord boot INVENTORY --until accounts"):
        await make(*network(Link(), booted=False), Part(7, 0, 1, 1.0))
    with pytest.raises(OperationFailed, match="host h1, which has the users' keys, runs no node that takes"):
        await make(*network(Link(mode=pb.MODE_AUDIT)), Part(7, 0, 1, 1.0))


async def test_what_is_left_when_a_command_ends_is_made_through_the_next(quick: None) -> None:
    """Each is counted once: also one that is reported again, in a block that is older than the second request."""
    made, asked = Fate(Load(9, 0.4, 7)), list[Part]()

    async def ends(part: Part, told: Callable[[Made], None]) -> Made | None:
        asked.append(part)
        if part.first == 4:
            told(Made(HEAD, [Confirmed(5, HEAD + 1, 0.5)]))
            return None
        return Made(HEAD, [Confirmed(number, HEAD + 1, 0.5) for number in part.numbers])

    async def goes_on(part: Part, told: Callable[[Made], None]) -> Made:
        asked.append(part)
        return Made(HEAD + 9, [Confirmed(number, HEAD + 2, 0.5) for number in part.numbers])

    cut = asyncio.Event()
    await send(made, ends, cut, PlainReporter(None))
    assert cut.is_set()
    assert made.left >= {4, 6, 7}
    assert not made.left & {0, 1, 2, 3, 5}
    asked.clear()
    await send(made, goes_on, asyncio.Event(), PlainReporter(None))
    assert [(part.first, part.count) for part in asked][:2] == [(4, 1), (6, 2 if 8 not in made.due else 3)]
    document = made.to_json()
    assert (document["confirmed"] + document["confirmed_before"], document["failed"]) == (9, 0)
    assert document["confirmed"] >= 8


async def test_a_refusal_ends_the_command() -> None:
    """With the refusal itself, whichever part met it."""

    async def refuses(part: Part, told: Callable[[Made], None]) -> Made:
        raise OperationFailed("no accounts yet")

    with pytest.raises(OperationFailed, match="no accounts yet"):
        await send(Fate(Load(9, 9.0, 7)), refuses, asyncio.Event(), PlainReporter(None))


def test_an_outcome_survives_the_way_to_another_terminal() -> None:
    """Nothing of it is lost."""
    made = Made(HEAD, [Confirmed(3, HEAD + 1, 0.25)], FAILURE)
    assert Made.from_json(made.to_json()) == made


def test_quantiles_are_by_nearest_rank() -> None:
    """The median of four is the second."""
    assert quantiles([4.0, 1.0, 3.0, 2.0]) == {"min": 1.0, "median": 2.0, "p95": 4.0, "max": 4.0}
    assert quantiles([float(one) for one in range(1, 101)])["p95"] == 95.0
    assert quantiles([]) == {}
