"""Wrong input and bad luck through the command line: a clear line each, the right status, nothing left running."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from coordinator.cli.main import COMMANDS, NO_INVENTORY, run
from tests.live.coordinator.network import Done, MakeNetwork, Network

ALL_AT_ONCE = """
[network]
name = "wrong"
colour = "blue"

[token]
symbol = "4,SYS"
max_supply = "10000000000.000 SYS"
reserve = 5

[genesis]
timestamp = "yesterday"

[users]
count = "many"

[producers]
count = 2

[[producers.list]]
account = "Alice"

[[hosts]]
name = "here"
local = true

[[hosts]]
name = "here"
local = true

[[nodes]]
role = "genesis"
p2p_port = 9876

[[nodes]]
account = "defproducera"
p2p_port = 9876
"""
PLACES = (
    "network.colour", "token.max_supply", "token.reserve", "genesis.timestamp", "users.count",
    "producers.list[0].account", "hosts[1].name", "nodes[1].p2p_port",
)  # fmt: skip


def lines_of(done: Done, status: int) -> list[str]:
    """What was said on stderr; the status is as it should be."""
    assert done.status == status, done.text
    return done.err.splitlines()


def nothing_runs(network: Network) -> bool:
    """Whether no process of the network lives."""
    return not network.living()


def test_every_mistake_of_a_file_at_once(make_network: MakeNetwork) -> None:
    """Each mistake has a line with its place, whichever command reads the file; status 2 and nothing is made."""
    network = make_network("wrong")
    network.inventory.write_text(ALL_AT_ONCE)
    for command in ("boot", "plan", "status", "verify", "down"):
        lines = lines_of(network.coord(command), 2)
        assert [place for place in PLACES if not any(place in line for line in lines)] == []
        assert all("wrong.toml" in line for line in lines)
    assert not (network.folder / ".coord").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "network"),
        ("[network\n", "line 1"),
        ('[network]\nname = "x"\n[contracts]\ndirectory = "nowhere"\n', "nowhere"),
        ('[network]\nname = "x"\n[users]\ncsv = "absent.csv"\n', "absent.csv"),
        ('[network]\nname = "x"\n[users]\ncsv = "rows.csv"\n', "line 2"),
        ('[network]\nname = "x"\n[votes]\nvoters = 0\n', "votes"),
    ],
    ids=["empty", "syntax", "contracts", "no-csv", "bad-row", "no-votes"],
)  # fmt: skip
def test_one_mistake(make_network: MakeNetwork, text: str, said: str) -> None:
    """A mistake of its own kind: status 2, and what is wrong is named."""
    network = make_network("one")
    (network.folder / "rows.csv").write_text("account,key,balance\nalice,EOS123,1.0000\n")
    network.inventory.write_text(text)
    lines = lines_of(network.coord("boot"), 2)
    assert any(said in line for line in lines), lines


def test_usage(make_network: MakeNetwork) -> None:
    """Commands, options and files that there are not: status 2 and one line that helps."""
    network = make_network("usage")
    assert "there is no command 'bot'; did you mean boot?" in network.coord("bot").err
    assert network.coord("bot").status == 2
    assert "cannot be read" in "".join(lines_of(network.coord("boot"), 2))
    network.write()
    for options in (("--until", "nonsense"), ("--only", "nonsense")):
        (line,) = lines_of(network.coord("boot", *options), 2)
        assert "system-accounts" in line
    assert "used together" in "".join(lines_of(network.coord("boot", "--until", "votes", "--only", "votes"), 2))
    (line,) = lines_of(network.coord("boot", "--only", "votes"), 2)
    assert "--until votes" in line
    (line,) = lines_of(network.coord("boot", "--only", "claim"), 2)
    assert "--until handover" in line
    assert nothing_runs(network)


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    """`coord --help` names every command; each command's --help has an example of it."""
    assert run(["--help"]) == 0
    overview = capsys.readouterr().out
    for name in COMMANDS:
        assert f"\n  {name} " in overview
        assert run([name, "--help"]) == 0
        shown = capsys.readouterr().out
        example = f"coord {name} " if name in NO_INVENTORY else f"coord {name} inventory/"
        assert example in shown.partition("\n")[2], name


def test_taken_port(make_network: MakeNetwork) -> None:
    """A port that somebody has is named, with who has it, before anything starts; status 1."""
    network = make_network("taken")
    network.write()
    with socket.create_server(("127.0.0.1", network.ports["defproducera"][0])):
        done = network.coord("boot")
    assert done.status == 1, done.text
    assert str(network.ports["defproducera"][0]) in done.err
    assert nothing_runs(network)
    assert not (network.data / "nodes").exists()


