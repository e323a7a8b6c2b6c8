"""Which agents the hub accepts: by the register, the certificate and the epoch."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from agent.errors import Refused
from antelope.errors import Unreachable
from coordinator.agents.hub import Hub
from coordinator.agents.link import RevokedError
from coordinator.agents.register import Entry, Register
from protos import coordination_pb2 as pb
from support.identity import Identity, Kind
from support.journal import Journal, JournalError
from support.retry import poll
from tests.unit.coordinator.fakes import FakeWork, credentials, dial, end_of, open_hub


async def test_revocation_ends_an_open_stream_at_once(hub: Hub, tmp_path: Path) -> None:
    """Within seconds the session is refused for good, and its task fails."""
    shown = credentials(hub, tmp_path, "alpha", Kind.PARTY)
    session = dial(hub, shown, FakeWork(carry_out=lambda task, send: None))
    link = await hub.agent("alpha", 30)
    running = asyncio.create_task(link.task(pb.Recount(step="n")))
    await asyncio.sleep(0)
    hub.register.revoke("alpha")  # as another process would: the hub is not told
    async with asyncio.timeout(30):
        with pytest.raises(RevokedError):
            await running
        assert isinstance(await end_of(session), Refused)
    assert isinstance(await end_of(dial(hub, shown, FakeWork())), Refused)
    with pytest.raises(RevokedError):
        await hub.agent("alpha", 1)


async def test_revocation_works_again_after_a_full_disk(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the register cannot be read for a moment, the watch over it continues."""
    monkeypatch.setattr("coordinator.agents.hub.AGAIN_SECONDS", 0)
    session = dial(hub, credentials(hub, tmp_path, "alpha"), FakeWork())
    await hub.agent("alpha", 30)
    entries, failed = hub.register.entries, asyncio.Event()

    def fails() -> object:
        if failed.is_set():
            return entries()
        failed.set()
        raise JournalError("disk full")

    monkeypatch.setattr(hub.register, "entries", fails)
    hub.register.enrol(Identity("net", Kind.HOST, "beta"), "00")  # it is read when it was written to
    await asyncio.wait_for(failed.wait(), 30)
    hub.register.revoke("alpha")
    assert isinstance(await asyncio.wait_for(end_of(session), 30), Refused)


async def test_revocation_ends_a_busy_stream_too(hub: Hub, tmp_path: Path) -> None:
    """Callers with queries under way are told that the agent is gone; the agent learns why when it dials again."""
    for number in range(5):
        shown = credentials(hub, tmp_path, name := f"busy{number}")
        session = dial(hub, shown, FakeWork())
        link = await hub.agent(name, 30)
        body = "x" * 100_000
        asked = [asyncio.create_task(link.query("genesis", "/v1/chain/get_info", body)) for _ in range(20)]
        await asyncio.sleep(0)
        hub.revoke(name)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert all(answer == body or isinstance(answer, Unreachable) for answer in answers)
        await end_of(session)
        assert isinstance(await end_of(dial(hub, shown, FakeWork())), Refused)


async def test_a_second_session_takes_over(hub: Hub, tmp_path: Path) -> None:
    """The older session of the same name ends, but may dial again, and the agent never counts as lost."""
    shown = credentials(hub, tmp_path, "alpha")
    first = dial(hub, shown, FakeWork())
    link = await hub.agent("alpha", 30)
    second_work = FakeWork()
    second = dial(hub, shown, second_work)
    ended = await end_of(first)
    assert "replaced this one" in str(ended)
    assert not isinstance(ended, Refused)
    assert link.connected
    assert (await link.task(pb.Recount(step="n"), deadline=30)).ok
    assert len(second_work.tasks) == 1
    second.cancel()


