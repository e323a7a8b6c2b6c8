"""The testbed itself, as far as tests on real hosts rely on it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testbed.realhosts.access import CAREFUL_PASSWORD
from tests.testbed.realhosts.client import SCRIPT, Testbed

SSH_FAILED = 255
CONNECT = "import socket; print(socket.create_connection(('{}', {}), timeout=2).recv(4).decode())"

LISTEN = """
import socket
peer = socket.create_connection(("{}", 22))
peer.recv(1000)
print("connected")
peer.settimeout(3)
try:
    peer.recv(1)
    print("ended")
except TimeoutError:
    print("silence")
except ConnectionError:
    print("reset")
"""


def reach(testbed: Testbed, source: str, target: str, port: int = 22) -> bool:
    """Whether `source` gets an answer from a port of `target`."""
    script = CONNECT.format(testbed.address(target), port)
    return testbed.console(source, f'python3 -c "{script}"', check=False).stdout.strip() == "SSH-"


def wait_for_another_boot(testbed: Testbed, name: str, boot: str) -> str:
    """The boot id of a host, once it differs from `boot`; the last one seen when that takes too long."""
    deadline = time.monotonic() + 60
    seen = boot
    while time.monotonic() < deadline and seen in ("", boot):
        seen = testbed.ssh(name, "cat", "/proc/sys/kernel/random/boot_id", check=False).stdout
    return seen


@pytest.fixture(scope="module")
def pair(testbed: Testbed) -> Iterator[tuple[str, str]]:
    """Two hosts of our own, because these tests harm them: others may be using the rest."""
    first, second = testbed.add(2)
    yield first, second
    testbed.remove(first, second)


def test_hosts_reach_each_other_and_nothing_else(testbed: Testbed, pair: tuple[str, str]) -> None:
    """Two hosts ping and ssh each other; neither has a way to the internet or a name service."""
    first, second = pair
    testbed.ssh(first, "ping", "-c1", "-W2", testbed.address(second))
    jump = f"ssh -i {testbed.key} -o UserKnownHostsFile={testbed.known_hosts} -W %h:%p root@{testbed.address(first)}"
    through_first = ["ssh", "-F", "none", "-i", str(testbed.key), "-o", "BatchMode=yes", "-o",
                     "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={testbed.known_hosts}", "-o",
                     f"ProxyCommand={jump}", f"root@{testbed.address(second)}", "hostname"]  # fmt: skip
    assert subprocess.run(through_first, capture_output=True, text=True, check=True).stdout.strip() == second
    attempts = "ping -c1 -W1 1.1.1.1; getent hosts deb.debian.org; ip route show default"
    outside = testbed.ssh(first, attempts, check=False)
    assert "unreachable" in outside.stderr
    assert not outside.stdout.strip()


def test_cut_and_heal(testbed: Testbed, pair: tuple[str, str]) -> None:
    """A cut host runs on but is out of reach in both directions, over restarts too, until it is healed."""
    first, second = pair
    testbed.cut(second)
    try:
        assert not reach(testbed, first, second)
        assert not reach(testbed, second, first)
        testbed.kill(second)
        testbed.start(second)
        assert not reach(testbed, first, second)
        assert testbed.console(second, "hostname").stdout.strip() == second
    finally:
        testbed.heal(second)
    assert reach(testbed, first, second)
    assert reach(testbed, second, first)


def test_a_killed_host_vanishes_and_keeps_its_disk(testbed: Testbed, pair: tuple[str, str]) -> None:
    """Losing power ends every process silently; the disk is there after the start."""
    first, second = pair
    testbed.ssh(second, "echo kept > /root/witness")
    testbed.ssh(second, "systemd-run", "--quiet", "--unit=witness", "sleep", "600")
    script = f"python3 -uc '{LISTEN.format(testbed.address(second))}'"
    with subprocess.Popen(testbed.ssh_command(first, script), stdout=subprocess.PIPE, text=True) as peer:
        assert peer.stdout is not None
        assert peer.stdout.readline() == "connected\n"
        testbed.kill(second)
        try:
            assert peer.stdout.readline() == "silence\n"
        finally:
            testbed.start(second)
    assert testbed.ssh(second, "cat", "/root/witness").stdout == "kept\n"
    assert testbed.ssh(second, "systemctl", "is-active", "witness", check=False).stdout == "inactive\n"


def test_reboot(testbed: Testbed, pair: tuple[str, str]) -> None:
    """A reboot stops units in order and boots anew; a host that reboots by itself comes back too."""
    first, _ = pair
    unit = "[Service]\\nType=oneshot\\nRemainAfterExit=yes\\nExecStart=/bin/true\\nExecStop=/bin/touch /root/stopped\\n"
    testbed.ssh(first, f"printf '{unit}' > /etc/systemd/system/witness.service && systemctl start witness")
    testbed.reboot(first)
    testbed.ssh(first, "rm", "/root/stopped")
    boot = testbed.ssh(first, "systemctl start witness; cat /proc/sys/kernel/random/boot_id").stdout
    testbed.ssh(first, "systemctl", "reboot", check=False)
    back = wait_for_another_boot(testbed, first, boot)
    assert back != boot
    testbed.ssh(first, "rm", "/root/stopped")


def test_host_keys_are_checked(testbed: Testbed, pair: tuple[str, str], tmp_path: Path) -> None:
    """Each host has a key of its own, which known_hosts has; another host's key in its place is refused."""
    first, second = pair
    known = dict(line.split(" ", 1) for line in testbed.known_hosts.read_text().splitlines())
    one, other = (known[f"{name},{testbed.address(name)}"] for name in pair)
    assert one != other
    wrong = tmp_path / "known_hosts"
    wrong.write_text(f"{testbed.address(first)} {other}\n")
    refused = subprocess.run(
        ["ssh", "-F", "none", "-i", str(testbed.key), "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes",
         "-o", f"UserKnownHostsFile={wrong}", f"root@{testbed.address(first)}", "true"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode == SSH_FAILED
    assert "verification failed" in refused.stderr
    assert testbed.ssh(second, "hostname").stdout.strip() == second


def test_sudo_with_and_without_a_password(testbed: Testbed, pair: tuple[str, str]) -> None:
    """operator becomes root freely; careful only with its password."""
    first, _ = pair
    assert testbed.ssh(first, "sudo", "-n", "id", "-u", user="operator").stdout == "0\n"
    assert testbed.ssh(first, "sudo", "-n", "id", "-u", user="careful", check=False).returncode == 1
    asked = testbed.ssh(first, "sudo", "-S", "id", "-u", user="careful", stdin=CAREFUL_PASSWORD + "\n")
    assert asked.stdout == "0\n"


def test_firewall(testbed: Testbed, pair: tuple[str, str]) -> None:
    """Behind its firewall a host reaches others, and only the named ports of it are reached."""
    first, second = pair
    try:
        testbed.firewall(second, [9876])
        assert not reach(testbed, first, second)
        assert reach(testbed, second, first)
        testbed.firewall(second, [9876, 22])
        assert reach(testbed, first, second)
    finally:
        testbed.firewall(second, None)
    assert reach(testbed, first, second)


def test_one_testbed_at_a_time(testbed: Testbed, pair: tuple[str, str], tmp_path: Path) -> None:
    """Another state folder can neither bring hosts up nor harm these."""
    first, _ = pair
    for verb in (["up", "1"], ["down"]):
        other = subprocess.run(
            ["env", f"TESTBED={tmp_path}", str(SCRIPT), *verb], capture_output=True, text=True, check=False
        )
        assert other.returncode == 1
        assert f"a testbed is up in {testbed.folder.path}" in other.stderr
    assert testbed.ssh(first, "hostname").stdout.strip() == first
