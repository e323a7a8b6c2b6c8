"""Generated names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antelope.names import is_name
from inventory.names import PRODUCER_LIMIT, USER_LIMIT, producer_name, user_name, user_number


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0, "useraaaaaaaa"),
        (1, "useraaaaaaab"),
        (15, "useraaaaaaap"),
        (16, "useraaaaaaba"),
        (USER_LIMIT - 1, "userpppppppp"),
    ],
)
def test_users(number: int, name: str) -> None:
    """Users count in base 16 with the letters a to p, as the tutorial's do."""
    assert user_name(number) == name


@given(st.integers(0, USER_LIMIT - 1))
def test_users_back(number: int) -> None:
    """A user's name gives its number back."""
    assert user_number(user_name(number)) == number


@pytest.mark.parametrize("name", ["userqaaaaaaa", "useraaaaaaa", "alice", "usera", "defproducera", "useraaaaaaaaa"])
def test_no_user(name: str) -> None:
    """Other names have no number."""
    assert user_number(name) is None


def test_producers() -> None:
    """Producers begin as the tutorial's, and all names differ and are names."""
    names = [producer_name(number) for number in range(PRODUCER_LIMIT)]
    assert names[:2] == ["defproducera", "defproducerb"]
    assert names[25:28] == ["defproducerz", "defproduceaa", "defproduceab"]
    assert len(set(names)) == PRODUCER_LIMIT
    assert all(is_name(name) for name in names)
