"""Agents are installed on real hosts, upgraded, rebooted, stopped and removed."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.hosts.deploy.bundle import Bundle, pack, store
from coordinator.hosts.deploy.errors import DeployError
from coordinator.hosts.deploy.installer import Installed
from coordinator.hosts.deploy.target import Target
from inventory.network import Host, Network, Sudo
from tests.hosts.deploying import Operator, disk, network, one_bundle, over_ssh
from tests.testbed.realhosts.access import CAREFUL, CAREFUL_PASSWORD, OPERATOR
from tests.testbed.realhosts.client import Testbed

UNIT = "bootcoord-testy.service"
DATA = "/var/lib/bootcoord/testy"


@pytest.fixture(scope="module")
def hosts(testbed: Testbed) -> Iterator[list[str]]:
    """Two hosts that no other test uses."""
    names = testbed.add(2)
    yield names
    testbed.remove(*names)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The operator's state folder, for all of these tests."""
    return tmp_path_factory.mktemp("operator")


@pytest.fixture(scope="module")
def net(testbed: Testbed, hosts: list[str], folder: Path) -> Network:
    """The second host is reached by a user whose sudo asks for a password."""
    plain = network(testbed, folder, hosts)
    second = over_ssh(plain.hosts[1], lambda ssh: replace(ssh, user=CAREFUL, sudo=Sudo.PASSWORD))
    return replace(plain, hosts=(plain.hosts[0], second))


@pytest.fixture(scope="module")
def operator(net: Network, folder: Path) -> Operator:
    """The operator's deployment."""
    return Operator(folder, net)


@pytest.fixture(scope="module")
def before(testbed: Testbed, hosts: list[str]) -> dict[str, dict[str, tuple[object, ...]]]:
    """The hosts' disks before anything was done."""
    return {name: disk(testbed, name) for name in hosts}


@pytest.fixture(scope="module")
def installed(before: object, operator: Operator, net: Network) -> dict[str, Installed | DeployError]:
    """The first installation."""
    return operator.deployment.install(net.hosts)


def show(testbed: Testbed, host: str, what: str) -> str:
    """A property of the agent's unit."""
    return testbed.ssh(host, "systemctl", "show", "--value", "-p", what, UNIT).stdout.strip()


def test_bare_hosts_get_a_running_agent(
    testbed: Testbed, hosts: list[str], installed: dict[str, Installed | DeployError], operator: Operator
) -> None:
    """Both hosts get the same bytes; the agent runs, under its own user, with nothing listening but sshd."""
    done = [report for report in installed.values() if isinstance(report, Installed)]
    assert len(done) == 2, installed
    assert done[0].sent == done[1].sent > 0
    assert operator.asked == [hosts[1]]
    for host in hosts:
        pid = show(testbed, host, "MainPID")
        assert testbed.ssh(host, "ps", "-o", "user:20=", "-p", pid).stdout.strip() == "bootcoord"
        assert testbed.ssh(host, f"stat -c '%U %a' {DATA}").stdout.split() == ["bootcoord", "700"]
        listening = testbed.ssh(host, "ss", "-Htln").stdout.split()[3::5]
        assert {address.rpartition(":")[2] for address in listening} == {"22"}


def test_installing_again_sends_and_changes_nothing(
    testbed: Testbed, hosts: list[str], installed: object, operator: Operator, net: Network
) -> None:
    """A second installation sends no file and leaves the agents running."""
    pids = [show(testbed, host, "MainPID") for host in hosts]
    again = operator.deployment.install(net.hosts)
    assert again == {host: Installed(0, ()) for host in hosts}
    assert [show(testbed, host, "MainPID") for host in hosts] == pids


def test_the_password_is_nowhere_on_the_host(testbed: Testbed, hosts: list[str], installed: object) -> None:
    """sudo's password is in no argv, environment or file after the installation."""
    search = (
        f"grep -l {CAREFUL_PASSWORD[:-1]}[{CAREFUL_PASSWORD[-1]}] -rs /opt /var/lib/bootcoord /etc /var/tmp /tmp "
        f"/proc/[0-9]*/cmdline /proc/[0-9]*/environ; journalctl --no-pager | grep -c {CAREFUL_PASSWORD[:-1]}[d]"
    )
    assert testbed.ssh(hosts[1], search, check=False).stdout.split() == ["0"]


