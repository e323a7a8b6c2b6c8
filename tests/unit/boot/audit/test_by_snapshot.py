"""All accounts out of a snapshot: the same judgement as asking for each, in columns, of any size."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from antelope.errors import Unreachable
from boot.audit import AuditReport, audit
from boot.audit.blocks import Blocks, read_blocks
from boot.audit.by_snapshot import survey_of
from boot.audit.chain import Chain
from boot.audit.found import Survey
from boot.audit.state import MAGIC, UnknownSnapshot
from boot.blueprint import Blueprint
from tests.unit.boot.audit.fake_chain import FakeChain, account, authority, permission
from tests.unit.boot.audit.planned import blueprint
from tests.unit.boot.audit.planting import OTHER, Plant, change, set_authority, transfer
from tests.unit.boot.audit.snapshot_file import END, section, snapshot


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight accounts are enough for a snapshot."""
    monkeypatch.setattr("boot.audit.survey.MANY", 1)


async def _audited(chain: FakeChain, plan: Blueprint, folder: Path) -> AuditReport:
    """The audit through a snapshot of the chain as it is."""
    path = folder / "state.bin"
    path.write_bytes(snapshot(chain))

    @contextlib.asynccontextmanager
    async def taken() -> AsyncIterator[Path]:
        yield path

    return await audit(chain, plan, snapshot=taken)


def _stake(chain: FakeChain) -> None:
    own = chain.accounts["useraaaaaaaa"]
    own["total_resources"]["cpu_weight"] = "45.4501 SYS"
    own["cpu_weight"] = 454_501


PLANTS: dict[str, Plant] = {
    "nothing": lambda c: None,
    "a transfer": lambda c: transfer(c, "useraaaaaaaa", "eosio", 1),
    "a key": lambda c: set_authority(c, "useraaaaaaab", "active", authority((OTHER,))),
    "a permission": lambda c: c.accounts["useraaaaaaab"]["permissions"].append(
        permission("pay", "active", authority((OTHER,)))
    ),
    "a stake": _stake,
    "more RAM": lambda c: change(c.accounts["useraaaaaaac"], ram_quota=9999),
    "code": lambda c: change(c.accounts["useraaaaaaac"], last_code_update="2026-11-22T19:36:49.500"),
    "a privilege": lambda c: change(c.accounts["useraaaaaaac"], privileged=True),
    "a stranger": lambda c: c.accounts.update(stranger=account("stranger", authority((OTHER,)), authority((OTHER,)))),
    "a missing account": lambda c: (c.accounts.pop("useraaaaaaac"), c.balances.pop("useraaaaaaac"))[0],
    "a vote": lambda c: c.tables["eosio", "eosio", "voters"][0].update(producers=["proda"]),
    "a proxy": lambda c: c.tables["eosio", "eosio", "voters"][0].update(is_proxy=1),
}


@pytest.mark.parametrize("case", sorted(PLANTS))
async def test_the_same_as_asking_for_each(case: str, chain: FakeChain, plan: Blueprint, tmp_path: Path) -> None:
    """Every check gives the same result; accounts that no table names are found as well."""
    PLANTS[case](chain)
    read, asked = await _audited(chain, plan, tmp_path), await audit(chain, plan)
    for one, other in zip(read.checks, asked.checks, strict=True):
        if case == "a stranger":
            continue
        assert _shape(one.detail) == _shape(other.detail), one.name
    assert read.accounts == asked.accounts
    if case == "a stranger":
        (found,) = [check for check in read.checks if check.name == "no other accounts"]
        assert "stranger" in found.detail
    assert read.unchanged is (case == "nothing")


def _shape(detail: str) -> str:
    """Without what the two cannot have alike: when code was set, to the microsecond."""
    return detail.partition("(set ")[0]


async def test_a_snapshot_is_read_beside_the_blocks(
    chain: FakeChain, plan: Blueprint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chain of many accounts takes seconds for either: reading begins with the blocks, and neither waits."""
    begun, over = threading.Event(), threading.Event()

    def surveyed(path: Path, plan: Blueprint) -> Survey:
        begun.set()
        assert over.wait(10)
        return survey_of(path, plan)

    async def blocks(chain: Chain, plan: Blueprint, head: int) -> Blocks:
        assert await asyncio.to_thread(begun.wait, 10)
        found = await read_blocks(chain, plan, head)
        over.set()
        return found

    monkeypatch.setattr("boot.audit.survey.survey_of", surveyed)
    monkeypatch.setattr("boot.audit.run.read_blocks", blocks)
    assert (await _audited(chain, plan, tmp_path)).unchanged


async def test_blocks_wait_while_the_node_writes(
    chain: FakeChain, plan: Blueprint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """nodeos answers nothing until its snapshot is written, which may take longer than a call may."""
    asked: list[str] = []

    @contextlib.asynccontextmanager
    async def written() -> AsyncIterator[Path]:
        await asyncio.sleep(0)
        asked.append("snapshot")
        raise Unreachable("no such call")
        yield

    async def blocks(chain: Chain, plan: Blueprint, head: int) -> Blocks:
        asked.append("blocks")
        return await read_blocks(chain, plan, head)

    monkeypatch.setattr("boot.audit.run.read_blocks", blocks)
    assert (await audit(chain, plan, snapshot=written)).unchanged
    assert asked == ["snapshot", "blocks"]


async def test_a_node_that_writes_none_is_asked(
    chain: FakeChain, plan: Blueprint, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a snapshot each account is asked for, and a note says that it takes long."""

    @contextlib.asynccontextmanager
    async def refused() -> AsyncIterator[Path]:
        raise Unreachable("no producer API")
        yield

    assert (await audit(chain, plan, snapshot=refused)).unchanged
    assert "no producer API: so each of 8 accounts is asked for" in caplog.text


def _broken() -> dict[str, bytes]:
    whole = snapshot(FakeChain(blueprint()))
    return {
        "nothing": b"\0",
        "another file": b"PK\3\4" + whole[4:],
        "cut within a section": whole[: len(whole) // 2],
        "no sections": MAGIC + END,
        "a section of another size": whole.replace(
            section("eosio::chain::chain_snapshot_header", [b"\6\0\0\0"]), b""
        ).replace(b"account_metadata_object", b"account_metadata_objecu"),
        "rows of another size": whole.replace(b"eosio::chain::account_object\0", b"eosio::chain::account_object\0\0"),
    }


@pytest.mark.parametrize("case", sorted(_broken()))
def test_what_is_no_snapshot(case: str, plan: Blueprint, tmp_path: Path) -> None:
    """Unknown formats are refused with an explanation, wherever they differ."""
    path = tmp_path / "state.bin"
    path.write_bytes(_broken()[case])
    with pytest.raises(UnknownSnapshot, match=r"snapshot|state\.bin"):
        survey_of(path, plan)
