"""The audit as a whole: of a chain as planned, of one that is not there yet, and of one that cannot be read."""

from __future__ import annotations

from typing import Any

import pytest

from antelope.errors import Busy, NodeError, Unreachable
from boot.audit import AuditError, Check, audit, render
from boot.audit.chain import IN_FLIGHT
from boot.audit.report import Question
from boot.blueprint import Blueprint
from tests.unit.boot.audit.fake_chain import (
    FakeChain,
)
from tests.unit.boot.audit.planned import CHAIN_ID, ROWS
from tests.unit.boot.audit.planting import (
    transfer,
)


async def test_chain_as_planned(chain: FakeChain, plan: Blueprint) -> None:
    """A chain as planned passes every check, and the document has the promised form."""
    report = await audit(chain, plan)
    assert [check for check in report.checks if not check.ok] == []
    document = report.to_json()
    assert document["ok"] is True
    assert document["chain_id"] == CHAIN_ID
    assert document["block"] == {"num": 9, "id": "00000009" + 56 * "a"}
    assert document["accounts"] == {"planned": 8, "matched": 8, "missing": [], "wrong": []}
    assert all(set(check) == {"name", "ok", "detail", "question"} for check in document["checks"])
    names = [check["name"] for check in document["checks"]]
    assert len(names) == len(set(names))


class Handover(FakeChain):
    """While it is read for the first time, the schedule changes, and eosio.prods with it."""

    times = 0

    async def answer_get_info(self, body: Any) -> Any:
        info = await super().answer_get_info(body)
        self.times += 1
        return {**info, "head_block_num": 10, "head_block_id": "0000000a" + 56 * "a"} if self.times > 1 else info

    async def answer_get_producer_schedule(self, body: Any) -> Any:
        answer = await super().answer_get_producer_schedule(body)
        return answer if self.times > 1 else {**answer, "active": {"version": 0, "producers": []}}


async def test_a_difference_of_two_moments_is_none(plan: Blueprint) -> None:
    """Rows of two blocks that contradict each other are read again, once; the report is of the later block."""
    chain = Handover(plan)
    report = await audit(chain, plan)
    assert report.ok
    assert report.to_json()["block"]["num"] == 10


class Standing(FakeChain):
    """It has a wrong schedule, and makes no block."""

    times = 0

    async def answer_get_producer_schedule(self, body: Any) -> Any:
        self.times += 1
        return {**await super().answer_get_producer_schedule(body), "active": {"version": 0, "producers": []}}


async def test_a_difference_at_rest_is_read_once(plan: Blueprint) -> None:
    """If no block came meanwhile, the difference is real."""
    chain = Standing(plan)
    assert not (await audit(chain, plan)).unchanged
    assert chain.times == 1


async def test_chain_before_its_boot(chain: FakeChain, plan: Blueprint) -> None:
    """A chain with nothing on it but nodeos' own accounts fails the checks and raises nothing."""
    chain.accounts = {name: chain.accounts[name] for name in ("eosio", "eosio.null", "eosio.prods")}
    chain.tables, chain.balances, chain.resources, chain.tokens, chain.features = {}, {}, set(), [], []
    chain.contracts = {"eosio": ("0" * 64, b"")}
    chain.blocks = {number: [] for number in range(1, 10)}
    report = await audit(chain, plan)
    failed = {check.name for check in report.checks if not check.ok}
    assert {"contract code", "token supply", "planned accounts", "producers", "votes", "canary"} <= failed
    assert report.accounts.missing == tuple(row.account for row in ROWS)


@pytest.mark.parametrize("call", ["get_info", "get_account", "get_table_rows", "get_table_by_scope", "get_raw_block"])
@pytest.mark.parametrize("error", [Unreachable("gone"), Busy(503, None, "", "busy")])
async def test_unreadable_chain(chain: FakeChain, plan: Blueprint, call: str, error: NodeError) -> None:
    """A failed read ends the audit with one line that names it; it is not a failed check."""
    chain.broken[call] = error
    with pytest.raises(AuditError, match=f"nothing was judged: {call}.*(gone|busy).*ask another node") as raised:
        await audit(chain, plan)
    assert "\n" not in str(raised.value)
    assert chain.in_flight == 0


@pytest.mark.parametrize("answer", [[], {}, {"rows": [{}], "more": False}, {"rows": None, "more": ""}])
async def test_malformed_answer(chain: FakeChain, plan: Blueprint, answer: Any) -> None:
    """A node that answers nonsense ends the audit with one line, not with a traceback of ours."""
    chain.broken["get_table_by_scope"] = answer
    with pytest.raises(AuditError, match="nothing was judged"):
        await audit(chain, plan)


async def test_pages_that_never_end(chain: FakeChain, plan: Blueprint) -> None:
    """A node that repeats its pages cannot hold up the audit for ever."""
    chain.broken["get_table_by_scope"] = {"rows": [], "more": "eosio"}
    with pytest.raises(AuditError, match="never end"):
        await audit(chain, plan)


async def test_missing_artifact(chain: FakeChain, plan: Blueprint) -> None:
    """A missing artifact is reported before the chain is asked."""
    chain.broken["get_info"] = Unreachable("gone")
    with pytest.raises(AuditError, match="sealed network is incomplete here"):
        await audit(chain, Blueprint(plan.sealed, dict[str, bytes]().__getitem__))


async def test_bounded_and_told(chain: FakeChain, plan: Blueprint) -> None:
    """Reads in flight are bounded, and progress ends at all of them."""
    told: list[tuple[int, int]] = []
    await audit(chain, plan, progress=lambda done, due: told.append((done, due)))
    assert 1 < chain.most_in_flight <= IN_FLIGHT
    assert told[-1][0] == told[-1][1] == len(told)


async def test_text(chain: FakeChain, plan: Blueprint) -> None:
    """The table has a line a check, the wrong account with its difference, and a last line that counts."""
    transfer(chain, "useraaaaaaaa", "eosio", 1)
    report = await audit(chain, plan)
    lines = render(report)
    assert all("\n" not in line for line in lines)
    assert lines[0] == "born as planned?  (the answer never changes)"
    assert lines[1].startswith("ok    chain id")
    assert "      useraaaaaaaa: liquid is 8.9999 SYS, planned 9.0000 SYS" in lines
    today = sum(check.question is Question.TODAY for check in report.checks)
    assert lines[-2] == "block 9: 7 of 8 accounts are as at birth"
    assert lines[-1] == f"born as planned: yes; 2 of {today} checks find differences today"
    assert any(line.startswith("now   balances") for line in lines)
    assert isinstance(report.checks[0], Check)


@pytest.mark.parametrize("empty", [None, {"version": 1, "producers": []}])
async def test_an_empty_schedule_is_none(chain: FakeChain, plan: Blueprint, empty: Any) -> None:
    """No pending or proposed schedule, in the form of either version of nodeos."""
    chain.schedule |= {"pending": empty, "proposed": empty}
    assert (await audit(chain, plan)).unchanged
