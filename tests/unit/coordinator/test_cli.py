"""Wrong input is explained, with status 2, before anything is done."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
from pathlib import Path

import pytest

from boot.audit import AuditError
from coordinator.cli import faults
from coordinator.cli.main import run
from support.json_log import about


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A good one, in the folder where coord is typed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text('[network]\nname = "small"\n')
    return Path("small.toml")


@pytest.mark.parametrize("hours", ["nan", "inf", "0", "-1", "x"])
def test_hours_of_an_invitation(hours: str, inventory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only a positive number of hours is accepted; `nan` is rejected, though click's ranges accept it."""
    assert run(["invite", str(inventory), "alice", "--expires", hours]) == 2
    assert "--expires" in capsys.readouterr().err
    assert not Path(".coord").exists()


@pytest.mark.parametrize(
    ("parties", "account", "waits"),
    [
        ("", "alice1111111", True),
        ('sponsor = "sponsor"', "alice1111111", False),
        ('wait_for = ["alice1111111"]', "alice1111111", False),
    ],
)
def test_an_invitation_that_would_wait_for_ever(
    parties: str, account: str, waits: bool, inventory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The operator is told at once that nobody creates the account, and what to do; the token is valid nevertheless."""
    inventory.write_text(f'[network]\nname = "small"\n[parties]\n{parties}\n')
    assert run(["invite", str(inventory), "alice", "--account", account]) == 0
    said = capsys.readouterr()
    assert "agent serve --join" in said.out
    assert ('write sponsor = "sponsor" under [parties]' in said.err) is waits
    assert run(["invite", str(inventory), "alice", "--account", account, "--json"]) == 0
    assert bool(json.loads(capsys.readouterr().out)["note"]) is waits


def test_a_chain_that_cannot_be_read_is_not_reported_as_a_bug(
    inventory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line has what the audit says of the failing node, without a traceback."""

    async def failing(*_: object) -> None:
        raise AuditError("the chain could not be read, so nothing was judged: get_info: gone")

    monkeypatch.setattr("coordinator.cli.verify.verify", failing)
    assert run(["verify", str(inventory)]) == 1
    assert capsys.readouterr().err == "coord: the chain could not be read, so nothing was judged: get_info: gone\n"
    assert not Path(faults.DEBUG).exists()


def test_forms_of_a_plan(inventory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only one form at a time: --json together with another would not print JSON."""
    assert run(["plan", str(inventory), "--cleos", "--json"]) == 2
    assert "cannot be used together" in capsys.readouterr().err


def test_mistakes_begin_with_the_file(inventory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each mistake of an inventory is a line that begins with the file, so that an editor can jump to it."""
    inventory.write_text("[netwrk]\n[users]\ncount = -1\n")
    assert run(["boot", str(inventory)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert all(line.startswith(f"{inventory}: ") for line in lines)


def test_a_fault_where_nothing_can_be_written(
    inventory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fault of coord itself is one line, even if debug.log cannot be written."""
    monkeypatch.setattr(faults, "DEBUG", "no/such/folder/debug.log")
    monkeypatch.setattr("inventory.load.load", lambda *_: 1 // 0)
    assert run(["plan", str(inventory)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("coord: internal error: ZeroDivisionError")


@pytest.mark.parametrize("answer", ["", "n\n"])
def test_purge_without_a_yes_removes_nothing(
    answer: str, inventory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a no, or from a script that cannot answer, the message names --yes."""
    (state := Path(".coord/small")).mkdir(parents=True)
    (state / "journal.sqlite").touch()
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    assert run(["down", str(inventory), "--purge"]) == 2
    assert capsys.readouterr().err.strip() == "coord: nothing was removed: confirm --purge, or pass --yes"
    assert (state / "journal.sqlite").exists()


def test_a_lost_journal_costs_no_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A purge of one host keeps the CA and the other hosts' keys, whatever the state folder lacks."""
    monkeypatch.chdir(tmp_path)
    hosts = '[[hosts]]\nname = "one"\nlocal = true\n[[hosts]]\nname = "two"\nlocal = true\n'
    Path("two.toml").write_text(f'[network]\nname = "two"\n{hosts}')
    (ca := Path(".coord/two/ca")).mkdir(parents=True)
    assert run(["down", "two.toml", "--purge", "--only", "one", "--yes"]) == 0, capsys.readouterr().err
    assert ca.exists()


def test_a_fault_that_work_goes_on_after_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its traceback goes to debug.log, which keeps earlier ones and stays small; warnings have none."""
    monkeypatch.chdir(tmp_path)
    logger = logging.Logger("there")
    logger.addHandler(faults.Lines())
    for each in ("first", "second"):
        try:
            raise ValueError(f"{each}\nline")
        except ValueError:
            logger.exception("party %s", "a\x1b[2Jb")
    try:
        raise asyncio.CancelledError
    except asyncio.CancelledError:
        logger.exception("a call that coord's end has cut off")
    logger.warning("slow")
    logger.info("nothing")
    assert capsys.readouterr().err.splitlines() == [
        "coord: party a [2Jb: internal error: ValueError: first line; please report it with debug.log",
        "coord: party a [2Jb: internal error: ValueError: second line; please report it with debug.log",
        "coord: slow",
    ]
    assert Path("debug.log").read_text().count("Traceback") == 2
    monkeypatch.setattr(faults, "LIMIT", 10)
    faults.worded(KeyError("third"))
    assert "ValueError" not in Path("debug.log").read_text()


FAR = """
[network]
name = "far"
[[hosts]]
name = "h1"
address = "192.0.2.1"
"""


def test_a_lost_state_folder_keeps_no_host_from_being_cleaned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without it, down says what restores it; a host that is named is still purged, and no new state folder is left
    behind.
    """
    inventory, state, asked = tmp_path / "far.toml", tmp_path / "state", list[object]()
    inventory.write_text(FAR)

    def stop(_state: object, _network: object, only: str | None, purge: bool, _report: object) -> dict[str, Exception]:
        asked.append((only, purge))
        return {}

    monkeypatch.setattr("coordinator.workflows.down.stop_hosts", stop)
    assert run(["--state", str(state), "down", str(inventory), "--purge", "--yes"]) == 0
    assert f"run: coord --state {tmp_path / 'state'} adopt {inventory}" in capsys.readouterr().out
    assert run(["--state", str(state), "down", str(inventory), "--purge", "--yes", "--only", "h1"]) == 0
    assert asked == [("h1", True)]
    assert not (state / "far").exists()
    assert run(["--state", str(state), "down", str(inventory), "--purge", "--yes", "--only", "h7"]) == 2


@pytest.mark.parametrize(
    ("inventory_text", "option"),
    [
        ("", " --peers loopback"),
        ('[parties]\nendpoints = "private"\n', " --peers private"),
        ('[parties]\nendpoints = "public"\n', ""),
    ],
)
def test_an_invitation_before_the_first_boot(
    inventory_text: str, option: str, inventory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It works in an empty folder; its command names the peers' addresses if they are local."""
    inventory.write_text(f'[network]\nname = "small"\n{inventory_text}')
    assert run(["invite", str(inventory), "alice", "--account", "alice1111111"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("agent serve")]
    assert line.endswith(f" --account alice1111111 --p2p HOST:PORT{option}")


def test_a_plan_after_an_invitation_and_before_the_seal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The state folder exists but nothing is sealed: the plan is that of a first boot."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.toml").write_text('[network]\nname = "net"\n')
    assert run(["invite", "net.toml", "alice", "--account", "alice1111111"]) == 0
    capsys.readouterr()
    assert run(["plan", "net.toml"]) == 0
    said = capsys.readouterr()
    assert "[ ] genesis" in said.out
    assert "internal error" not in said.err


def test_logged_warnings_become_objects_where_the_output_is_json(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line each on stderr, with the network and what they are about."""
    lines = faults.Lines()
    monkeypatch.setattr(logging.getLogger(), "handlers", [lines])
    faults.as_json("net")
    with about(host="h1"):
        logging.getLogger("coordinator").warning("its disk\nis full")
    (line,) = capsys.readouterr().err.splitlines()
    found = json.loads(line)
    assert (found["network"], found["host"], found["level"]) == ("net", "h1", "warning")
    assert "is full" in found["message"]
