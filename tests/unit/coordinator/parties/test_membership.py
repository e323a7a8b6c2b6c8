"""What a registered party's messages may do: flood, leave, come back, and claim an epoch."""

from __future__ import annotations

import asyncio

from coordinator.parties.reception import TIMES
from coordinator.parties.store import Standing
from protos import coordination_pb2 as pb
from support.identity import Kind
from support.retry import poll
from tests.unit.coordinator.fakes import credentials
from tests.unit.coordinator.parties.conftest import (
    FakeParty,
    World,
    dial,
    join,
    joined,
    party,
    registration,
)


async def test_who_says_too_much_is_cut_off(world: World) -> None:
    """A flood of registrations ends that party's own stream, while another party is accepted."""
    flood = FakeParty(
        say=lambda nonce: [pb.FromAgent(registration=registration("m", nonce, "8.8.8.99:1"))] * (TIMES + 1)
    )
    session = dial(world, await join(world.invited("m"), world.folder / "m.key"), flood)
    work, calm = await joined(world, "alice")
    assert work.admissions[0].accepted
    ended = await asyncio.gather(session, return_exceptions=True)
    assert "registrations in" in str(ended[0])
    calm.cancel()


async def test_a_flood_of_reports_stays_in_its_own_pipe(world: World) -> None:
    """Thousands of statuses are read at the coordinator's pace; meanwhile another party is accepted at once."""
    flood = FakeParty(say=lambda nonce: [pb.FromAgent(status=pb.Status(clock=number)) for number in range(5000)])
    session = dial(world, await join(world.invited("m"), world.folder / "m.key"), flood)
    link = await world.hub.agent("m", 30)
    async with asyncio.timeout(2):
        work, calm = await joined(world, "alice")
    assert work.admissions[0].accepted
    assert link.status is not None
    assert link.status.clock < 1000
    session.cancel()
    calm.cancel()


async def test_an_oversized_message_of_a_party_ends_its_stream(world: World) -> None:
    """Hosts may send larger ones."""
    big = pb.FromAgent(status=pb.Status(nodes=[pb.NodeStatus(name="n", detail="x" * (1 << 20))]))
    work = FakeParty(say=lambda nonce: [big])
    session = dial(world, await join(world.invited("m"), world.folder / "m.key"), work)
    ended = await asyncio.gather(session, return_exceptions=True)
    assert "may be at most" in str(ended[0])


async def test_a_host_is_no_party(world: World) -> None:
    """A host's agent that registers, and a party that sends Leave first, affect no other party."""
    shown = credentials(world.hub, world.folder, "host1", Kind.HOST)
    session = dial(world, shown, party("host1"))
    ended = await asyncio.gather(session, return_exceptions=True)
    assert "only a party" in str(ended[0])
    assert world.store.parties() == ()


async def test_a_party_that_leaves_is_noted(world: World) -> None:
    """With its operator's reason, without control characters; it may come back."""
    work, session = await joined(world, "alice")
    assert work.send
    work.send(pb.FromAgent(leave=pb.Leave(reason="moving\x1b[2J house")))

    async def gone() -> bool:
        return standing(world) is Standing.LEFT

    await poll(gone, what="the note", deadline=30, every=0.01)
    known = world.store.find("alice")
    assert known is not None
    assert known.why == "moving [2J house"
    work.send(pb.FromAgent(registration=registration("alice", work.welcomes[0].nonce)))
    assert (await work.answered(2)).accepted
    assert standing(world) is Standing.REGISTERED
    session.cancel()


async def test_who_left_is_not_taken_up_by_an_earlier_word(world: World) -> None:
    """A registration is void if its party left while the endpoint's name was still being resolved."""
    answered, lookup = asyncio.Event(), world.reception._lookups._resolve

    async def slow(host: str) -> tuple[str, ...]:
        await answered.wait()
        return await lookup(host)

    work, session = await joined(world, "alice")
    assert work.send
    world.reception._lookups._resolve = slow
    work.send(pb.FromAgent(registration=registration("alice", work.welcomes[0].nonce, "8.8.8.9:9876")))
    work.send(pb.FromAgent(leave=pb.Leave(reason="bye")))

    async def gone() -> bool:
        return standing(world) is Standing.LEFT

    await poll(gone, what="the note", deadline=30, every=0.01)
    (judging,) = world.reception._judging
    answered.set()
    await judging
    assert standing(world) is Standing.LEFT
    session.cancel()


def standing(world: World) -> Standing | None:
    """Alice's."""
    known = world.store.find("alice")
    return known.state if known else None


async def test_a_partys_epoch_moves_nobody_else(world: World) -> None:
    """A party that met a rogue with a higher epoch gets an even higher one, alone; an absurd number raises nothing."""
    before = world.hub.epoch
    shown = await join(world.invited("alice"), world.folder / "a.key")
    for claimed, told in ((99, 100), (100, 101), (2**64 - 1, 101)):
        work = party("alice")
        work.epoch, work.instance = claimed, "a rogue"
        session = dial(world, shown, work)
        assert (await work.answered()).accepted
        assert work.welcomes[-1].epoch == world.hub.links["alice"].epoch == told
        assert world.hub.epoch == before
        session.cancel()
