"""Reading a users' CSV many lines at once gives the same result as reading it line by line."""

from __future__ import annotations

import hashlib
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antelope.asset import Symbol
from antelope.keys import PublicKey
from inventory.columns import UserRow, UserRows
from inventory.errors import Problems
from inventory.key_texts import decode
from inventory.names import user_name
from inventory.network import StakeRule
from inventory.users_file import read_users
from tests.unit.inventory.material import key

SYMBOL, RULE = Symbol(4, "SYS"), StakeRule(1000, 4500, 90_000)


def read(path: Path, text: str, symbol: Symbol = SYMBOL) -> tuple[list[UserRow], list[str]]:
    """The rows and the problems of a file with this text."""
    path.write_text(text, encoding="utf-8", newline="")
    problems = Problems()
    columns = read_users(path, symbol, RULE, problems)
    return list(UserRows(lambda: columns)), [str(problem) for problem in problems.found]


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40), st.integers(0, 49), st.data())
@settings(max_examples=30)
def test_keys_in_bulk(points: list[bytes], place: int, data: st.DataObject) -> None:
    """Every key is decoded as `antelope.keys` does it, and one with a changed character is told apart."""
    keys = [PublicKey(bytes((2 + point[0] % 2,)) + point) for point in points]
    texts = np.frombuffer("".join(str(one)[3:] for one in keys).encode(), dtype=np.uint8).reshape(-1, 50).copy()
    spoilt = data.draw(st.integers(0, len(keys) - 1))
    texts[spoilt, place] = ord("2") if texts[spoilt, place] != ord("2") else ord("3")
    packed, good = decode(texts)
    assert [place for place, fine in enumerate(good) if not fine] == [spoilt]
    assert all(packed[at].tobytes() == one.pack() for at, one in enumerate(keys) if at != spoilt)


PLAIN = f"alice,{key('a')},5.0000\n"
MODERN = PublicKey.parse(key("m")).modern
FORMS = {
    "plain": (PLAIN, ["alice"]),
    "no newline at the end": (PLAIN.strip(), ["alice"]),
    "byte order mark": ("\ufeff" + PLAIN, ["alice"]),
    "header": ("Account,Public Key,Balance\n" + PLAIN, ["alice"]),
    "another header": ("eos_account,eos_public_key,balance\n" + PLAIN, ["alice"]),
    "an account named as a column": (f"account,{key('n')},5.0000\n" + PLAIN, ["account", "alice"]),
    "windows": (PLAIN.replace("\n", "\r\n") * 1, ["alice"]),
    "old mac": (PLAIN.replace("\n", "\r") + f"bob,{key('b')},6.0000\r", ["alice", "bob"]),
    "symbol": (PLAIN.replace("5.0000", "5.0000 SYS"), ["alice"]),
    "spaces": (f" alice , {key('a')}\t, 5.0000 \n", ["alice"]),
    "quotes": (f'"alice","{key("a")}","5.0000"\n', ["alice"]),
    "modern key": (f"alice,{MODERN},5.0000\n", ["alice"]),
    "names at the edges": (f"a,{key('a')},5.0000\neosiofan1234,{key('b')},5.0000\n", ["a", "eosiofan1234"]),
    "empty lines between": ("\n" + PLAIN + "\n\n" + f"bob,{key('b')},6.0000\n", ["alice", "bob"]),
    "the largest amount": (f"alice,{key('a')},461168601842738.7903\n", ["alice"]),
}


@pytest.mark.parametrize("form", sorted(FORMS))
def test_forms(form: str, tmp_path: Path) -> None:
    """Each way of writing a row is accepted, also mixed with others, and order is kept."""
    text, names = FORMS[form]
    rows, problems = read(tmp_path / "u.csv", text)
    assert ([row.account for row in rows], problems) == (names, [])
    both, problems = read(tmp_path / "u.csv", text + "\n" + f"zoe,{key('z')},7.0000\n")
    assert ([row.account for row in both], problems) == ([*names, "zoe"], [])
    assert both[-1] == UserRow("zoe", key("z"), 70_000)


@pytest.mark.parametrize(
    ("precision", "text", "units"), [(0, "123456", 123456), (18, "1.000000000000000001", 10**18 + 1)]
)
def test_precisions(precision: int, text: str, units: int, tmp_path: Path) -> None:
    """Amounts of tokens without decimals, and with eighteen."""
    rows, problems = read(tmp_path / "u.csv", f"alice,{key('a')},{text}\n", Symbol(precision, "SYS"))
    assert ([row.balance for row in rows], problems) == ([units], [])


