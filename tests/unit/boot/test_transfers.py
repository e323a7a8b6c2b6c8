"""Random transfers: what a seed draws, and when each is due."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antelope.asset import Symbol
from antelope.layouts import unpack_data
from boot.transfers import slices, transfer

USERS = ("useraaaaaaaa", "useraaaaaaab", "useraaaaaaac")
SYS = Symbol(4, "SYS")


def test_a_seed_draws_the_same_transfers_everywhere() -> None:
    """Between two different users, of the smallest amount; each has a memo of its own, so that no two are the same."""
    drawn = [transfer(USERS, 7, number, SYS) for number in range(50)]
    assert drawn == [transfer(USERS, 7, number, SYS) for number in range(50)]
    assert drawn != [transfer(USERS, 8, number, SYS) for number in range(50)]
    assert len({push.key for push in drawn}) == 50
    data = [unpack_data("eosio.token", "transfer", push.actions[0].data) for push in drawn]
    assert {one["quantity"] for one in data} == {"0.0001 SYS"}
    assert all(one["from"] != one["to"] for one in data)
    assert {one["from"] for one in data} == {*USERS}
    assert data[3]["memo"] == "transfer 3 of seed 7"
    assert [push.holder for push in drawn] == [one["from"] for one in data]
    assert drawn[0].actors == (data[0]["from"],)


@given(st.integers(1, 3000), st.floats(0.01, 1000), st.integers(0, 10_000))
def test_slices_have_each_transfer_once_and_keep_the_rate(count: int, rate: float, first: int) -> None:
    """In order; none is further from its moment than a slice is long."""
    found = list(slices(range(first, first + count), rate))
    assert [number for _, numbers in found for number in numbers] == list(range(first, first + count))
    for after, numbers in found:
        for number in numbers:
            assert abs(after - (number - first) / rate) <= max(0.25, 1 / rate) + 1e-6


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (8.0, [(0.0, range(2)), (0.25, range(2, 4)), (0.5, range(4, 5))]),
        (0.5, [(2.0 * number, range(number, number + 1)) for number in range(5)]),
    ],
)
def test_a_few_slices(rate: float, expected: list[tuple[float, range]]) -> None:
    """Four times a second, or as often as one is due."""
    assert list(slices(range(5), rate)) == expected
