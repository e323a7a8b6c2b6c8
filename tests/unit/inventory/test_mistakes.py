"""Bad inventories: all mistakes are reported together, each in one line with its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inventory.errors import InventoryError
from inventory.load import load
from tests.unit.inventory.material import Write, key
from tests.unit.inventory.mistakes_off_chain import OFF_CHAIN
from tests.unit.inventory.mistakes_on_chain import ON_CHAIN

CASES = ON_CHAIN | OFF_CHAIN


@pytest.mark.parametrize("case", CASES)
def test_one_line(case: str, write: Write) -> None:
    """The mistake is reported in a line that begins with the file and the place in it."""
    text, expected = CASES[case]
    path = write(text)
    with pytest.raises(InventoryError) as caught:
        load(path)
    lines = str(caught.value).splitlines()
    assert [line for line in lines if line.startswith(f"{path}: {expected}")], lines


def test_all_at_once(write: Write) -> None:
    """Mistakes of shape come together, and so do mistakes of meaning, each on its own line."""
    with pytest.raises(InventoryError) as shape:
        load(write('[users]\ncount = "a"\n[token]\nsymbl = 1\n[votes]\nvoters = []'))
    assert {problem.path for problem in shape.value.problems} == {"users.count", "token.symbl", "votes.voters"}
    with pytest.raises(InventoryError) as meaning:
        load(
            write(
                '[token]\nissue = "1 X"\n[topology]\ndegree = 0\n[coordinator]\nlisten = "x"\n[producers]\nelected = 0'
            )
        )
    assert {problem.path for problem in meaning.value.problems} == {
        "token.issue",
        "topology.degree",
        "coordinator.listen",
        "producers.elected",
    }
    assert len(str(meaning.value).splitlines()) == 4


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"[network", "is not TOML: expected ']' at the end of a table declaration (at end of document)"),
        (b"\xff\xfe", "is not UTF-8 (byte 0)"),
        (b"", "network: is missing; it has no default"),
        (b"[network]\n", "network.name: is missing; it has no default"),
        (b"x" * (5 << 20), "is larger than 4 MiB; is this an inventory?"),
        (b"a = " + b"[" * 5000, "is nested too deeply"),
        (b"a = " + b"9" * 5000, "contains a number with thousands of digits"),
    ],
)
def test_no_inventory(content: bytes, expected: str, tmp_path: Path) -> None:
    """A file that is not an inventory gives one line."""
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(InventoryError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: {expected}"


def test_a_missing_key_hides_no_other_mistake(write: Write) -> None:
    """If a key is missing, the rest of the file is still checked, but consequences of the gap are not reported."""
    text = """
[[producers.list]]
url = "https://x"
[[producers.list]]
account = "Alice"
[[hosts]]
local = true
[votes]
voters = -1
"""
    with pytest.raises(InventoryError) as caught:
        load(write(text))
    paths = [problem.path for problem in caught.value.problems]
    assert paths == ["producers.list[0].account", "hosts[0].name", "producers.list[1].account", "votes.voters"]


@pytest.mark.parametrize(
    "text",
    [
        "[producers]\ncount = 1000",
        "[users]\ncount = -1",
        '[[producers.list]]\naccount = "alice"\n[[producers.list]]\naccount = "alice"',
        f'[producers]\nurl = "{"u" * 600}"',
        '[parties]\nwait_for = ["eosio.x"]',
    ],
)
def test_one_mistake_is_reported_once(text: str, write: Write) -> None:
    """A mere consequence of a mistake gets no line of its own."""
    with pytest.raises(InventoryError) as caught:
        load(write(text))
    assert len(caught.value.problems) == 1, str(caught.value)


def test_a_pipe_is_not_an_inventory(tmp_path: Path) -> None:
    """A pipe or a device is refused, because reading it may never end."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(InventoryError, match="is not a file"):
            load(path)


def test_byte_order_mark(tmp_path: Path) -> None:
    """A byte order mark before the first line is accepted."""
    path = tmp_path / "x.toml"
    path.write_bytes(b'\xef\xbb\xbf[network]\r\nname = "x"\r\n')
    assert load(path).name == "x"


def test_missing_file(tmp_path: Path) -> None:
    """A missing file and a folder are one line each."""
    for path, reason in ((tmp_path / "none.toml", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(InventoryError) as caught:
            load(path)
        assert str(caught.value) == f"{path}: cannot be read: {reason}"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("alice,{key}", "line 2: 2 fields, not 3; a line must be: account, public key, balance"),
        ("Alice,{key},5.0000", "line 2: name 'Alice' contains 'A'"),
        ("eosio.rex,{key},5.0000", "line 2: 'eosio.rex' is reserved for the system"),
        ("alice,EOSxyz,5.0000", "line 2: public key 'EOSxyz'"),
        ("alice,{broken},5.0000", "line 2: public key '{broken}' has a wrong checksum"),
        ("alice,{key},5.0", "line 2: '5.0 SYS' has symbol 1,SYS, expected 4,SYS"),
        ("alice,{key},5.0000 EOS", "line 2: '5.0000 EOS' has symbol 4,EOS"),
        ("alice,{key},0.9999", "line 2: 0.9999 SYS does not cover RAM and the minimum stake; 1.0000 SYS does"),
        ("alice,{key},-5.0000", "line 2: -5.0000 SYS does not cover"),
        ("alice,EOSxyz,5.0", "line 2: '5.0 SYS' has symbol 1,SYS, expected 4,SYS"),
        ("alice,{key},5.0000\n\nalice,{key},5.0000", "line 4: alice is listed twice"),
        ('alice,"{key},5.0000', "line 2: unexpected end of data"),
        ("alice,{key},2000000000.0000", ""),
        ("defproducera,{key},5.0000", ""),
    ],
)
def test_csv(row: str, expected: str, write: Write, tmp_path: Path) -> None:
    """A bad row of the users' CSV is reported with its line."""
    broken = key("k")[:-1] + ("a" if key("k")[-1] != "a" else "b")
    (tmp_path / "u.csv").write_text("account,public key,balance\n" + row.format(key=key("k"), broken=broken))
    with pytest.raises(InventoryError) as caught:
        load(write('[users]\ncsv = "u.csv"'))
    if expected:
        assert f"users.csv: u.csv {expected.format(broken=broken)}" in str(caught.value)
    elif row.startswith("defproducera"):
        assert "producers: defproducera is also a user" in str(caught.value)
    else:
        assert "token.issue: users and producers get 2000004000.0000 SYS" in str(caught.value)


def test_csv_many(write: Write, tmp_path: Path) -> None:
    """Of very many bad rows, the first are reported, and the number of the others."""
    (tmp_path / "u.csv").write_text("x\n" * 1000)
    with pytest.raises(InventoryError) as caught:
        load(write('[users]\ncsv = "u.csv"'))
    assert len(caught.value.problems) == 21
    assert "u.csv has 980 more problems" in str(caught.value)
