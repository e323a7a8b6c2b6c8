"""Which hosts the coordinator trusts over SSH, and how it becomes root, tested on real sshds."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.hosts.deploy.connection import GONE_SECONDS, KEEPALIVE_SECONDS, HostConnection
from coordinator.hosts.deploy.errors import CommandFailed, DeployError, HostKeyRefused, LoginRefused
from coordinator.hosts.deploy.privileged import Privileged
from coordinator.hosts.deploy.tunnels import Tunnels
from inventory.network import Host, HostKeyPolicy, Ssh, Sudo
from tests.testbed.realhosts.access import CAREFUL, CAREFUL_PASSWORD
from tests.testbed.realhosts.client import Testbed

WRONG = "SHA256:" + "A" * 43


@pytest.fixture(scope="module")
def pair(testbed: Testbed) -> Iterator[list[str]]:
    """Two hosts that no other test uses."""
    names = testbed.add(2)
    yield names
    testbed.remove(*names)


@pytest.fixture
def ssh(testbed: Testbed, pair: list[str]) -> Ssh:
    """The first host, as an inventory has it."""
    return Ssh(testbed.address(pair[0]), key=testbed.key, known_hosts=testbed.known_hosts)


def whoami(ssh: Ssh) -> str:
    """The user that we are logged in as."""
    with HostConnection(ssh) as connection:
        return connection.command(["whoami"], seconds=10).stdout.decode().strip()


def host_fingerprint(testbed: Testbed, name: str) -> str:
    """The fingerprint, computed on the host itself."""
    return testbed.ssh(name, "ssh-keygen", "-lf", "/etc/ssh/ssh_host_ed25519_key.pub").stdout.split()[1]


def test_a_wrong_host_key_ends_it_before_the_login(testbed: Testbed, pair: list[str], ssh: Ssh, tmp_path: Path) -> None:
    """A changed key gives one line with both fingerprints; accept-new does not help; there was no login."""
    lines = testbed.known_hosts.read_text().splitlines()
    other = next(line for line in lines if testbed.address(pair[1]) in line.split()[0])
    known = tmp_path / "known_hosts"
    known.write_text(f"{ssh.address} {' '.join(other.split()[1:])}\n")
    logins = "journalctl --no-pager -t sshd | grep -c Accepted"
    count = int(testbed.ssh(pair[0], logins).stdout)
    for policy in HostKeyPolicy:
        with pytest.raises(HostKeyRefused) as refused:
            whoami(replace(ssh, known_hosts=known, host_key=policy))
        assert "\n" not in str(refused.value)
        assert host_fingerprint(testbed, pair[0]) in str(refused.value)
        assert host_fingerprint(testbed, pair[1]) in str(refused.value)
    assert int(testbed.ssh(pair[0], logins).stdout) == count + len(HostKeyPolicy) + 1


@pytest.mark.advice(
    "coordinator/hosts/deploy: no host key of … is known, and it shows …: if that is right, add it "
    'to …, or write fingerprint = "…" in the inventory',
)
def test_an_unknown_host_is_refused_unless_new_ones_are_accepted(testbed: Testbed, ssh: Ssh, tmp_path: Path) -> None:
    """accept-new records the key, and from then on a strict connection works."""
    known = tmp_path / "folder" / "known_hosts"
    with pytest.raises(HostKeyRefused, match="no host key of") as refused:
        whoami(replace(ssh, known_hosts=known))
    assert not known.exists()
    advised = re.search(r'fingerprint = "(.+?)"', str(refused.value))
    assert advised
    assert whoami(replace(ssh, known_hosts=known, fingerprint=advised[1])) == "root"
    assert whoami(replace(ssh, known_hosts=known, host_key=HostKeyPolicy.ACCEPT_NEW)) == "root"
    assert whoami(replace(ssh, known_hosts=known)) == "root"
    assert len(known.read_text().splitlines()) == 1


def test_a_fingerprint_stands_in_for_known_hosts(testbed: Testbed, pair: list[str], ssh: Ssh, tmp_path: Path) -> None:
    """The right one replaces known_hosts; a wrong one refuses even a known host."""
    nobody = tmp_path / "known_hosts"
    assert whoami(replace(ssh, known_hosts=nobody, fingerprint=host_fingerprint(testbed, pair[0]))) == "root"
    with pytest.raises(HostKeyRefused, match="the inventory has"):
        whoami(replace(ssh, fingerprint=WRONG))


def test_a_jump_host_is_verified_too(testbed: Testbed, pair: list[str], ssh: Ssh) -> None:
    """A host is reached through a jump host, but not if the jump host shows another key."""
    jump = replace(ssh, address=testbed.address(pair[1]))
    assert whoami(replace(ssh, jump=jump)) == "root"
    with pytest.raises(HostKeyRefused, match=testbed.address(pair[1])):
        whoami(replace(ssh, jump=replace(jump, fingerprint=WRONG)))


def test_proxyjump_of_ssh_config_is_verified_too(
    testbed: Testbed, pair: list[str], ssh: Ssh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ssh_config's jump host must be known like the host itself."""
    (tmp_path / ".ssh").mkdir()
    config = f"Host *\n  ProxyJump root@{testbed.address(pair[1])}\n"
    (tmp_path / ".ssh" / "config").write_text(config)
    monkeypatch.setenv("HOME", str(tmp_path))
    with HostConnection(ssh) as connection:
        came_from = connection.command(["sh", "-c", "echo $SSH_CLIENT"], seconds=10).stdout.decode()
    assert came_from.split()[0] == testbed.address(pair[1])
    known = tmp_path / "known_hosts"
    lines = testbed.known_hosts.read_text().splitlines(keepends=True)
    known.write_text("".join(line for line in lines if testbed.address(pair[1]) not in line))
    with pytest.raises(HostKeyRefused, match=f"no host key of {testbed.address(pair[1])}"):
        whoami(replace(ssh, known_hosts=known))


