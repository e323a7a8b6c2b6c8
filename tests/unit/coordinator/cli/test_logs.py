"""`coord logs`: of one log or several, on this machine or other hosts, merged, filtered and folded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coordinator.cli.main import run
from coordinator.hosts.deploy.errors import HostUnreachable
from tests.unit.coordinator.home import Home
from tests.waiting import until

KEY = "5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3"
BLOCK = "info  2026-11-28T10:00:0{}.000 nodeos    producer_plugin.cpp:777  on_incoming_block ] Received block #{}"
CLOSING = 'info  2026-11-28T10:00:0{}.000 net-1     net_plugin.cpp:1319  _close  ] ["h:1" - 3 :] closing'
ERROR = "error 2026-11-28T10:00:0{}.000 nodeos    chain_plugin.cpp:1  f ] Unlinkable block\n    at {}"


def write(home: Home, host: str, path: str, *lines: str) -> Path:
    """A log of a host of this machine."""
    file = home.state / "hosts" / host / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{line}\n" for line in lines))
    return file


@pytest.fixture
def logs(home: Home) -> Home:
    """The genesis node's log, a producer's, and an agent's."""
    write(home, "one", "nodes/genesis/log/nodeos.log", BLOCK.format(1, 11), CLOSING.format(2), ERROR.format(5, "x.cpp"))
    write(home, "two", "nodes/defproducera/log/nodeos.log", CLOSING.format(3), BLOCK.format(4, 12), BLOCK.format(6, 13))
    write(home, "two", "agent.log", "2026-11-28T10:00:04.500Z WARNING no coordinator", f"with {KEY}")
    return home


def test_logs_of_several_nodes_are_merged_by_time_and_folded(logs: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """A line without a time stays with the line before it; keys are not shown."""
    assert run(["logs", "home.toml"]) == 0
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "genesis      | " + BLOCK.format(1, 11),
        "               ... 2 lines about connections to peers (defproducera 1, genesis 1)",
        "defproducera | " + BLOCK.format(4, 12),
        "agent@two    | 2026-11-28T10:00:04.500Z WARNING no coordinator",
        "agent@two    | with (private key)",
        "genesis      | " + ERROR.format(5, "x.cpp").splitlines()[0],
        "genesis      |     at x.cpp",
        "defproducera | " + BLOCK.format(6, 13),
    ]


