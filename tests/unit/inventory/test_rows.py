"""The allocation artifact: its bytes, and that a row costs nothing before it is asked for."""

from __future__ import annotations

import tracemalloc

import pytest

from antelope.keys import PublicKey
from antelope.names import name_to_int
from inventory.names import user_name
from inventory.rows import LAYOUT, MOST_ROWS, ROW_BYTES, Allocation, AllocationRow, pack_allocation
from tests.unit.inventory.material import key

KEY = PublicKey.parse(key("any"))
ROWS = tuple(AllocationRow(user_name(number), KEY, 1000 + number, 2, 3, 4) for number in range(5))


def test_layout() -> None:
    """74 bytes a row: name, kind and point of the key, RAM, NET, CPU, liquid, all little-endian."""
    row = AllocationRow("useraaaaaaaa", KEY, 1, 2, 3, (1 << 62) - 1)
    # The value of the name was computed by cleos' own name encoding: base 32, first character highest.
    name = int("".join(f"{'.12345abcdefghijklmnopqrstuvwxyz'.index(one):05b}" for one in "useraaaaaaaa") + "0000", 2)
    amounts = b"".join(value.to_bytes(8, "little") for value in (1, 2, 3, (1 << 62) - 1))
    assert row.pack() == name.to_bytes(8, "little") + b"\0" + KEY.data + amounts
    assert (ROW_BYTES, MOST_ROWS) == (74, 3_627_506)


def test_rows_are_read_in_place() -> None:
    """By number, from the end, by slice, one after the other, and by account; each as it was packed."""
    rows = Allocation(pack_allocation(ROWS))
    assert (len(rows), rows[1], rows[-1], rows[1:3], tuple(rows)) == (5, ROWS[1], ROWS[4], ROWS[1:3], ROWS)
    assert [rows.find(row.account) for row in ROWS] == list(ROWS)
    assert rows.find("nobody") is None
    assert rows.total == sum(row.total for row in ROWS)
    with pytest.raises(IndexError):
        rows[5]


def test_a_name_is_not_found_in_the_middle_of_a_row() -> None:
    """Bytes of an amount that happen to equal a name are not an account."""
    rows = Allocation(pack_allocation([AllocationRow("first", KEY, name_to_int("abc"), 0, 0, 0)]))
    assert rows.find("abc") is None


@pytest.mark.parametrize(
    "artifact",
    [
        b"\0" * 73,
        b"\0" * 75,
        pack_allocation(ROWS)[:-1],
    ],
)
def test_whole_rows_only(artifact: bytes) -> None:
    """A truncated file is not an allocation."""
    with pytest.raises(ValueError, match="not whole rows of 74"):
        Allocation(artifact)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ((1, KEY.pack(), -1, 0, 0, 0), "negative"),
        ((1, b"\x07" + KEY.data, 0, 0, 0, 0), "kind 7"),
        ((1, b"\0" + bytes(33), 0, 0, 0, 0), "public key"),
    ],
)
def test_invalid_rows_are_refused(fields: tuple[int, bytes, int, int, int, int], reason: str) -> None:
    """A negative amount or an invalid key raises ValueError when the row is read."""
    with pytest.raises(ValueError, match=reason):
        Allocation(LAYOUT.pack(*fields))[0]


@pytest.mark.parametrize("amount", [-1, 1 << 62])
def test_amounts_beyond_the_chain_s_are_not_packed(amount: int) -> None:
    """No row spends a negative amount or more than the maximum."""
    with pytest.raises(ValueError, match="between 0 and 2"):
        AllocationRow("alice", KEY, amount, 0, 0, 0).pack()


def test_a_million_rows_take_their_artifact_and_nothing_else() -> None:
    """Opening, counting, asking for single rows, summing all of them: below 1 MiB beside the artifact's bytes."""
    artifact = ROWS[0].pack() * 1_000_000
    tracemalloc.start()
    try:
        rows = Allocation(artifact)
        assert (len(rows), rows[999_999].ram) == (1_000_000, 1000)
        assert rows.find("nobody") is None
        assert sum(1 for _ in rows.every(0, 10_000)) == 10_000
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
