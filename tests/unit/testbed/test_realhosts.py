"""The testbed's parts that need no root and no host."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.testbed.realhosts import access, capability, cli, network, process
from tests.testbed.realhosts.settings import MISUSED, UNABLE, Folder, Host, TestbedError

NOBODY = 65534


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process to aim at."""
    with subprocess.Popen(["sleep", "60"]) as child:
        yield child
        child.kill()


def test_a_hosts_identity_follows_from_its_number() -> None:
    """Name, address, hardware address and link of a host are those that the usage text promises."""
    host = Host.named("h16")
    assert (host.name, host.address, host.mac, host.link) == ("h16", "10.99.0.26", "02:10:99:00:00:1a", "tbv16")


@pytest.mark.parametrize("name", ["", "h", "h0", "h01", "h245", "h1 ", "../h1", "x1", "h1\n"])
def test_other_names_are_refused(name: str) -> None:
    """Nothing but h1 to h244 becomes a path or an argument."""
    with pytest.raises(TestbedError) as caught:
        Host.named(name)
    assert caught.value.status == MISUSED


@pytest.mark.parametrize("path", ["relative", "/a,b", "/a:b", "/a b"])
def test_state_folders_that_overlay_options_cannot_hold_are_refused(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """TESTBED with a comma, colon or space, or relative, is a usage error."""
    monkeypatch.setenv("TESTBED", path)
    assert cli.main(["list"]) == MISUSED


def test_a_reused_pid_is_not_signalled(sleeper: subprocess.Popen[bytes]) -> None:
    """A process with the same pid and another start time is neither alive nor killed; the right one is."""
    right = process.identify(sleeper.pid)
    assert right is not None
    former = dataclasses.replace(right, started=right.started - 1)
    former.signal(signal.SIGKILL)
    assert not former.alive
    assert former.wait_end(0)
    assert right.alive
    assert not right.wait_end(0)
    process.kill_all(lambda: [right] if right.alive else [])
    assert not right.alive  # a zombie until the fixture reaps it: dead to us


def test_a_saved_process_is_found_again_only_while_it_runs(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """What one run wrote down, another finds, unless the process ended or the file is damaged."""
    saved = tmp_path / "process.json"
    running = process.identify(sleeper.pid)
    assert running is not None
    running.save(saved)
    assert process.Process.load(saved) == running
    sleeper.kill()
    assert running.wait_end(5)
    assert process.Process.load(saved) is None
    saved.write_text("{}")
    assert process.Process.load(saved) is None


def test_a_tree_starts_with_the_parent() -> None:
    """A process and its descendants are found, the parent first: it must not restart what dies."""
    with subprocess.Popen(["sh", "-c", "sleep 60 & echo; wait"], stdout=subprocess.PIPE) as shell:
        assert shell.stdout is not None
        shell.stdout.readline()
        root = process.identify(shell.pid)
        assert root is not None
        found = process.tree(root)
        names = [Path(f"/proc/{each.pid}/comm").read_text().strip() for each in found]
        process.kill_all(lambda: [each for each in found if each.alive])
    assert names == ["sh", "sleep"]


def test_firewall_rules() -> None:
    """Closed means answers, loopback and the ports; open lets all in, and tracks connections as well."""
    closed, bare, opened = (network.input_rules(ports) for ports in ([9876, 22], [], None))
    assert "policy drop" in closed
    assert "tcp dport { 9876, 22 } accept" in closed
    assert "policy drop" in bare
    assert "dport" not in bare
    assert "policy accept" in opened
    assert all("ct state established,related accept" in rules for rules in (closed, bare, opened))


def test_known_hosts_comes_from_the_hosts_disks(tmp_path: Path) -> None:
    """Each host's own public key is listed by name and address; one that has none yet is left out."""
    folder = Folder(tmp_path)
    for name, key in (("h2", "AAAAtwo"), ("h10", "AAAAten"), ("h3", None)):
        path = (folder.home(Host.named(name)) / "upper" / access.HOST_KEY).with_suffix(".pub")
        path.parent.mkdir(parents=True)
        if key:
            path.write_text(f"ssh-ed25519 {key} root@{name}\n")
    access.write_known_hosts(folder)
    assert folder.known_hosts.read_text() == ("h2,10.99.0.12 ssh-ed25519 AAAAtwo\nh10,10.99.0.20 ssh-ed25519 AAAAten\n")


def test_the_ssh_client_never_trusts_the_network(tmp_path: Path) -> None:
    """The client checks host keys against our file alone, and asks for nothing."""
    folder = Folder(tmp_path)
    with pytest.raises(TestbedError, match="no testbed"):
        access.ssh_command(folder, Host(1))
    folder.known_hosts.touch()
    command = access.ssh_command(folder, Host(1), user="operator")
    for option in ("StrictHostKeyChecking=yes", f"UserKnownHostsFile={folder.known_hosts}", "BatchMode=yes"):
        assert option in command
    assert command[-1] == "operator@10.99.0.11"


@pytest.mark.parametrize(
    "arguments",
    [[], ["up"], ["up", "0"], ["up", "245"], ["up", "-1"], ["up", "hx"], ["firewall", "h1"], ["console", "h1"]],
)
def test_wrong_usage_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A command line that means nothing changes nothing, and says so on stderr."""
    assert cli.main(arguments) == MISUSED
    captured = capsys.readouterr()
    assert captured.err
    assert not captured.out


def test_without_root_it_cannot_run_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody but root gets one reason, with the status that means unable."""
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    assert capability.reasons_against(Folder(tmp_path)) == ["it needs root: name spaces, mounts and containers"]
    for verb in (["check"], ["up", "1"], ["down"]):
        assert cli.main(verb) == UNABLE


def test_two_runs_at_a_time_install_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a new machine, tests side by side begin at the same moment: one installs, the other waits for it."""
    missing, both, commands = ["debootstrap"], threading.Barrier(2), list[tuple[str, ...]]()

    def run(*command: str) -> None:
        commands.append(command)
        if "install" in command:
            missing.clear()

    def seen(folder: Folder) -> list[str]:
        if missing:
            both.wait(10)
        return []

    monkeypatch.setattr(capability, "INSTALLING", tmp_path / "lock")
    monkeypatch.setattr(capability, "missing_packages", lambda: list(missing))
    monkeypatch.setattr(capability, "reasons_against", seen)
    monkeypatch.setattr(capability, "run", run)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(capability.require, [Folder(tmp_path)] * 2))
    assert [command[-1] for command in commands] == ["update", "debootstrap"]
