"""Hosts with unusual logins, sshd, sudo and disks, as people have them."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.hosts.deploy.installer import Installed
from coordinator.hosts.preflight.model import Preflight
from coordinator.hosts.preflight.run import preflight
from inventory.network import Host, Network, Sudo
from support.bundled import fetch
from tests.hosts.deploying import Operator, disk, network, over_ssh
from tests.hosts.operating import Operator as Typed
from tests.testbed.realhosts.access import CAREFUL, CAREFUL_PASSWORD, OPERATOR
from tests.testbed.realhosts.client import Testbed
from tests.testbed.realhosts.oddities import Oddity
from tests.testbed.realhosts.settings import Host as Machine

TALKATIVE = (
    Oddity.PRINTS_AT_LOGIN,
    Oddity.COMPLAINS_AT_LOGIN,
    Oddity.ONE_SESSION,
    Oddity.NO_SFTP,
    Oddity.UMASK_077,
    Oddity.FOREIGN_LOCALE,
    Oddity.REQUIRETTY,
    Oddity.NOEXEC_TMP,
    Oddity.PYTHON_IN_ROOTS_HOME,
    Oddity.PROXIES,
)


@pytest.fixture(scope="module")
def odd(testbed: Testbed) -> Iterator[list[str]]:
    """Two hosts with unusual settings that all work."""
    names = testbed.add(2)
    for name in names:
        testbed.make_odd(name, *TALKATIVE)
    yield names
    testbed.remove(*names)


def net(testbed: Testbed, names: Sequence[str], folder: Path) -> Network:
    """The second host is reached by a user whose sudo asks for a password."""
    plain = network(testbed, folder, names)
    second = over_ssh(plain.hosts[1], lambda ssh: replace(ssh, user=CAREFUL, sudo=Sudo.PASSWORD))
    return replace(plain, hosts=(plain.hosts[0], second))


def look(of: Network, folder: Path) -> Preflight:
    """Runs a preflight without printing."""
    return preflight(of, folder, lambda host: CAREFUL_PASSWORD, lambda host, text: None, threading.Event())


DROP_IN = "/etc/systemd/system/bootcoord-testy.service.d"


def refuse_to_start(testbed: Testbed, name: str) -> None:
    """Makes the agent's unit fail, with the reason only in the journal."""
    line = "ExecStartPre=/bin/sh -c 'echo the disk is on fire; exit 3'"
    testbed.ssh(name, f"mkdir {DROP_IN} && cat > {DROP_IN}/odd.conf", stdin=f"[Service]\n{line}\n")
    testbed.ssh(name, "systemctl daemon-reload")


def test_odd_hosts_that_can_carry_a_network_do(testbed: Testbed, odd: list[str], tmp_path: Path) -> None:
    """Preflight passes, the agent is installed and runs, is recognised, and is removed without a trace."""
    of = net(testbed, odd, tmp_path)
    before = {name: disk(testbed, name) for name in odd}
    found = look(of, tmp_path)
    assert found.fatal == ()
    assert {name: disk(testbed, name) for name in odd} == before
    operator = Operator(tmp_path, of)
    first = operator.deployment.install(of.hosts)
    assert all(isinstance(result, Installed) for result in first.values()), [*map(str, first.values())]
    assert [result.changes[0] for result in first.values() if isinstance(result, Installed)] == ["agent installed"] * 2
    assert operator.deployment.install(of.hosts) == {name: Installed(0, ()) for name in odd}
    for host in of.hosts:
        log = b"".join(operator.deployment.logs(host))
        assert b"agent of" in log
        assert b"hello" not in log
        environ = "cat /proc/$(systemctl show --value -p MainPID bootcoord-testy)/environ"
        assert "proxy" not in testbed.ssh(host.name, environ).stdout.lower()
    refuse_to_start(testbed, odd[0])
    operator.deployment.down(of.hosts[:1])
    assert "the disk is on fire" in str(operator.deployment.install(of.hosts[:1])[odd[0]])
    testbed.ssh(odd[0], f"rm -r {DROP_IN} && systemctl daemon-reload")
    assert isinstance(operator.deployment.install(of.hosts[:1])[odd[0]], Installed)
    record = "/opt/bootcoord/networks/testy.json"  # the Python that it was installed for is gone since
    testbed.ssh(odd[0], f"sed -i 's#/usr/bin/python3#/usr/local/bin/gone#' {record} && grep -q gone {record}")
    assert operator.deployment.down(of.hosts, purge=True) == dict.fromkeys(odd, True)
    assert {name: disk(testbed, name) for name in odd} == before


@pytest.mark.campaign
@pytest.mark.parametrize("shell", ["dash", "rbash"])
def test_other_login_shells(testbed: Testbed, odd: list[str], tmp_path: Path, shell: str) -> None:
    """Of root, and of a user with sudo: the agent is installed, read from and removed as with bash."""
    of = net(testbed, odd, tmp_path)
    for name, user in zip(odd, ("root", CAREFUL), strict=True):
        testbed.ssh(name, f"usermod --shell /usr/bin/{shell} {user}")
    try:
        assert look(of, tmp_path).fatal == ()
        operator = Operator(tmp_path, of)
        assert all(isinstance(result, Installed) for result in operator.deployment.install(of.hosts).values())
        assert operator.deployment.install(of.hosts) == {name: Installed(0, ()) for name in odd}
        for host in of.hosts:
            assert b"agent of" in b"".join(operator.deployment.logs(host))
        assert operator.deployment.down(of.hosts, purge=True) == dict.fromkeys(odd, True)
    finally:
        for name, user in zip(odd, ("root", CAREFUL), strict=True):
            testbed.ssh(name, f"usermod --shell /bin/bash {user}")


