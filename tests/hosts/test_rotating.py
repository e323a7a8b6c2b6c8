"""A network on real hosts goes on: a producer gets another key, another producer joins, and both sign."""

from __future__ import annotations

import json

import pytest

from tests.hosts.living import TURN, Living, used
from tests.hosts.operating import grows

KEYS = "/var/lib/bootcoord/testnet/keys"
NODE = "/var/lib/bootcoord/testnet/nodes/defproducera"
NEW = "defproducerx"
SECONDS = 600.0
"""For a schedule to change, twice a turn waited for, on a busy machine."""

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(1200)]


def scheduled(net: Living, host: str) -> dict[str, str]:
    """The active schedule's producers with their keys."""
    active = net.ask(host, "chain/get_producer_schedule")["active"]["producers"]
    return {one["producer_name"]: one["authority"][1]["keys"][0]["key"] for one in active}


def home(net: Living, account: str) -> str:
    """The host of a producer's node."""
    return next(str(node["host"]) for node in net.operator.json("status")["nodes"] if node["account"] == account)


def test_a_key_rotates_on_its_host(net: Living) -> None:
    """The schedule has the new key, which is on that host alone; the old one is in no file there; the chain goes on.

    No transfer is lost. The node is restarted twice, each time right after its own turn: no slots but its own of the
    turns that follow can be empty.
    """
    host = home(net, "defproducera")
    signing = json.loads(net.testbed.ssh(host, f"cat {KEYS}/signing.json").stdout)["producers"]
    old = next(row for row in signing if row["name"] == "defproducera")
    assert scheduled(net, host)["defproducera"] == old["pub"]
    with used(net) as seen:
        said = net.operator.run("keys", "rotate", "defproducera", seconds=SECONDS)
    assert set(seen.missing) <= {"defproducera"}
    assert seen.missing.total() <= 2 * TURN
    new = scheduled(net, host)["defproducera"]
    assert new in said
    assert new != old["pub"]
    found = net.testbed.ssh(host, f"grep -rl {old['pvt']} {KEYS} {NODE}/config.ini", check=False)
    assert found.stdout == ""
    assert net.testbed.ssh(host, f"grep -c {new} {NODE}/config.ini").stdout.strip() != "0"
    grows(net.testbed, net.hosts, 60)
    net.operator.run("plan", "--check")


def test_a_producer_is_added_by_a_command_and_rotates_as_well(net: Living) -> None:
    """It is in the inventory, in the schedule, and signs; the plan is empty then. No transfer is lost meanwhile."""
    host = net.hosts[2]
    with used(net):
        net.operator.run("producer", "add", NEW, "--host", host, seconds=SECONDS)
    assert f'account = "{NEW}"' in net.operator.inventory.read_text()
    assert NEW in scheduled(net, net.hosts[0])
    status = net.operator.json("status")
    assert home(net, NEW) == host
    assert NEW in status["schedule"]
    assert f'"name":"{NEW}"' in net.testbed.ssh(host, f"cat {KEYS}/signing.json").stdout.replace('": "', '":"')
    net.operator.run("plan", "--check")
    assert "Nothing to do" in net.operator.run("boot")
    net.operator.run("verify")


def test_the_hosts_are_left_as_they_were(net: Living) -> None:
    """A purge leaves the hosts clean for the next test."""
    net.operator.run("down", "--purge", "--yes")
    for host in net.hosts:
        assert not net.testbed.ssh(host, "ls /opt/bootcoord", check=False).stdout