def test_nodeos_that_cannot_be_used(make_network: MakeNetwork) -> None:
    """A nodeos that is not there, and one that is too old: said before anything starts, and nothing stays."""
    network = make_network("nodeos")
    old = network.folder / "nodeos"
    old.write_text("#!/bin/sh\necho v1.8.14\n")
    old.chmod(0o755)
    for path, said in (("/nowhere/nodeos", "/nowhere/nodeos"), (str(old), "1.8.14")):
        network.write(f'[nodeos]\npath = "{path}"')
        done = network.coord("boot")
        assert done.status == 1, done.text
        assert said in done.err
        assert nothing_runs(network)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_full_disk(make_network: MakeNetwork) -> None:
    """Too little space is named before anything starts; what is there can be looked at and removed all the same."""
    network = make_network("full")
    network.write()
    (network.folder / ".coord").mkdir()
    with small_disk(network.folder / ".coord"):
        done = network.coord("boot")
        assert done.status == 1, done.text
        assert "disk" in done.err or "space" in done.err
        assert nothing_runs(network)
        network.down()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_disk_that_fills_up(make_network: MakeNetwork) -> None:
    """A disk that fills up in the middle ends the boot soon, with host and reason; with space again, it carries on."""
    network = make_network("filling")
    network.write()
    hosts = network.data.parent
    hosts.mkdir(parents=True)
    with small_disk(hosts, "1500m"), ExitStack() as ending:
        ending.callback(network.coord, "down")
        boot = network.start("boot", "--until", "standby-nodes")
        boot.await_text("privileges")
        size = shutil.disk_usage(hosts).used + (2 << 20)
        subprocess.run(["mount", "-o", f"remount,size={size}", str(hosts)], check=True)
        done = boot.wait(60)
        assert done.status == 1, done.text
        failed = re.findall(r"^FAILED (\S+): local: .*full: .*free some space", done.text, re.MULTILINE)
        assert "standby-nodes" in failed, done.text
        subprocess.run(["mount", "-o", "remount,size=1500m", str(hosts)], check=True)
        network.boot("--until", "standby-nodes")


@contextmanager
def small_disk(folder: Path, size: str = "8m") -> Iterator[None]:
    """A file system of that size, mounted there."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_sealed_part_changed(make_network: MakeNetwork) -> None:
    """What was sealed cannot change: status 2, the part is named, and what to do. A port may change."""
    network = make_network("sealed")
    network.write()
    network.boot("--until", "genesis")
    network.replace("count = 20", "count = 21")
    (line,) = lines_of(network.coord("boot"), 2)
    assert "users: undo the edit" in line
    assert "purge" not in line
    assert lines_of(network.coord("verify"), 2) == [line]
    network.replace("count = 21", "count = 20")
    refused = network.coord("down", "--purge", stdin="n\n")
    assert refused.status != 0
    assert "cannot be undone" in refused.out
    assert network.processes()["genesis"].alive


def test_what_only_agents_find(make_network: MakeNetwork) -> None:
    """An initial_key that is not the genesis node's, an accounts.json that is none: one line, and no agent stays."""
    network = make_network("found")
    (network.folder / "rows.csv").write_text("account,key,balance\n")
    network.write('[genesis]\ninitial_key = "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV"')
    (line,) = lines_of(network.coord("boot"), 2)
    assert "genesis.initial_key" in line
    assert nothing_runs(network)
    network.write(users='accounts_json = "rows.csv"')
    (line,) = lines_of(network.coord("boot"), 1)
    assert "rows.csv, line 1: not JSON" in line
    assert nothing_runs(network)


def test_an_option_that_nodeos_refuses(make_network: MakeNetwork) -> None:
    """It is named before anything is sealed, and with another value the same folder boots: also with long
    transactions, and in a folder whose name nodeos itself cannot read.
    """
    network = make_network("options")
    network.folder /= "a földer, with blanks"
    network.folder.mkdir()
    network.write("[nodeos]\noptions = { net-threads = 0, max-transaction-time = 1000 }")
    (line,) = lines_of(network.coord("boot"), 1)
    assert "net-threads 0 must be greater than 0" in line
    assert not (network.state / "sealed.json").exists()
    assert nothing_runs(network)
    network.replace("net-threads = 0", "net-threads = 2")
    network.boot("--until", "producer-nodes")


def test_an_agent_that_is_killed_before_the_seal(make_network: MakeNetwork) -> None:
    """It is started again, and the boot goes on; a purge also empties the folder that its data is a link to."""
    network = make_network("killed")
    network.write()
    elsewhere = network.folder / "elsewhere"
    elsewhere.mkdir()
    network.data.parent.mkdir(parents=True)
    network.data.symlink_to(elsewhere)
    boot = network.start("boot", "--until", "genesis")
    boot.await_text("collecting")
    os.kill(network.processes()["agent"].pid, signal.SIGKILL)
    done = boot.wait()
    assert done.status == 0, done.text
    assert "is started again" in done.text
    assert network.coord("down", "--purge", "--yes").status == 0
    assert not elsewhere.exists()


def test_two_coords_at_once(make_network: MakeNetwork) -> None:
    """While one boots, another says so in one line; `status` and `down` meanwhile answer, too."""
    network = make_network("twice")
    network.write()
    first = network.start("boot")
    first.await_text("collecting")
    second = network.start("boot")  # waits a little, as the other could be one that only looks
    (line,) = lines_of(network.coord("down"), 1)
    assert str(first.pid) in line
    document = network.document("status")
    assert document["network"] == "twice"
    assert document["phase"] in ("planned", "booting", "down")
    watching = network.start("status", "--watch")
    watching.await_match(r"^twice: (booting|voting|live)")
    watching.interrupt()
    assert watching.wait(20).status == 0
    done = second.wait(20)
    assert done.status == 1
    assert re.fullmatch(rf"coord: another coord .*{first.pid}.*\n", done.text)
    first.interrupt()
    first.wait(20)