HIDE_SYSTEMD = ("mv", "/run/systemd/system", "/run/systemd/hidden")
INVENTORY = """\
[network]
name = "odd"
[producers]
count = 2
[users]
count = 20
[nodeos.options]
eos-vm-oc-enable = "none"
[ssh]
key = "{key}"
known_hosts = "{known_hosts}"
[[hosts]]
name = "first"
address = "{first}"
[[hosts]]
name = "second"
address = "{second}"
tunnel = true
ssh.user = "operator"
"""


@pytest.mark.advice("coordinator/hosts/preflight/checks.py: coord boot")
@pytest.mark.campaign
def test_a_network_lives_on_odd_hosts(testbed: Testbed, odd: list[str], tmp_path: Path) -> None:
    """Booted from bare hosts, also with a noexec data folder, and one of them without systemd: live, logged, and
    removed without a trace. After a reboot of that one a boot starts agent and node, as preflight says.
    """
    for name in odd:
        testbed.make_odd(name, Oddity.NOEXEC_DATA)
    before = {name: disk(testbed, name) for name in odd}
    first, second = map(testbed.address, odd)
    (tmp_path / "odd.toml").write_text(
        INVENTORY.format(key=testbed.key, known_hosts=testbed.known_hosts, first=first, second=second)
    )
    typed = Typed(tmp_path / "odd.toml", tmp_path / "state")
    testbed.ssh(odd[0], *HIDE_SYSTEMD)
    said = typed.run("preflight")
    assert "FATAL" not in said
    assert "it has no systemd: after a reboot nothing starts agent and nodes" in said
    assert f"run coord --state {typed.state} boot {typed.inventory} then" in said
    typed.boot()
    assert typed.json("status")["phase"] == "live"
    testbed.reboot(odd[0])
    testbed.ssh(odd[0], *HIDE_SYSTEMD)
    typed.boot()
    assert typed.json("status")["phase"] == "live"
    typed.run("status", "--check")
    assert "hello" not in typed.run("logs", "genesis", "-n", "5")
    typed.run("verify")
    typed.run("down", "--purge", "--yes")
    assert {name: disk(testbed, name) for name in odd} == before


@pytest.fixture(scope="module")
def unfit(testbed: Testbed) -> Iterator[str]:
    """A host on which nothing can run as it is."""
    (name,) = testbed.add(1)
    nodeos = fetch().command("nodeos")
    root = testbed.folder.root(Machine.named(name))
    shutil.copytree(Path(nodeos[0]).parents[3], root / "usr/local/lib/nodeos", ignore=shutil.ignore_patterns("tests"))
    program = f"/usr/local/lib/nodeos/{'/'.join(Path(nodeos[0]).parts[-4:])}"
    for script, line in (("nodeos", f'exec {program} nodeos "$@"'), ("wrapper", f'{program} nodeos "$@"; exit')):
        (root / "usr/local/bin" / script).write_text(f"#!/bin/sh\n{line}\n")
        (root / "usr/local/bin" / script).chmod(0o755)
    testbed.make_odd(
        name, Oddity.NOEXEC_DATA, Oddity.NOEXEC_OPT, Oddity.SMALL_DISK, Oddity.FULL_DISK, Oddity.CLOCK_OFF,
        Oddity.NO_SHELL,
    )  # fmt: skip
    yield name
    testbed.remove(name)


def test_what_a_host_lacks_is_said_before_anything_changes(testbed: Testbed, unfit: str, tmp_path: Path) -> None:
    """Mounts without exec, disks without room, a clock that is off, a user without a shell; what to do about each."""
    of = network(testbed, tmp_path, [unfit])
    (host,) = of.hosts
    before = disk(testbed, unfit)

    def problems(changed: Host) -> str:
        return "\n".join(map(str, look(replace(of, hosts=(changed,)), tmp_path).fatal))

    bundled = problems(host)
    assert f"{unfit}: disk: programs cannot run from /opt (Permission denied): is it mounted noexec?" in bundled
    assert f"{unfit}: disk: programs cannot run from /var/lib (Permission denied): is it mounted noexec?" in bundled
    assert 'eos-vm-oc-enable = "none"' in bundled
    assert re.search(r"clock: it is -(3\.0|2\.9)\d s off the operator's clock; let NTP set both", bundled)
    own = problems(replace(host, nodeos="/usr/local/bin/nodeos"))
    assert (
        "nodeos: as genesis, defproducera, defproducerb would run: /usr/local/bin/nodeos does not run, on a file sys"
        in own
    )
    full = problems(replace(host, data="/srv/full/net", nodeos="/usr/local/bin/nodeos"))
    assert "the disk is 100% full" in full
    assert "/srv/small" not in full
    assert "disk: 400 MiB are free for 3 nodes" in problems(replace(host, data="/srv/small/net"))
    shell = problems(over_ssh(host, lambda ssh: replace(ssh, user=OPERATOR, sudo=Sudo.PASSWORDLESS)))
    assert "runs no commands (This account is currently not available.)" in shell
    wrapped = replace(of, hosts=(replace(host, nodeos="/usr/local/bin/wrapper", data="/srv"),))
    (warning,) = [problem for problem in look(wrapped, tmp_path).warnings if problem.check == "nodeos"]
    assert "a script that starts nodeos beside itself" in str(warning)
    assert disk(testbed, unfit) == before
