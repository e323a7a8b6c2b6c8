"""The preflight of real hosts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.hosts.preflight.model import Preflight
from coordinator.hosts.preflight.run import preflight
from inventory.network import Network, Sudo
from tests.hosts.deploying import disk, network, over_ssh
from tests.hosts.operating import Operator
from tests.testbed.realhosts.access import CAREFUL, CAREFUL_PASSWORD
from tests.testbed.realhosts.client import Testbed


@pytest.fixture(scope="module")
def hosts(testbed: Testbed) -> Iterator[list[str]]:
    """Two hosts that no other test uses."""
    names = testbed.add(2)
    yield names
    testbed.remove(*names)


@pytest.fixture
def net(testbed: Testbed, hosts: list[str], tmp_path: Path) -> Network:
    """The second host is reached by a user whose sudo asks for a password."""
    plain = network(testbed, tmp_path, hosts)
    second = over_ssh(plain.hosts[1], lambda ssh: replace(ssh, user=CAREFUL, sudo=Sudo.PASSWORD))
    return replace(plain, hosts=(plain.hosts[0], second))


def look(net: Network, folder: Path, password: str = CAREFUL_PASSWORD) -> Preflight:
    """Runs a preflight without printing."""
    return preflight(net, folder, lambda host: password, lambda host, text: None, threading.Event())


def test_good_hosts_pass_and_nothing_changes(testbed: Testbed, hosts: list[str], net: Network, tmp_path: Path) -> None:
    """Every cell is filled, both reach each other, and the disks are as before."""
    before = {host: disk(testbed, host) for host in hosts}
    found = look(net, tmp_path)
    assert found.fatal == ()
    _header, *rows = found.table()
    assert [row[0] for row in rows] == hosts
    assert all("-" not in row for row in rows), rows
    assert found.matrix()[1:] == ((hosts[0], "-", "yes"), (hosts[1], "yes", "-"))
    assert {host: disk(testbed, host) for host in hosts} == before


def test_each_trouble_is_named_with_its_host(testbed: Testbed, hosts: list[str], net: Network, tmp_path: Path) -> None:
    """A taken port, a missing nodeos, a closed firewall and a refused password, all in one look."""
    first = replace(net.hosts[0], nodeos="/usr/local/bin/nodeos")
    changed = replace(net, hosts=(first, net.hosts[1]))
    nodes = tuple(replace(node, http_port=22) if node.name == "genesis" else node for node in net.nodes)
    testbed.firewall(hosts[1], [22])
    try:
        found = look(replace(changed, nodes=nodes), tmp_path, "wrong")
    finally:
        testbed.firewall(hosts[1], None)
    troubles = {(problem.host, problem.check) for problem in found.fatal}
    assert troubles == {(hosts[0], "ports"), (hosts[0], "nodeos"), (hosts[1], "sudo"), (hosts[1], "p2p")}
    assert "sshd" in next(problem.message for problem in found.fatal if problem.check == "ports")


@pytest.mark.advice("coordinator/workflows/starting/foresee.py: coord preflight")
def test_what_a_plan_cannot_see_preflight_does(testbed: Testbed, hosts: list[str], tmp_path: Path) -> None:
    """A host's own nodeos: the plan names the command that looks at it, and that finds it missing."""
    path = network(testbed, tmp_path, hosts).source
    path.write_text(f'{path.read_text()}\n[nodeos]\npath = "/usr/local/bin/nodeos"\n')
    operator = Operator(path, tmp_path / "state")
    assert f"is checked by coord --state {tmp_path}/state preflight {path}" in operator.run("plan")
    assert "/usr/local/bin/nodeos" in operator.run("preflight", status=1)


@pytest.mark.advice("coordinator/hosts/preflight/checks.py: coord preflight")
def test_a_host_that_is_away_does_not_stop_the_others(
    testbed: Testbed, hosts: list[str], net: Network, tmp_path: Path
) -> None:
    """An unreachable host is named, and the other one still has its row."""
    testbed.kill(hosts[1])
    try:
        found = look(net, tmp_path)
    finally:
        testbed.start(hosts[1])
    assert [(problem.host, problem.check) for problem in found.fatal] == [(hosts[1], "ssh")]
    assert "then run coord preflight INVENTORY again" in str(found.fatal[0])
    assert look(net, tmp_path).fatal == ()
    assert found.rows[0].cells["os"].startswith("Debian")
    assert found.to_json()["ok"] is False