def test_lines_are_chosen_by_number_and_level(logs: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """-n counts the lines shown; a line without a level has that of the line before it."""
    assert run(["logs", "home.toml", "-n", "2"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "genesis      |     at x.cpp",
        "defproducera | " + BLOCK.format(6, 13),
    ]
    assert run(["logs", "home.toml", "--level", "error", "genesis", "agent@two"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "genesis   | " + ERROR.format(5, "x.cpp").splitlines()[0],
        "genesis   |     at x.cpp",
    ]
    assert run(["logs", "home.toml", "genesis", "--chatter", "-n", "4"]) == 0
    assert CLOSING.format(2) in capsys.readouterr().out.splitlines()
    assert run(["logs", "home.toml", "-n", "0"]) == 0
    assert capsys.readouterr().out == ""


def test_lines_as_json(logs: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line is an object."""
    assert run(["logs", "home.toml", "--json", "-n", "7"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert found[0] == {"folded": {"defproducera": 1, "genesis": 1}}
    assert found[2] == {
        "source": "agent@two",
        "time": "2026-11-28T10:00:04.500",
        "level": "warn",
        "text": "2026-11-28T10:00:04.500Z WARNING no coordinator",
    }


def test_a_log_that_is_not_there(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """For an unknown name the known ones are listed; for a node that never ran, its path."""
    assert run(["logs", "home.toml", "gensis", "agent@three"]) == 2
    assert "there is no node 'gensis', 'agent@three'; known: genesis, " in capsys.readouterr().err
    assert run(["logs", "home.toml", "genesis"]) == 1
    file = home.state / "hosts/one/nodes/genesis/log/nodeos.log"
    assert capsys.readouterr().err == f"coord: genesis has written no log yet ({file})\n"
    assert run(["logs", "home.toml"]) == 1
    assert "no node or agent of home has written a log yet" in capsys.readouterr().err
    write(home, "two", "agent.log", "2026-11-28T10:00:04.500Z INFO here")
    assert run(["logs", "home.toml"]) == 0


def test_a_log_is_followed_until_ctrl_c(logs: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """First its last lines, then new ones; in the end its `tail` ends as well."""
    shown: list[str] = []
    file = logs.state / "hosts/one/nodes/genesis/log/nodeos.log"

    def echo(text: str = "", **_: Any) -> None:
        shown.append(text)
        if "x.cpp" in text:
            with file.open("a") as log:
                log.write(BLOCK.format(7, 14) + "\n")
        if "#14" in text:
            raise KeyboardInterrupt

    monkeypatch.setattr("click.echo", echo)
    assert run(["logs", "home.toml", "genesis", "-n", "1", "-f"]) == 130
    assert shown[:2] == ["    at x.cpp", BLOCK.format(7, 14)]
    until(lambda: not _tails(file), "tail ends")


def test_a_slow_logs_older_lines_are_no_news(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """-n counts over all logs that are followed, also if one of them is heard seconds after the others."""
    clock = Ticking()

    class Deployment:
        def logs(self, host: Any, node: str, *, lines: int, follow: bool) -> Iterator[bytes]:
            late = host.name == "h2"
            if late:
                until(lambda: clock.now > 3, "the other log's lines are held long enough")
            yield "".join(BLOCK.format(second, second) + "\n" for second in ((1, 2, 3) if late else (5, 6))).encode()
            until(lambda: clock.now > 6, "both logs are shown")
            yield (BLOCK.format(8 - late, 8 - late) + "\n").encode()

    monkeypatch.setattr("coordinator.cli.logs.deployment", lambda *_: Deployment())
    monkeypatch.setattr("coordinator.cli.logs.time", clock)
    monkeypatch.setattr("coordinator.cli.logs.LOOK_SECONDS", 0.01)
    hosts = "".join(f'[[hosts]]\nname = "h{n}"\naddress = "192.0.2.{n}"\n' for n in (1, 2))
    Path("far.toml").write_text(f'[network]\nname = "far"\n{hosts}')
    assert run(["logs", "far.toml", "genesis", "agent@h2", "-n", "2", "-f"]) == 0
    shown = [line.partition(" | ")[2] for line in capsys.readouterr().out.splitlines()]
    assert shown == [BLOCK.format(second, second) for second in (5, 6, 7, 8)]


class Ticking:
    """A clock on which a tenth of a second passes each time it is read."""

    now = 0.0

    def monotonic(self) -> float:
        self.now += 0.1
        return self.now


def _tails(file: Path) -> list[str]:
    lines = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(entry.read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return [line for line in lines if line.startswith("tail ") and str(file) in line]


def test_logs_of_far_hosts_come_over_ssh(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each log is read on its node's host; an unreachable host does not keep the other logs from being shown."""
    asked: list[tuple[str, str, bool]] = []

    class Deployment:
        def logs(self, host: Any, node: str, *, lines: int, follow: bool) -> Iterator[bytes]:
            asked.append((host.name, node, follow))
            if host.name == "h2":
                raise HostUnreachable("no SSH server answers at 192.0.2.2:22")
            yield BLOCK.format(1, 11).encode()[:50]
            yield BLOCK.format(1, 11).encode()[50:]

    monkeypatch.setattr("coordinator.cli.logs.deployment", lambda *_: Deployment())
    hosts = "".join(f'[[hosts]]\nname = "h{n}"\naddress = "192.0.2.{n}"\n' for n in (1, 2))
    Path("far.toml").write_text(f'[network]\nname = "far"\n{hosts}')
    assert run(["logs", "far.toml", "genesis", "agent@h2"]) == 1
    said = capsys.readouterr()
    assert said.out == f"genesis  | {BLOCK.format(1, 11)}\n"
    assert said.err == "coord: agent@h2: no SSH server answers at 192.0.2.2:22\n"
    assert sorted(asked) == [("h1", "genesis", False), ("h2", "", False)]
