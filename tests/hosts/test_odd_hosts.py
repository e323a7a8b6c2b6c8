"""Hosts as people have them: what their logins, sshd, sudo and disks do beside the usual."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.hosts.deploy.installer import Installed
from coordinator.hosts.preflight.model import Preflight
from coordinator.hosts.preflight.run import preflight
from inventory.network import Network, Sudo
from tests.hosts.deploying import Operator, disk, network, over_ssh
from tests.testbed.realhosts.access import CAREFUL, CAREFUL_PASSWORD
from tests.testbed.realhosts.client import Testbed
from tests.testbed.realhosts.oddities import Oddity

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
    """Two hosts with everything that is odd and yet works."""
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
    """A preflight without an audience."""
    return preflight(of, folder, lambda host: CAREFUL_PASSWORD, lambda host, text: None, threading.Event())


def test_odd_hosts_that_can_carry_a_network_do(testbed: Testbed, odd: list[str], tmp_path: Path) -> None:
    """Preflight passes, the agent is installed and runs, is found as it is, and is removed without a trace."""
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
    record = "/opt/bootcoord/networks/testy.json"  # the Python that it was installed for is gone since
    testbed.ssh(odd[0], f"sed -i 's#/usr/bin/python3#/usr/local/bin/gone#' {record} && grep -q gone {record}")
    assert operator.deployment.down(of.hosts, purge=True) == dict.fromkeys(odd, True)
    assert {name: disk(testbed, name) for name in odd} == before