def test_an_upgrade_restarts_the_agent_and_no_node(
    testbed: Testbed, hosts: list[str], installed: object, folder: Path, net: Network
) -> None:
    """An upgrade sends only new code, and a process in the unit's control group, such as a node, keeps running."""
    host = hosts[0]
    node = start_in_unit(testbed, host)
    agent = show(testbed, host, "MainPID")
    report = Operator(folder, net, with_another_file).deployment.install(net.hosts[:1])[host]
    assert isinstance(report, Installed), report
    assert report.changes == ("agent upgraded", "unit renewed")
    assert 0 < report.sent < 1_000_000
    assert show(testbed, host, "MainPID") not in ("0", agent)
    assert testbed.ssh(host, "ps", "-o", "comm=", "-p", node).stdout.strip() == "sleep"
    assert len(testbed.ssh(host, "ls", "/opt/bootcoord/bundles").stdout.split()) == 2
    testbed.ssh(host, "kill", node)


def start_in_unit(testbed: Testbed, host: str) -> str:
    """Starts a process of the agent's user in the unit's control group; its pid."""
    script = (
        "setsid setpriv --reuid bootcoord --clear-groups sleep 600 >/dev/null 2>&1 & "
        f"for group in /sys/fs/cgroup/unified /sys/fs/cgroup/systemd /sys/fs/cgroup; do "
        f"procs=$group{show(testbed, host, 'ControlGroup')}/cgroup.procs; "
        "if [ -e $procs ]; then echo $! > $procs; fi; done; echo $!"
    )
    return testbed.ssh(host, script).stdout.strip()


def with_another_file(target: Target) -> Bundle:
    """The bundle, as if one more module had been written."""
    code, libraries = one_bundle(target).archives
    with tarfile.open(code.path) as tar:
        files = {member.name: source.read() for member in tar if (source := tar.extractfile(member))}
    files["agent/newer.py"] = b"# newer\n"
    return Bundle((store(pack(files)), libraries))


def test_a_rebooted_host_has_its_agent_again(testbed: Testbed, hosts: list[str], installed: object) -> None:
    """After a reboot systemd starts the agent, without a coordinator."""
    testbed.reboot(hosts[1])
    state = testbed.ssh(hosts[1], "systemctl", "is-active", "--wait", UNIT, check=False).stdout.strip()
    assert state in ("active", "activating")


def test_down_stops_for_good_and_install_starts_again(
    testbed: Testbed, hosts: list[str], installed: object, operator: Operator, net: Network
) -> None:
    """A stopped agent does not come back with a reboot; the next installation sends nothing and starts it."""
    host, name = net.hosts[1], hosts[1]
    assert operator.deployment.down([host]) == {name: True}
    enabled = testbed.ssh(name, "systemctl", "is-enabled", UNIT, check=False).stdout.strip()
    assert (enabled, show(testbed, name, "MainPID")) == ("disabled", "0")
    assert operator.deployment.install([host])[name] == Installed(0, ("agent started",))
    assert show(testbed, name, "MainPID") != "0"


def test_networks_on_one_host_do_not_meet(
    testbed: Testbed, hosts: list[str], installed: object, folder: Path, net: Network
) -> None:
    """A second network has its own unit and folder, and its removal leaves the first one running."""
    other = network(testbed, folder, hosts[:1], "other")
    second = Operator(folder, other)
    report = second.deployment.install(other.hosts)[hosts[0]]
    assert isinstance(report, Installed), report
    first_pid = show(testbed, hosts[0], "MainPID")
    assert second.deployment.down(other.hosts, purge=True) == {hosts[0]: True}
    assert show(testbed, hosts[0], "MainPID") == first_pid != "0"
    assert testbed.ssh(hosts[0], "ls", "/var/lib/bootcoord").stdout.split() == ["testy"]


