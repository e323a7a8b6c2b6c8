"""Hosts by an IPv6 address and by odd names, as OpenSSH's client takes them: on a real sshd."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from coordinator.hosts.deploy.errors import HostKeyRefused
from inventory.network import Ssh
from tests.hosts.operating import Operator as Typed
from tests.hosts.operating import chain_behind
from tests.hosts.test_deploy_trust import whoami
from tests.testbed.realhosts.client import Testbed
from tests.testbed.realhosts.command import run
from tests.testbed.realhosts.network import HOST_DEVICE
from tests.testbed.realhosts.settings import BRIDGE
from tests.waiting import until

HERE, THERE = "fd7b:6f6f:7463::1", "fd7b:6f6f:7463::2"
PORT = 2022
PORTS = "/etc/ssh/sshd_config"


@dataclass(frozen=True)
class Far:
    """A host with an IPv6 address, whose sshd listens on another port, too."""

    name: str
    address: str
    key: Path
    line: str
    """Its host key, as known_hosts has it behind the name."""


@pytest.fixture(scope="module")
def far(testbed: Testbed) -> Iterator[Far]:
    """A machine of this file's own."""
    (name,) = testbed.add(1)
    run("ip", "addr", "add", f"{HERE}/64", "dev", BRIDGE, "nodad")
    try:
        run("ip", "-n", name, "addr", "add", f"{THERE}/64", "dev", HOST_DEVICE, "nodad")
        testbed.ssh(name, f"printf 'Port 22\\nPort {PORT}\\n' >> {PORTS} && systemctl restart ssh")
        host_key = testbed.ssh(name, "cat", "/etc/ssh/ssh_host_ed25519_key.pub").stdout
        until(_answers, "the neighbour's address to be found", 60)
        yield Far(name, testbed.address(name), testbed.key, " ".join(host_key.split()[:2]))
    finally:
        run("ip", "addr", "del", f"{HERE}/64", "dev", BRIDGE)
        testbed.remove(name)


def _answers() -> bool:
    try:
        socket.create_connection((THERE, PORT), timeout=2).close()
    except OSError:
        return False
    return True


def test_an_address_and_its_port_as_openssh_writes_them(far: Far, tmp_path: Path) -> None:
    """Without brackets on port 22, `[address]:port` on another; a line without a port is for every port."""
    known = tmp_path / "known_hosts"
    ssh = Ssh(THERE, key=far.key, known_hosts=known)
    known.write_bytes(b"h\xf6st ssh-ed25519 AAAA\n" + f"{THERE} {far.line}\n".encode())
    assert whoami(ssh) == "root"
    assert whoami(replace(ssh, port=PORT)) == "root"
    known.write_text(f"[{THERE}]:{PORT} {far.line}\n")
    assert whoami(replace(ssh, port=PORT)) == "root"
    with pytest.raises(HostKeyRefused, match=f"no host key of {THERE} is known"):
        whoami(ssh)


def test_names_that_ssh_config_gives_it(far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with underscores, a known_hosts file with `%h` in its name and a line that is not UTF-8, a jump to it."""
    folder = tmp_path / ".ssh"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    folder.joinpath("config").write_text(
        f"Host my_host\n  HostName {THERE}\n  Port {PORT}\n  UserKnownHostsFile {folder}/known_%h\n"
        f"Host behind\n  HostName {far.address}\n  ProxyJump my_host\n  UserKnownHostsFile {folder}/known_hosts\n"
    )
    (folder / f"known_{THERE}").write_bytes(b"\xff\xfe x\n" + f"[{THERE}]:{PORT} {far.line}\n".encode())
    (folder / "known_hosts").write_text(f"{far.address} {far.line}\n")
    assert whoami(Ssh("my_host", key=far.key)) == "root"
    assert whoami(Ssh("behind", key=far.key)) == "root"


@pytest.mark.campaign
def test_a_network_is_booted_over_it(testbed: Testbed, far: Far, tmp_path: Path) -> None:
    """Preflight, installing, the boot, logs, the tunnel that cleos names, and purging: all by the IPv6 address."""
    known = tmp_path / "known_hosts"
    known.write_text(f"[{THERE}]:{PORT} {far.line}\n")
    path = tmp_path / "six.toml"
    path.write_text(
        f'[network]\nname = "six"\n[users]\ncount = 5\n[producers]\ncount = 1\nelected = 1\n[ssh]\nkey = "{far.key}"\n'
        f'known_hosts = "{known}"\n[nodeos.options]\nchain-state-db-size-mb = 1024\n[[hosts]]\nname = "my_host"\n'
        f'address = "{far.address}"\nssh.address = "{THERE}"\nssh.port = {PORT}\n'
    )
    typed = Typed(path, tmp_path / "state")
    assert "FATAL" not in typed.run("preflight")
    typed.boot()
    assert typed.json("status")["phase"] == "live"
    assert typed.run("logs", "genesis", "-n", "3")
    told = typed.run("cleos", "--", "get", "info", status=1)
    assert f"-p {PORT} -i {far.key} -o UserKnownHostsFile={known} root@{THERE}" in told
    assert chain_behind(told) == typed.json("status")["chain_id"]
    typed.run("down", "--purge", "--yes")