@pytest.fixture
def ssh_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A real ssh-agent of this test's own, with no keys yet."""
    where = str(tmp_path / "a")
    with subprocess.Popen(["ssh-agent", "-D", "-a", where], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline(), "it says where it listens, once it does"
            monkeypatch.setenv("SSH_AUTH_SOCK", where)
            yield
        finally:
            process.terminate()


@pytest.mark.usefixtures("ssh_agent")
@pytest.mark.parametrize("only", ["no", "yes"])
def test_a_key_with_a_passphrase_is_ssh_agents(
    only: str, testbed: Testbed, ssh: Ssh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent has it; `IdentitiesOnly` leaves only the named file's key; the agent is never forwarded."""
    right, other = tmp_path / "right", tmp_path / "other"
    shutil.copy(testbed.key, right)
    shutil.copy(testbed.key.with_suffix(".pub"), right.with_suffix(".pub"))
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    for path in (right, other):
        subprocess.run(["ssh-add", "-q", path], check=True)
        subprocess.run(["ssh-keygen", "-q", "-p", "-N", "a passphrase", "-f", path], check=True, capture_output=True)
    config = tmp_path / ".ssh/config"
    config.parent.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    config.write_text(f"Host *\n  IdentitiesOnly {only}\n  IdentityFile {right}\n")
    with HostConnection(replace(ssh, key=None)) as connection:
        assert connection.command(["sh", "-c", "echo [$SSH_AUTH_SOCK]"], seconds=10).stdout == b"[]\n"
    config.write_text(f"Host *\n  IdentitiesOnly yes\n  IdentityFile {other}\n")
    with pytest.raises(LoginRefused, match="accepts none of our keys"):
        whoami(replace(ssh, key=None))


@pytest.mark.advice(
    'coordinator/hosts/deploy: sudo of … does not work without a password (…): write sudo = "…", or '
    "let sudoers say NOPASSWD",
)
def test_sudo_with_and_without_its_password(ssh: Ssh) -> None:
    """The right password works, a wrong one and a missing one say so in a line."""
    careful = replace(ssh, user=CAREFUL, sudo=Sudo.PASSWORD)
    with HostConnection(careful) as connection:
        facts = Privileged(connection, lambda: CAREFUL_PASSWORD).request(
            "facts", network="x", data="/x", unit="x", user="x"
        )
        assert facts["root"] is True
        with pytest.raises(LoginRefused, match="rejected the password"):
            Privileged(connection, lambda: "wrong").sudo()
    without = replace(careful, sudo=Sudo.PASSWORDLESS)
    with HostConnection(without) as connection, pytest.raises(LoginRefused, match='sudo = "password"'):
        Privileged(connection, lambda: "").sudo()


@pytest.mark.advice(
    "coordinator/hosts/deploy: … refuses another session (…): raise MaxSessions of its sshd to at least 1",
)
def test_an_sshd_that_opens_no_session(testbed: Testbed, pair: list[str], ssh: Ssh) -> None:
    """The message names the setting; with it the login works."""
    careful, own = replace(ssh, user=CAREFUL), "/etc/ssh/sshd_config.d/sessions.conf"

    def allow(sessions: int) -> None:
        text = f"Match User {CAREFUL}\n    MaxSessions {sessions}\n"
        # A restart waits until sshd listens again; a reload does not.
        testbed.ssh(pair[0], f"cat > {own} && systemctl restart ssh", stdin=text)

    try:
        allow(0)
        with pytest.raises(DeployError, match="raise MaxSessions of its sshd to at least 1"):
            whoami(careful)
        allow(1)
        assert whoami(careful) == CAREFUL
    finally:
        testbed.ssh(pair[0], f"rm -f {own} && systemctl restart ssh")


def test_nothing_of_a_request_reaches_a_shell(testbed: Testbed, pair: list[str], ssh: Ssh) -> None:
    """Words and requests full of shell arrive as they are."""
    hostile = "$(touch /var/lib/hostile); `touch /var/lib/hostile`\n'\"&& touch /var/lib/hostile #"
    with HostConnection(ssh) as connection:
        assert connection.command(["printf", "%s", hostile], seconds=10).stdout.decode() == hostile
        facts = Privileged(connection, str).request(
            "facts", network=hostile, data="/" + hostile, unit=hostile, user=hostile
        )
    assert facts["record"] is None
    assert testbed.ssh(pair[0], "ls", "/var/lib/hostile", check=False).returncode == 2


def test_a_tunnel_leads_from_the_hosts_loopback_to_us(testbed: Testbed, pair: list[str], ssh: Ssh) -> None:
    """What dials 127.0.0.1 on the host reaches the operator's port, for as long as the tunnel is held."""
    stands = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        threading.Thread(target=lambda: server.accept()[0].sendall(b"hello"), daemon=True).start()
        dial = f"python3 -c 'import socket; print(socket.create_connection((\"127.0.0.1\", {port}), 5).recv(9))'"
        host = Host(pair[0], ssh.address, ssh, tunnel=True)
        with Tunnels([host], port, lambda _host, trouble: None if trouble else stands.set()):
            assert stands.wait(20)
            assert testbed.ssh(pair[0], dial).stdout.strip() == "b'hello'"
        assert "refused" in testbed.ssh(pair[0], dial, check=False).stderr


def test_a_host_that_vanishes_is_noticed(testbed: Testbed, pair: list[str], ssh: Ssh) -> None:
    """A lost connection is noticed long before the running command's time limit."""
    with HostConnection(ssh) as connection:
        cutting = threading.Timer(1.0, testbed.cut, (pair[0],))
        cutting.start()
        began = time.monotonic()
        try:
            with pytest.raises(CommandFailed, match=r"the connection to .* broke"):
                connection.command(["sleep", "300"], seconds=200)
        finally:
            cutting.join()
            testbed.heal(pair[0])
        assert time.monotonic() - began < GONE_SECONDS + 3 * KEEPALIVE_SECONDS


def test_a_command_that_hangs_ends_with_an_error(ssh: Ssh) -> None:
    """Every command has a time limit."""
    with HostConnection(ssh) as connection, pytest.raises(DeployError, match=r"no answer from .* within 1 s"):
        connection.command(["sleep", "60"], seconds=1)
