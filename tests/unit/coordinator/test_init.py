"""`coord init` writes an inventory that works, and never overwrites a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from coordinator.cli.main import run
from inventory.load import load
from inventory.template import SHIPPED, Draft

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where coord is typed."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_inventory_is_copied_as_it_is(name: str) -> None:
    """Except for the commands in its comments, which name the copy."""
    assert run(["init", "my.toml", "--from", name]) == 0
    original = (ROOT / "inventory" / f"{name}.toml").read_text()
    assert Path("my.toml").read_text() == original.replace(f"inventory/{name}.toml", "my.toml")
    assert load("my.toml").name == name


def test_a_copy_may_have_another_name() -> None:
    """So that two can run side by side; the file is named after the network."""
    assert run(["init", "--from", "devnet", "--name", "second"]) == 0
    assert load("second.toml").name == "second"


@pytest.mark.parametrize(
    ("options", "nodes", "symbol", "hosts"),
    [
        ([], 5, "SYS", {"local": True}),
        (["--name", "gold", "--producers", "1", "--symbol", "8,GOLD"], 2, "GOLD", {"local": True}),
        (["--producers", "30", "--host", "h1=10.0.0.1", "--host", "h2=b.example"], 31, "SYS", {"h1": 0, "h2": 0}),
    ],
)
def test_what_it_writes_loads(options: list[str], nodes: int, symbol: str, hosts: dict[str, bool]) -> None:
    """With the requested producers, hosts and symbol; without a terminal it asks nothing."""
    assert run(["init", "new.toml", *options]) == 0
    found = load("new.toml")
    assert (len(found.nodes), found.symbol.code) == (nodes, symbol)
    assert {host.name: host.local for host in found.hosts} == hosts
    assert found.parties.sponsor is not None


def test_what_is_commented_out_is_good_too() -> None:
    """Any line of the draft without its # still gives an inventory that loads."""
    text = Draft("net", hosts={"h1": "10.0.0.1"}).text("net.toml")
    lines = [
        line.removeprefix("# ") if line.startswith(("# [", "# ")) and "=" in line else line
        for line in text.splitlines()
    ]
    lines = ["[coordinator]" if line == "# [coordinator]" else line for line in lines if "users.csv" not in line]
    Path("net.toml").write_text("\n".join(lines))
    found = load("net.toml")
    assert (found.listen, found.hosts[0].ssh is not None) == ("0.0.0.0:7000", True)


def test_nothing_is_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    """A file that exists is the user's."""
    Path("devnet.toml").write_text("mine")
    assert run(["init", "--from", "devnet"]) == 2
    assert "devnet.toml is there already" in capsys.readouterr().err
    assert Path("devnet.toml").read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--name", 'a"b'], "network.name"),
        (["--symbol", "4"], "token.symbol"),
        (["--symbol", "12,X"], "token.issue"),
        (["--host", "h1"], "NAME=ADDRESS is expected"),
        (["--host", "h1=10.0.0.1", "--host", "h1=10.0.0.2"], "two hosts called h1"),
        (["--host", "h1=10.0.0"], "hosts[0].address"),
        (["--from", "devnet", "--producers", "3"], "only --name can be used"),
        (["--from", "devnt"], "devnet"),
    ],
)
def test_a_bad_value_writes_nothing(options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It is reported as a mistake of the file that would have been written."""
    assert run(["init", "new.toml", *options]) == 2
    assert said in capsys.readouterr().err
    assert not Path("new.toml").exists()


def test_it_asks_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The answers make the inventory; an empty answer takes the default that is shown."""
    answers = iter(["asked", "", "4,ASK", "h1=10.0.0.1 h2=10.0.0.2"])
    monkeypatch.setattr("coordinator.cli.init._terminal", lambda: True)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: next(answers))
    assert run(["init"]) == 0, capsys.readouterr().err
    found = load("asked.toml")
    assert (found.symbol.code, len(found.producers), len(found.hosts)) == ("ASK", 4, 2)
