"""An edited inventory, applied to nodes that run: seen through nodeos' own API and the chain's timestamps."""

from __future__ import annotations

import json
import os
import re
import signal
import urllib.request
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from tests.live.coordinator.network import TWO_HOSTS, MakeNetwork, Network
from tests.ports import free_port
from tests.waiting import until

DIFFERENT = 3


def call(network: Network, node: str, path: str, body: object = None) -> Any:
    """An answer of nodeos, by nothing of ours."""
    request = urllib.request.Request(f"{network.http(node)}/v1/{path}", json.dumps(body or {}).encode())  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return json.load(answer)


def missed_slots(network: Network, node: str, first: int) -> int:
    """Slots of half a second without a block, from that block to the head."""
    last = call(network, node, "chain/get_info")["head_block_num"]
    times = [
        datetime.fromisoformat(call(network, node, "chain/get_block_info", {"block_num": number})["timestamp"])
        for number in range(first, last + 1)
    ]
    return sum(round((after - before).total_seconds() * 2) - 1 for before, after in pairwise(times))


@pytest.mark.advice("coordinator/workflows/changing/changes.py: coord node move … --to …")
def test_an_option_and_a_node_are_applied_and_the_plan_is_empty_after(make_network: MakeNetwork) -> None:
    """The plan is right before; the boot applies it; a second one has nothing to do; the chain goes on, and so do
    the transfers of a client. Another host of a node is no edit, but a move: the plan's own command makes it.
    """
    network = make_network("edited")
    network.write(TWO_HOSTS)
    network.boot()
    assert network.coord("plan", "--check").status == 0
    head = call(network, "defproducera", "chain/get_info")["head_block_num"]
    watcher = (free_port(), free_port())
    with network.inventory.open("a") as file:
        file.write('[nodeos.options]\nmax-clients = 33\n[[nodes]]\nname = "watcher"\nrole = "full"\nhost = "other"\n')
        file.write(f"p2p_port = {watcher[0]}\nhttp_port = {watcher[1]}\n")
    client = network.start("transfers", "--count", "200", "--rate", "5", "--json")
    client.await_match(r"transfers +\d+ in a block")
    planned = network.coord("plan", "--check")
    assert planned.status == DIFFERENT
    assert "+ local: defproducera options.max-clients: (none) -> 33 (the node is restarted)" in planned.out
    assert f"+ other: watcher: full node, p2p 127.0.0.1:{watcher[0]}" in planned.out
    assert (
        f"{network.inventory.name} applies it: 1 node starts; 3 nodes are restarted, one after the other" in planned.out
    )
    network.boot()
    served = client.wait()
    made = json.loads(served.text[served.text.index("{") :])
    assert (served.status, made["confirmed"], made["failed"]) == (0, 200, 0)
    assert "coord boot works on the network now, and has the transfers made meanwhile" in served.text
    assert network.coord("plan", "--check").status == 0
    assert "Nothing to do" in network.boot().out
    for node in network.ports:
        assert "max-clients = 33" in (network.data / "nodes" / node / "config.ini").read_text()
    network.ports["watcher"] = watcher
    assert call(network, "watcher", "chain/get_info")["head_block_num"] > head
    network.replace('host = "other"', 'host = "local"')
    moves = re.search(r"it runs on other; to move it: (.*)\)", network.coord("plan", "--check").out)
    assert moves
    assert network.typed(moves[1]).status == 0
    assert network.coord("plan", "--check").status == 0
    assert network.processes()["watcher"].alive
    network.replace("max-clients = 33", "max-clients = 0")
    network.replace("count = 20", "count = 21")
    refused = network.coord("plan", "--check")
    assert refused.status == DIFFERENT
    assert "! users: undo the edit; further accounts are created by transactions" in refused.out
    assert "users: undo the edit" in network.coord("boot").err


@pytest.fixture(scope="module")
def rolled(make_shared: MakeNetwork) -> Network:
    """Four producers in the schedule, on one host."""
    network = make_shared("rolled")
    network.write("[nodeos.options]\nmax-clients = 32", producers=4, elected=4)
    network.boot()
    return network


@pytest.mark.campaign
def test_four_producers_miss_no_block(rolled: Network) -> None:
    """All nodes of a network are restarted, each producer after its own turn, and no slot stays empty."""
    head = call(rolled, "defproducera", "chain/get_info")["head_block_num"]
    rolled.replace("max-clients = 32", "max-clients = 33")
    rolled.boot()
    assert missed_slots(rolled, "defproducerb", head) == 0
    assert rolled.coord("plan", "--check").status == 0


def options(network: Network) -> dict[str, str]:
    """The value that each producer's nodeos was started with."""
    names = [name for name in network.ports if name != "genesis"]
    texts = {name: (network.data / "nodes" / name / "config.ini").read_text() for name in names}
    return {name: re.findall(r"^max-clients = (\d+)$", text, re.MULTILINE)[0] for name, text in texts.items()}


@pytest.mark.campaign
@pytest.mark.advice("coordinator/workflows/changing/rolling.py: coord plan")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_roll_that_is_stopped_goes_on_or_back(rolled: Network, how: signal.Signals) -> None:
    """Ctrl-C, SIGTERM, kill -9 in the middle: every node runs, the plan shows what is left, and no slot is empty."""
    head = call(rolled, "defproducera", "chain/get_info")["head_block_num"]
    old = next(iter(options(rolled).values()))
    new = str(int(old) + 1)
    rolled.replace(f"max-clients = {old}", f"max-clients = {new}")
    boot = rolled.start("boot")
    boot.await_match(r"defproducer\w is restarted as the inventory now says[\s\S]*defproducer\w is restarted as")
    os.kill(boot.pid, how)
    done = boot.wait(30)
    assert done.status == (-how if how == signal.SIGKILL else 130), done.text
    if how != signal.SIGKILL:
        told = re.search(r"not seen to be back: (.*?)\. (\S*coord plan .*?) shows what is left", done.text)
        assert told, done.text
        assert {"a", "b", "c", "d"} > {name[-1] for name in told[1].split(", ") if name.startswith("defproducer")}
        assert rolled.typed(told[2]).status == 0

    def shown() -> bool:
        plan = rolled.coord("plan", "--check")
        assert plan.status == DIFFERENT
        left = set(re.findall(r"(defproducer\w) options.max-clients: ", plan.out))
        return left == {name for name, value in options(rolled).items() if value == old}

    until(shown, "the restart that had begun to be complete", 30)
    assert all(process.alive for process in rolled.processes().values())
    if how == signal.SIGTERM:
        rolled.replace(f"max-clients = {new}", f"max-clients = {old}")
    rolled.boot()
    assert set(options(rolled).values()) == {old if how == signal.SIGTERM else new}
    assert rolled.coord("plan", "--check").status == 0
    assert missed_slots(rolled, "defproducerb", head) == 0