async def test_enrolling_again_voids_the_older_certificate(hub: Hub, tmp_path: Path) -> None:
    """Only the latest certificate is valid."""
    older = credentials(hub, tmp_path, "alpha")
    newer = credentials(hub, tmp_path, "alpha")
    assert isinstance(await end_of(dial(hub, older, FakeWork())), Refused)
    session = dial(hub, newer, FakeWork())
    assert await hub.agent("alpha", 30)
    session.cancel()


async def test_the_epoch_is_above_what_each_agent_has_seen(tmp_path: Path) -> None:
    """It rises with each acting run, and further for an agent that has seen a higher one, or another run's same."""
    state = tmp_path / "state"
    async with open_hub(state) as hub:
        first, port = hub.epoch, hub.port
        shown = credentials(hub, tmp_path, "alpha")
    async with open_hub(state) as hub:
        assert (hub.epoch, hub.port) == (first + 1, port)
        work = FakeWork(epoch=40, instance="other")
        session = dial(hub, shown, work)
        link = await hub.agent("alpha", 30)
        assert (hub.epoch, link.epoch) == (first + 1, 41)
        await link.task(pb.Recount(step="n"), deadline=30)
        assert work.tasks[0].epoch == work.welcomes[-1].epoch == 41
        session.cancel()
        session = dial(hub, shown, FakeWork(epoch=41, instance="another run's"))

        async def risen() -> bool:
            return link.epoch == 42

        await poll(risen, what="the epoch to rise", deadline=30)
        session.cancel()


async def test_a_host_that_claims_a_high_epoch_moves_nobody_else(tmp_path: Path) -> None:
    """Its claim raises the epoch for itself alone: others get the coordinator's own, now and in the next run."""
    state = tmp_path / "state"
    async with open_hub(state) as hub:
        shown = {name: credentials(hub, tmp_path, name) for name in ("alpha", "beta")}
        honest, first = FakeWork(), hub.epoch
        sessions = [dial(hub, shown["beta"], honest)]
        await hub.agent("beta", 30)
        sessions.append(dial(hub, shown["alpha"], FakeWork(epoch=(1 << 61) + 7, instance="liar")))
        link = await hub.agent("alpha", 30)
        assert (hub.epoch, link.epoch) == (first, (1 << 61) + 8)
        await (await hub.agent("beta", 30)).task(pb.Recount(step="n"), deadline=5)
        assert [welcome.epoch for welcome in honest.welcomes] == [first]
        assert honest.tasks[0].epoch == first
        for session in sessions:
            session.cancel()
    async with open_hub(state) as hub:
        assert hub.epoch == first + 1


async def test_watching_the_register_reads_it_only_when_somebody_wrote(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages and open streams cause no queries of their own; a write of another process takes effect."""
    session = dial(hub, credentials(hub, tmp_path, "alpha"), FakeWork())
    link = await hub.agent("alpha", 30)
    reads: list[str] = []
    rows = hub.records.journal.rows

    def counting(query: str, *values: object) -> list[tuple[object, ...]]:
        reads.append(query)
        return rows(query, *values)

    looks: Counter[str] = Counter()
    version, entries = hub.records.journal.version, hub.register.entries

    def looking(table: str) -> tuple[int, int]:
        looks["version"] += 1
        return version(table)

    def checking() -> tuple[Entry, ...]:
        looks["entries"] += 1
        return entries()

    async def looked() -> bool:
        return looks["version"] >= 4

    monkeypatch.setattr(hub.records.journal, "rows", counting)
    monkeypatch.setattr(hub.register, "entries", checking)
    await asyncio.gather(*(link.query("genesis", "/v1/chain/get_info", 1) for _ in range(100)))
    monkeypatch.setattr(hub.records.journal, "version", looking)
    await poll(looked, what="looks at the register", deadline=30)
    assert len(reads) <= 1
    assert looks["entries"] <= 1
    with closing(Journal(hub.records.journal.path)) as other:
        Register(other).revoke("alpha")
    assert isinstance(await asyncio.wait_for(end_of(session), 30), Refused)