def test_another_coordinators_agent_is_not_taken_over(
    testbed: Testbed, hosts: list[str], installed: object, tmp_path: Path, net: Network
) -> None:
    """The same network's name with another state folder is refused, and the agent stays as it is; `coord down` from
    there neither stops it nor removes its keys.
    """
    pid = show(testbed, hosts[0], "MainPID")
    stranger = Operator(tmp_path, net).deployment
    for report in (
        stranger.install(net.hosts[:1])[hosts[0]],
        stranger.down(net.hosts[:1])[hosts[0]],
        stranger.down(net.hosts[:1], purge=True)[hosts[0]],
    ):
        assert isinstance(report, DeployError)
        assert "another coordinator's testy" in str(report)
    assert show(testbed, hosts[0], "MainPID") == pid != "0"


def test_the_user_cannot_change_under_an_agent_that_runs(
    testbed: Testbed, hosts: list[str], installed: object, operator: Operator, net: Network
) -> None:
    """It is refused before anything is recorded: the agent can still be stopped and removed."""
    pid = show(testbed, hosts[0], "MainPID")
    report = operator.deployment.install([replace(net.hosts[0], user="somebody")])[hosts[0]]
    assert isinstance(report, DeployError)
    assert "files belong to bootcoord here" in str(report)
    record = json.loads(testbed.ssh(hosts[0], "cat", "/opt/bootcoord/networks/testy.json").stdout)
    assert (record["user"], show(testbed, hosts[0], "MainPID")) == ("bootcoord", pid)
    assert "somebody" not in testbed.ssh(hosts[0], "cat", "/etc/passwd").stdout


def test_a_data_folder_of_somebody_else_is_refused(
    testbed: Testbed, hosts: list[str], installed: object, folder: Path, net: Network
) -> None:
    """Other people's files are neither taken over nor removed."""
    testbed.ssh(hosts[0], "mkdir -p /srv/theirs && touch /srv/theirs/file")
    other = network(testbed, folder, hosts[:1], "third")
    other = replace(other, hosts=(replace(other.hosts[0], data="/srv/theirs"),))
    third = Operator(folder, other)
    report = third.deployment.install(other.hosts)[hosts[0]]
    assert isinstance(report, DeployError)
    assert "contains other files" in str(report)
    third.deployment.down(other.hosts, purge=True)
    assert testbed.ssh(hosts[0], "ls", "/srv/theirs").stdout.split() == ["file"]
    testbed.ssh(hosts[0], "rm", "-r", "/srv/theirs")


def test_logs_come_from_the_journal(hosts: list[str], installed: object, operator: Operator, net: Network) -> None:
    """The agent's log is in the unit's journal."""
    text = b"".join(operator.deployment.logs(net.hosts[1], lines=50)).decode()
    assert f"agent of {hosts[1]} in network testy" in text


def test_purge_leaves_hosts_as_they_were_found(
    testbed: Testbed,
    hosts: list[str],
    before: dict[str, dict[str, tuple[object, ...]]],
    installed: object,
    operator: Operator,
    net: Network,
) -> None:
    """Every file, mode, owner and content is as before, the list of users too; purging twice does no harm."""
    assert operator.deployment.down(net.hosts, purge=True) == dict.fromkeys(hosts, True)
    for host in hosts:
        after = disk(testbed, host)
        different = {path for path in before[host].keys() | after.keys() if before[host].get(path) != after.get(path)}
        assert different == set()
    assert operator.deployment.down(net.hosts, purge=True) == dict.fromkeys(hosts, False)


