"""Parties whose register is lost: while the state is rebuilt, those come back whose certificate is this CA's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.errors import Refused
from agent.session import Credentials
from coordinator.agents.records import Records
from coordinator.parties.reception import Reception
from tests.unit.coordinator.fakes import listening
from tests.unit.coordinator.parties.conftest import RULES, FakeParty, Setting, World, dial, join, party


@asynccontextmanager
async def opened(folder: Path, *, adopting: bool = False) -> AsyncIterator[World]:
    """A hub that takes parties in, on what that folder has left."""
    setting = Setting()
    with Records(folder / "state", "net", adopting=adopting) as records:
        reception = Reception(records, lambda: RULES, setting.resolve)
        async with listening(records, reception) as hub:
            yield World(hub, folder, reception, setting)


async def accepted(world: World, shown: Credentials) -> bool:
    """Whether alice's registration is."""
    work: FakeParty = party("alice")
    session = dial(world, shown, work)
    try:
        return (await work.answered()).accepted
    finally:
        session.cancel()


def lose_the_journal(folder: Path) -> None:
    """With all that belongs to it."""
    for path in (folder / "state").glob("journal.sqlite*"):
        path.unlink()


async def test_a_party_comes_back_while_the_state_is_rebuilt(tmp_path: Path) -> None:
    """Not before, when nobody knows her; then with her account and keys, and from then on as ever."""
    async with opened(tmp_path) as world:
        shown = await join(world.invited("alice"), tmp_path / "alice.key")
        assert await accepted(world, shown)
        before = world.store.find("alice")
    lose_the_journal(tmp_path)
    async with opened(tmp_path) as world:
        with pytest.raises(Refused, match="not enrolled"):
            await dial(world, shown, party("alice"))
    async with opened(tmp_path, adopting=True) as world:
        assert await accepted(world, shown)
        found = world.store.find("alice")
        assert before is not None
        assert found is not None
        assert (found.account, found.account_key, found.signing_key, found.endpoint) == (
            before.account, before.account_key, before.signing_key, before.endpoint,
        )  # fmt: skip
    async with opened(tmp_path) as world:
        assert await accepted(world, shown)


async def test_who_is_known_to_be_revoked_stays_out(tmp_path: Path) -> None:
    """Where the register is there, it counts: rebuilding something else opens no door."""
    async with opened(tmp_path) as world:
        shown = await join(world.invited("alice"), tmp_path / "alice.key")
        world.hub.revoke("alice")
    async with opened(tmp_path, adopting=True) as world:
        with pytest.raises(Refused, match="revoked"):
            await dial(world, shown, party("alice"))


async def test_a_new_ca_knows_nobody_and_invites_anew(tmp_path: Path) -> None:
    """With the CA lost, the old certificate opens nothing; a new invitation does, for the same key and account."""
    async with opened(tmp_path) as world:
        await join(world.invited("alice"), tmp_path / "alice.key")
    for path in (tmp_path / "state" / "ca").iterdir():
        path.unlink()
    lose_the_journal(tmp_path)
    async with opened(tmp_path, adopting=True):
        pass
    async with opened(tmp_path) as world:
        assert await accepted(world, await join(world.invited("alice"), tmp_path / "alice.key"))
