"""A network on real hosts goes on: a producer gets another key, another producer joins, and both sign."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.hosts.operating import ROOT, Operator, grows
from tests.testbed.realhosts.client import Testbed

HOSTS = ["h1", "h2", "h3", "h4"]
KEYS = "/var/lib/bootcoord/testnet/keys"
NODE = "/var/lib/bootcoord/testnet/nodes/defproducera"
NEW = "defproducerx"
ASK = """
import sys, urllib.request
print(urllib.request.urlopen("http://127.0.0.1:8888/v1/" + sys.argv[1], timeout=5).read().decode())
"""
SECONDS = 600.0
"""For a schedule to change, twice a turn waited for, on a busy machine."""

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def operator(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """inventory/testnet.toml, booted on four hosts."""
    testbed.up(len(HOSTS))
    for host in HOSTS:
        assert not testbed.ssh(host, "ls /opt/bootcoord", check=False).stdout, f"{host} is in use: hosts down {host}"
    folder = tmp_path_factory.mktemp("rotating")
    text = (ROOT / "inventory" / "testnet.toml").read_text()
    inventory = folder / "testnet.toml"
    inventory.write_text(text.replace("/var/tmp/testbed", str(testbed.folder.path)))  # noqa: S108 (its default)
    made = Operator(inventory, folder / "state")
    made.boot()
    return made


def call(testbed: Testbed, host: str, path: str) -> Any:
    """What the node with HTTP port 8888 on a host answers, by nothing of ours."""
    return json.loads(testbed.ssh(host, "python3", "-", path, stdin=ASK).stdout)


def scheduled(testbed: Testbed, host: str) -> dict[str, str]:
    """The active schedule's producers with their keys."""
    active = call(testbed, host, "chain/get_producer_schedule")["active"]["producers"]
    return {one["producer_name"]: one["authority"][1]["keys"][0]["key"] for one in active}


def home(operator: Operator, account: str) -> str:
    """The host of a producer's node."""
    return next(str(node["host"]) for node in operator.json("status")["nodes"] if node["account"] == account)


def test_a_key_rotates_on_its_host(testbed: Testbed, operator: Operator) -> None:
    """The schedule has the new key, which is on that host alone; the old one is in no file there; the chain goes on."""
    host = home(operator, "defproducera")
    signing = json.loads(testbed.ssh(host, f"cat {KEYS}/signing.json").stdout)["producers"]
    old = next(row for row in signing if row["name"] == "defproducera")
    assert scheduled(testbed, host)["defproducera"] == old["pub"]
    said = operator.run("keys", "rotate", "defproducera", seconds=SECONDS)
    new = scheduled(testbed, host)["defproducera"]
    assert new in said
    assert new != old["pub"]
    found = testbed.ssh(host, f"grep -rl {old['pvt']} {KEYS} {NODE}/config.ini", check=False)
    assert found.stdout == ""
    assert testbed.ssh(host, f"grep -c {new} {NODE}/config.ini").stdout.strip() != "0"
    grows(testbed, HOSTS, 60)
    operator.run("plan", "--check")


def test_a_producer_is_added_by_a_command_and_rotates_as_well(testbed: Testbed, operator: Operator) -> None:
    """It is in the inventory, in the schedule, and signs; the plan is empty then."""
    operator.run("producer", "add", NEW, "--host", "h3", seconds=SECONDS)
    assert f'account = "{NEW}"' in operator.inventory.read_text()
    assert NEW in scheduled(testbed, "h1")
    status = operator.json("status")
    assert home(operator, NEW) == "h3"
    assert NEW in status["schedule"]
    assert f'"name":"{NEW}"' in testbed.ssh("h3", f"cat {KEYS}/signing.json").stdout.replace('": "', '":"')
    operator.run("plan", "--check")
    assert "Nothing to do" in operator.run("boot")
    operator.run("verify")


def test_the_hosts_are_left_as_they_were(testbed: Testbed, operator: Operator) -> None:
    """For whoever uses them next."""
    operator.run("down", "--purge", "--yes")
    for host in HOSTS:
        assert not testbed.ssh(host, "ls /opt/bootcoord", check=False).stdout
