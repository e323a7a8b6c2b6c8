"""The questions that evidence asks, and how they are answered."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from antelope.errors import Busy, NodeError, UnknownAccount, UnknownTable
from boot.reads import (
    NO_CODE,
    account,
    active_features,
    ask,
    code_and_abi,
    row,
    rows,
    run_reads,
    scopes,
    verdict,
)
from boot.step import Query

UNKNOWN = UnknownAccount(400, 3060002, "account_query_exception", "unknown key")
NO_TABLE = UnknownTable(500, 3060003, "contract_table_query_exception", "not specified in the ABI")


class Scripted:
    """Answers in turn; an answer that is an error is raised."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[Query] = []

    async def __call__(self, query: Query) -> Any:
        """The next answer."""
        self.asked.append(query)
        answer = self.answers.pop(0)
        if isinstance(answer, NodeError):
            raise answer
        return answer


async def test_rows_are_paged_until_there_are_no_more() -> None:
    """nodeos cuts answers short: each page starts at the last one's next_key, with the same upper bound."""
    chain = Scripted({"rows": [{"n": 1}], "more": True, "next_key": "42"}, {"rows": [{"n": 2}], "more": False})
    assert await run_reads(rows("eosio", "eosio", "voters", last="z"), chain) == [{"n": 1}, {"n": 2}]
    bounds = [(query.body["lower_bound"], query.body["upper_bound"]) for query in chain.asked]
    assert bounds == [("", "z"), ("42", "z")]


async def test_scopes_and_features_are_paged_too() -> None:
    """`more` holds the next page's beginning; for features it is absent at the end."""
    chain = Scripted({"rows": [{"scope": "1"}], "more": "111111111111"}, {"rows": [{"scope": "b"}], "more": ""})
    assert await run_reads(scopes("eosio", "userres"), chain) == {"1", "b"}
    assert [query.body["lower_bound"] for query in chain.asked] == ["", "595056260442243600"]
    first = {"activated_protocol_features": [{"feature_digest": "aa"}], "more": 1}
    chain = Scripted(first, {"activated_protocol_features": [{"feature_digest": "bb"}]})
    assert await run_reads(active_features(), chain) == {"aa", "bb"}


@pytest.mark.parametrize("error", [UNKNOWN, NO_TABLE])
async def test_a_table_that_does_not_exist_has_no_rows(error: NodeError) -> None:
    """An unknown account or a missing table is not a failure: the step has not happened yet."""
    assert await run_reads(rows("eosio.token", "SYS", "stat"), Scripted(error)) == []
    assert await run_reads(row("eosio", "eosio", "voters", "alice"), Scripted(error)) is None


async def test_names_are_bounds_by_their_number() -> None:
    """nodeos would read the account 111111111111 as a number, and answer with another row."""
    chain = Scripted({"rows": [{"owner": "111111111111"}], "more": False})
    assert await run_reads(row("eosio", "eosio", "voters", "111111111111"), chain) == {"owner": "111111111111"}
    assert chain.asked[0].body["lower_bound"] == chain.asked[0].body["upper_bound"] == "595056260442243600"


async def test_absent_accounts() -> None:
    """An unknown account is None, its code no code."""
    assert await run_reads(account("nosuch"), Scripted(UNKNOWN)) is None
    assert await run_reads(code_and_abi("nosuch", "ab"), Scripted(UNKNOWN)) == (NO_CODE, NO_CODE)


@pytest.mark.parametrize("reads", [account("a"), rows("a", "b", "c"), code_and_abi("a", ""), ask("/v1/chain/get_info")])
async def test_no_answer_is_no_evidence(reads: Generator[Query, Any, Any]) -> None:
    """A busy node does not make anything missing: the caller gets the error."""
    with pytest.raises(Busy):
        await run_reads(reads, Scripted(Busy(503, None, "", "busy")))


def test_a_verdict_counts_and_names() -> None:
    """What is missing is named, three of many."""
    assert verdict([], 4, "accounts").detail == "4 accounts"
    many = verdict(["a", "b", "c", "d"], 9, "accounts")
    assert (many.missing, many.done) == (("a", "b", "c", "d"), False)
    assert many.detail == "5 of 9 accounts; missing: a, b, c and 1 more"
