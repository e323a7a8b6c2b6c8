"""coord wait, env, keys and cleos if no node runs: what is missing, what is printed, and how cleos ended."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from coordinator.cli.main import run
from coordinator.report.shown import ShownStatus
from coordinator.report.status import Phase
from coordinator.workflows.using import cleos
from coordinator.workflows.using.in_use import InUse, keys, url
from coordinator.workflows.watching.waiting import missing
from inventory.load import load
from inventory.network import Network
from support.wallets import address_file

FAR = '[[hosts]]\nname = "h1"\naddress = "10.0.0.1"\nssh.user = "far"\nssh.port = 2222\n'


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Network:
    """On this machine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    Path("small.toml").write_text('[network]\nname = "small"\n')
    return load("small.toml")


def report(phase: str) -> ShownStatus:
    """A status whose head is block 10."""
    return ShownStatus({}, (), Phase(phase), head=10, lib=8, problems=(), left=("handover",))


@pytest.mark.parametrize(
    ("shown", "phase", "block", "lib", "left"),
    [
        (report("live"), "live", None, None, []),
        (report("live"), "voting", 10, 8, []),
        (report("voting"), "voting", None, None, []),
        (report("booting"), "live", None, None, ["the phase is booting, not live, before step handover"]),
        (report("live"), None, 11, 9, ["the head is block 10, not 11", "block 8 is irreversible, not 9"]),
    ],
)
def test_what_is_missing(
    shown: ShownStatus, phase: str | None, block: int | None, lib: int | None, left: list[str]
) -> None:
    """Each requested fact is named until it is true; a later phase counts for an earlier one."""
    assert missing(shown, Phase(phase) if phase else None, block, lib) == left


@pytest.mark.parametrize("words", [["env"], ["keys"], ["cleos"]])
def test_a_network_that_was_never_booted(
    words: list[str], network: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each names the command that helps, and creates no state folder."""
    assert run([words[0], "small.toml", *words[1:]]) == 1
    assert "run: coord boot" in capsys.readouterr().err
    assert not Path(".coord").exists()


def test_wait_gives_up(network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    """In time, with status 1 and what is missing."""
    assert run(["wait", "small.toml", "--seconds", "0.1"]) == 1
    assert "waited 0.1 s for small: the phase is planned, not live" in capsys.readouterr().err


def test_nodes_on_other_hosts(network: Network) -> None:
    """Their API is on their own loopback: the message has the ssh command that forwards it."""
    Path("far.toml").write_text(f'[network]\nname = "far"\n{FAR}')
    far = InUse(load("far.toml"), "00" * 32, (), ())
    node = far.far[-1]
    with pytest.raises(Exception, match=f"ssh -N -L {node.http_port}:127.0.0.1:{node.http_port} -p 2222 far@10"):
        _ = far.url
    assert far.to_json()["url"] is None
    assert {one["url"] for one in far.to_json()["far_nodes"]} == set(map(url, far.far))


def test_private_keys_do_not_show(network: Network) -> None:
    """A repr, as in a log, has no key; a key that a keosd has is not printed as one."""
    folder = Path(".coord/small/hosts/local/keys")
    folder.mkdir(parents=True)
    rows = [{"name": "alice", "pub": "EOS1", "pvt": "5secret"}, {"name": "bob", "pub": "EOS2", "pvt": "keosd"}]
    (folder / "accounts.json").write_text(json.dumps({"users": rows, "producers": []}))
    alice, bob = keys(network, Path(".coord"), [])
    assert (alice.private, bob.private) == ("5secret", None)
    assert "secret" not in repr(alice)
    (folder / "accounts.json").write_text("{")
    with pytest.raises(Exception, match=r"accounts\.json cannot be read"):
        keys(network, Path(".coord"), [])


@pytest.mark.parametrize(
    ("status", "bundled", "out", "err", "shown"),
    [
        (0, True, b"", b"", 0),
        (1, True, b"", b"Error 3060002", 1),
        (-signal.SIGSEGV, True, b"{}", b"", 0),
        (-signal.SIGABRT, True, b"", b"executed transaction: 00", 0),
        (-signal.SIGSEGV, True, b"", b"", 139),
        (-signal.SIGSEGV, True, b"{}", b"Error 3050003", 139),
        (-signal.SIGSEGV, False, b"{}", b"", 139),
        (-signal.SIGKILL, True, b"{}", b"", 137),
    ],
)
def test_how_cleos_ended(status: int, bundled: bool, out: bytes, err: bytes, shown: int) -> None:
    """Only the bundled cleos' crash after its work is forgiven."""
    assert cleos.ended(status, bundled, out, err).status == shown


def test_cleos_beside_the_inventorys_nodeos(
    tmp_path: Path, network: Network, capfd: pytest.CaptureFixture[str]
) -> None:
    """If a nodeos is named, its own cleos is run; its output and status are passed on."""
    (own := tmp_path / "bin").mkdir()
    (own / "cleos").write_text("#!/bin/sh\necho said $1\necho complained >&2\nexit 3\n")
    (own / "cleos").chmod(0o755)
    Path("own.toml").write_text(f'[network]\nname = "own"\n[nodeos]\npath = "{own}/nodeos"\n')
    words, bundled = cleos.program(load("own.toml"), lambda line: None)
    assert (words, bundled) == ((f"{own}/cleos",), False)
    with (
        pytest.MonkeyPatch.context() as patch,
        os.fdopen(1, "w", closefd=False) as out,
        os.fdopen(2, "w", closefd=False) as err,
    ):
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        assert cleos.run([*words, "this"], bundled).status == 3
    said = capfd.readouterr()
    assert (said.out, said.err) == ("said this\n", "complained\n")


def test_the_wallet_counts_while_its_keosd_listens(network: Network, tmp_path: Path) -> None:
    """The address that `agent wallet` recorded, TCP or socket; none if nothing listens there."""
    assert cleos.wallet_url(network) is None
    note = address_file("bootcoord-small")
    note.parent.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as there:
        address = f"http://127.0.0.1:{there.getsockname()[1]}"
        note.write_text(f"{address}\n")
        assert cleos.wallet_url(network) == address
    assert cleos.wallet_url(network) is None
    path = tmp_path / "keosd.sock"
    with socket.socket(socket.AF_UNIX) as there:
        there.bind(str(path))
        there.listen()
        note.write_text(f"{path}\n")
        assert cleos.wallet_url(network) == f"unix://{path}"
