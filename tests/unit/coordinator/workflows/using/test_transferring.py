"""Random transfers as the coordinator has them made: what became of each, and in what time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from coordinator.agents.link import LinkError
from coordinator.errors import OperationFailed
from coordinator.parties.open_network import OpenNetwork
from coordinator.report.progress import PlainReporter
from coordinator.workflows.using.transferring import Load, lines, quantiles, transfer
from protos import coordination_pb2 as pb

HEAD = 100


@dataclass
class Link:
    """An agent that has put every third transfer into a block before, and never makes the last one."""

    name: str = "h1"
    failing: bool = False
    mode: int = pb.MODE_NORMAL
    asked: list[pb.Transfer] = field(default_factory=list)

    @property
    def status(self) -> pb.Status:
        """One node."""
        return pb.Status(nodes=[pb.NodeStatus(name="a", state="running", mode=cast("Any", self.mode))])

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
        return pb.Result(ok=body.first + body.count < 9, error="transfers 7/8: useraaaaaaaa has no CPU left")


def network(link: Link, booted: bool = True) -> OpenNetwork:
    """What the workflow uses of it."""
    record = SimpleNamespace(done=booted)
    return cast(
        "OpenNetwork",
        SimpleNamespace(
            state=SimpleNamespace(steps=lambda: {"accounts": record}),
            network=SimpleNamespace(name="net", argument="net.toml", genesis_node=SimpleNamespace(host="h1")),
            access=SimpleNamespace(link=lambda host: link),
        ),
    )


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time to wait passes at once."""
    sleep = asyncio.sleep
    monkeypatch.setattr("asyncio.sleep", lambda _: sleep(0))


async def test_what_became_of_each_is_told(quick: None) -> None:
    """New ones, those that were made before, and the reason of one that failed; in parts of ten seconds."""
    link = Link()
    made = await transfer(network(link), Load(9, 0.4, 7), PlainReporter(None))
    assert [(one.first, one.count) for one in link.asked] == [(0, 4), (4, 4), (8, 1)]
    document = made.to_json()
    assert (document["confirmed"], document["confirmed_before"], document["failed"]) == (5, 3, 1)
    assert document["blocks"] == [HEAD + 2, HEAD + 8]
    assert document["reasons"] == {"transfers 7/8: useraaaaaaaa has no CPU left": 1}
    told = lines(document)
    assert told[0].startswith("5 transfers confirmed in blocks 102 to 108: ")
    assert told[1:] == [
        "3 of seed 7 had been made before",
        "1 failed: transfers 7/8: useraaaaaaaa has no CPU left",
    ]


async def test_an_agent_that_is_gone_fails_them_all(quick: None) -> None:
    """With the reason, once."""
    made = await transfer(network(Link(failing=True)), Load(9, 0.4, 7), PlainReporter(None))
    assert made.failures == {"h1 was revoked": 9}
    assert made.to_json()["latency"] == {}
    assert lines(made.to_json()) == ["9 failed: h1 was revoked"]


async def test_what_cannot_begin_says_why(quick: None) -> None:
    """Before the accounts are there; where the host's only node shows irreversible state."""
    with pytest.raises(OperationFailed, match=r"no accounts yet; run: coord boot INVENTORY --until accounts"):
        await transfer(network(Link(), booted=False), Load(1, 1.0, 7), PlainReporter(None))
    with pytest.raises(OperationFailed, match="host h1, which has the users' keys, runs no node that takes"):
        await transfer(network(Link(mode=pb.MODE_AUDIT)), Load(1, 1.0, 7), PlainReporter(None))


def test_quantiles_are_by_nearest_rank() -> None:
    """The median of four is the second."""
    assert quantiles([4.0, 1.0, 3.0, 2.0]) == {"min": 1.0, "median": 2.0, "p95": 4.0, "max": 4.0}
    assert quantiles([float(one) for one in range(1, 101)])["p95"] == 95.0
    assert quantiles([]) == {}
