"""Settings and policies of any shape: each is read, or refused in one line that names the file."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.config import DataFolder
from agent.errors import ConfigError
from agent.party.settings import read_file, settle
from tests.unit.hostile import outcome

GOOD = """\
account = "alice1111111"
p2p = "p2p.alice.example:9876"
location = 7
url = "https://alice.example"
[options]
max-clients = 30
[policy]
approve = "ask"
claimrewards = false
"""
SMALL = ("[" * 30, "{a = " * 30, "a." * 30, "9" * 80, '"' * 3, "=", "\n", "nan", "[[", "\\ud800")
HOSTILE = (
    "[" * 50_000,
    "x = " + "[" * 50_000 + "]" * 50_000,
    "x = " + "{a = " * 5_000 + "1" + "}" * 5_000,
    ".".join(["a"] * 2_000) + " = 1",
    "location = 1" + "0" * 400,
    "location = 1" + "0" * 5000,
    "location = 1e400",
    "location = nan",
    "location = true",
    "location = 1979-05-27T07:32:00Z",
    "location = 99999-99-99",
    "account = ['a']",
    'account = "\\ud800"',
    "[policy]\napprove = 1",
    '[policy]\napprove = "code:' + "a=" + "0" * 100_000 + '"',
    "[policy]\nsteal = true",
    "policy = 5",
    "options = [1]",
    '[options]\nplugin = "eosio::x"',
    "\x00",
    "\ufeff\ufeff",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_each_is_one_short_line(tmp_path: Path, text: str) -> None:
    """Deep nesting, many digits, wrong kinds, control characters, dates: always a ConfigError, and a short one."""
    path = tmp_path / "party.toml"
    for content in (text, f"{text}\n{GOOD}", f"{GOOD}\n{text}"):
        path.write_bytes(content.encode("utf-8", "surrogatepass"))
        outcome(lambda: settle({**read_file(path), "p2p": "h.example:1", "account": "alice"}), ConfigError)
        outcome(lambda: settle(read_file(path)), ConfigError)
        (tmp_path / "agent.toml").write_bytes(path.read_bytes())
        with pytest.raises(ConfigError):
            DataFolder(tmp_path).read()


@settings(max_examples=400)
@given(st.integers(0, len(GOOD)), st.text(max_size=6) | st.sampled_from(SMALL), st.integers(0, 6))
def test_a_file_that_was_changed_anywhere(at: int, new: str, cut: int) -> None:
    """Some characters exchanged for others."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "party.toml"
        path.write_bytes((GOOD[:at] + new + GOOD[at + cut :]).encode("utf-8", "surrogatepass"))
        outcome(lambda: settle(read_file(path)), ConfigError)