def test_a_header_of_other_columns_is_one_line(tmp_path: Path) -> None:
    """The columns are told, and the rows below by their own lines."""
    _, problems = read(tmp_path / "u.csv", f"ethereum_address,eos_account,eos_key,balance\nx,alice,{key('a')},5.0000\n")
    assert len(problems) == 2
    assert "u.csv line 1: the header has 4 columns, not 3; the columns must be: account, public key" in problems[0]
    assert "u.csv line 2: 4 fields, not 3" in problems[1]


WRONG = {
    "Alice": "line 3: name 'Alice' contains 'A'",
    "eosio": "line 3: 'eosio' is reserved",
    "eosio.x": "line 3: 'eosio.x' is reserved",
    "abcdefghijklm": "line 3: name 'abcdefghijklm' has more than 12",
    "a.": "line 3: name 'a.' ends with a dot",
    "": "line 3: a name cannot be empty",
}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_wrong_names_are_told_with_their_line(name: str, tmp_path: Path) -> None:
    """The line's number counts from the file's first, header and empty lines included."""
    _, problems = read(tmp_path / "u.csv", f"account,key,balance\n\n{name},{key('a')},5.0000\n{PLAIN}")
    assert len(problems) == 1
    assert WRONG[name] in problems[0]


@pytest.mark.parametrize(
    ("balance", "reason"),
    [
        ("5.000", "symbol 3,SYS"),
        ("-5.0000", "does not cover"),
        ("0.0001", "does not cover"),
        ("5.0000 EOS", "4,EOS"),
        ("5", "0,SYS"),
        ("", "not an asset"),
        ("99999999999999999999.0000", "beyond"),
        ("5,0000", "4 fields"),
    ],
)
def test_wrong_balances_are_told(balance: str, reason: str, tmp_path: Path) -> None:
    """A balance that is not an amount of the symbol, too small or too large is refused."""
    _, problems = read(tmp_path / "u.csv", PLAIN + f"bob,{key('b')},{balance}\n")
    assert len(problems) == 1
    assert "u.csv line 2" in problems[0]
    assert reason in problems[0]


def test_twice_far_apart(tmp_path: Path) -> None:
    """An account that is listed twice, in any part of the file, is reported with the later line."""
    lines = [f"{user_name(number)},{key('k')},5.0000\n" for number in range(70_000)]
    _, problems = read(tmp_path / "u.csv", "".join([*lines, lines[17]]))
    assert problems == [f"users.csv: u.csv line 70001: {user_name(17)} is listed twice"]


def test_webauthn_keys_are_refused(tmp_path: Path) -> None:
    """They do not fit a row of the allocation, and the line says so."""
    passkey = PublicKey(b"\2" + bytes(32) + b"\1\7example", kind=2)
    _, problems = read(tmp_path / "u.csv", f"alice,{passkey},5.0000\n")
    assert problems == ["users.csv: u.csv line 1: a WebAuthn key (PUB_WA_…) cannot be in an allocation"]


def test_a_name_is_looked_for_without_reading_the_rows(tmp_path: Path) -> None:
    """A file is parsed for an account only if it mentions the account."""
    file = tmp_path / "u.csv"
    file.write_text(PLAIN)
    asked: list[int] = []

    def rows() -> UserRows:
        def columns() -> object:
            asked.append(1)
            return read_users(file, SYMBOL, RULE, Problems())

        return UserRows(columns, file)  # type: ignore[arg-type]

    assert rows().find("nobody") is None
    assert not asked
    found = rows().find("alice")
    assert found == UserRow("alice", key("a"), 50_000)
    assert asked


def test_memory(tmp_path: Path) -> None:
    """200,000 rows take 50 bytes each and what a part of the file needs: never the file, never objects."""
    file = tmp_path / "u.csv"
    keys = [PublicKey(b"\2" + hashlib.sha256(bytes((number,))).digest()) for number in range(100)]
    with file.open("w") as out:
        out.writelines(f"{user_name(number)},{keys[number % 100]},{number + 5}.0000\n" for number in range(200_000))
    read_users(file, SYMBOL, RULE, Problems())  # imports of the first use do not count
    tracemalloc.start()
    try:
        columns = read_users(file, SYMBOL, RULE, Problems())
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(columns.names) == 200_000
    assert kept < 200_000 * 60
    assert peak < 75 << 20