def test_purge_after_an_interrupted_installation(
    testbed: Testbed, hosts: list[str], operator: Operator, net: Network
) -> None:
    """Nothing is left of an installation that ended between two requests, nor of uploads whose connection broke."""
    clean, upload = disk(testbed, hosts[0]), "/var/tmp/bootcoord.testy.0123456789"  # noqa: S108

    def stop_at_setting_up(_host: str, text: str) -> None:
        if text == "setting up":
            raise DeployError("interrupted")

    testbed.ssh(hosts[0], "mkdir", upload)
    interrupted = Operator(operator.folder, net, report=stop_at_setting_up)
    assert str(interrupted.deployment.install(net.hosts[:1])[hosts[0]]) == "interrupted"
    testbed.ssh(hosts[0], "mkdir", upload)  # the installation cleared the first one
    operator.deployment.down(net.hosts[:1], purge=True)
    assert testbed.ssh(hosts[0], "find /var/tmp -name 'bootcoord.*'").stdout == ""
    assert disk(testbed, hosts[0]) == clean


def test_purge_needs_no_working_installation(
    testbed: Testbed, hosts: list[str], operator: Operator, net: Network
) -> None:
    """Damaged libraries, which an installation does not notice, do not prevent a purge."""
    clean = disk(testbed, hosts[0])
    operator.deployment.install(net.hosts[:1])
    testbed.ssh(hosts[0], "rm -r /opt/bootcoord/bundles/*/grpc")
    assert operator.deployment.down(net.hosts[:1], purge=True) == {hosts[0]: True}
    assert disk(testbed, hosts[0]) == clean


def test_a_record_that_was_removed_by_hand_is_missed(
    testbed: Testbed, hosts: list[str], operator: Operator, net: Network
) -> None:
    """Without it nobody knows what was there before: that is reported, and can be repaired."""
    operator.deployment.install(net.hosts[:1])
    testbed.ssh(hosts[0], "rm -r /opt/bootcoord")
    for purge in (False, True):
        said = operator.deployment.down(net.hosts[:1], purge=purge)[hosts[0]]
        assert "testy.json is gone, but bootcoord-testy.service exists" in str(said)
    operator.deployment.install(net.hosts[:1])
    assert operator.deployment.down(net.hosts[:1], purge=True) == {hosts[0]: True}
    assert testbed.ssh(hosts[0], "ls /opt; find /etc/systemd -name 'bootcoord*'").stdout == ""
    testbed.ssh(hosts[0], "userdel bootcoord; rm -r /var/lib/bootcoord")  # the rest, which it then takes for found


def test_without_systemd_the_agent_is_a_detached_process(
    testbed: Testbed, hosts: list[str], operator: Operator, net: Network
) -> None:
    """If no systemd runs (here: hidden), install, again, down and purge all work."""
    host = net.hosts[0]
    testbed.ssh(hosts[0], "mv", "/run/systemd/system", "/run/systemd/hidden")
    report = operator.deployment.install([host])[hosts[0]]
    assert isinstance(report, Installed), report
    agent = json.loads(testbed.ssh(hosts[0], "cat", f"{DATA}/agent.json").stdout)
    assert testbed.ssh(hosts[0], "ps", "-o", "user:20=", "-p", str(agent["pid"])).stdout.strip() == "bootcoord"
    assert operator.deployment.install([host])[hosts[0]] == Installed(0, ())
    assert operator.deployment.down([host], purge=True) == {hosts[0]: True}
    assert testbed.ssh(hosts[0], "ps", "-p", str(agent["pid"]), check=False).returncode == 1
    testbed.ssh(hosts[0], "mv", "/run/systemd/hidden", "/run/systemd/system")


def test_one_bad_host_does_not_spoil_the_rest(
    testbed: Testbed, hosts: list[str], operator: Operator, net: Network
) -> None:
    """A dead host is named, with what to check; the other one is still installed."""
    dead = Host("dead", "10.99.0.250", replace(net.hosts[0].ssh, address="10.99.0.250") if net.hosts[0].ssh else None)
    operator_user = over_ssh(net.hosts[0], lambda ssh: replace(ssh, user=OPERATOR, sudo=Sudo.PASSWORDLESS))
    done = operator.deployment.install([dead, operator_user])
    assert isinstance(done[hosts[0]], Installed), done
    assert str(done["dead"]).startswith("no SSH at 10.99.0.250")
    operator.deployment.down([operator_user], purge=True)
