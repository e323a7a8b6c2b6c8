"""Producers of a chain that runs: one gets another key, one retires, one joins. Seen through nodeos' own API, cleos and
the blocks.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.live.coordinator.network import MakeNetwork, Network
from tests.live.coordinator.test_changing import DIFFERENT, call, missed_slots

LARGE = 64 << 20
PRODUCER, OTHER, LATER = "defproducera", "defproducerb", "defproducerx"


def scheduled_key(network: Network, producer: str) -> str:
    """The key that the active schedule names, as a node tells it."""
    active = call(network, OTHER, "chain/get_producer_schedule")["active"]["producers"]
    entry = next(one for one in active if one["producer_name"] == producer)
    return str(entry["authority"][1]["keys"][0]["key"])


def registered_key(network: Network, producer: str) -> str:
    """The key in the contract's table, as cleos prints it."""
    bounds = ("--lower", producer, "--upper", producer)
    rows = network.cleos("get", "table", "eosio", "eosio", "producers", *bounds, node=OTHER)["rows"]
    return str(rows[0]["producer_key"])


def signing_file(network: Network) -> dict[str, dict[str, str]]:
    """What the host keeps of block-signing keys, by account."""
    document = json.loads((network.data / "keys" / "signing.json").read_text())
    return {row["name"]: row for row in document["producers"]}


def files_with(folder: Path, secret: str) -> list[str]:
    """Files below a folder that hold a text; the chain's state, a gigabyte, is not looked at."""
    small = (path for path in folder.rglob("*") if path.is_file() and path.stat().st_size < LARGE)
    return [str(path) for path in small if secret.encode() in path.read_bytes()]


def registrations(network: Network, first: int) -> int:
    """How many regproducer actions the blocks from that one on hold."""
    last = call(network, OTHER, "chain/get_info")["head_block_num"]
    found = 0
    for number in range(first, last + 1):
        block: dict[str, Any] = call(network, OTHER, "chain/get_block", {"block_num_or_id": number})
        for entry in block["transactions"]:
            actions = entry["trx"]["transaction"]["actions"] if isinstance(entry["trx"], dict) else ()
            found += sum(action["name"] == "regproducer" for action in actions)
    return found


def producer_of_head(network: Network) -> str:
    """Who signed the head block."""
    return str(call(network, OTHER, "chain/get_info")["head_block_producer"])


pytestmark = [pytest.mark.campaign, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def network(make_shared: MakeNetwork) -> Network:
    """Four elected producers, and a fifth that is registered only."""
    made = make_shared("rotated")
    made.write('[parties]\nsponsor = "sponsor"', producers=5, elected=4)
    made.boot()
    return made


def test_a_key_rotates_without_a_missed_block_and_after_a_kill(network: Network) -> None:
    """Killed after the registration and given again: one regproducer, the new key signs, the old one is nowhere, and
    no slot stays empty.
    """
    before = signing_file(network)[PRODUCER]
    head = call(network, OTHER, "chain/get_info")["head_block_num"]
    assert scheduled_key(network, PRODUCER) == before["pub"]
    running = network.start("keys", "rotate", PRODUCER)
    running.await_text("waits:")
    running.kill()
    done = network.coord("keys", "rotate", PRODUCER, "--json", seconds=400)
    assert done.status == 0, done.text
    said = json.loads(done.out)
    after = signing_file(network)[PRODUCER]
    assert "which was begun before, goes on" in done.err
    assert after["pub"] in said["said"]
    assert after["pub"] != before["pub"]
    assert scheduled_key(network, PRODUCER) == registered_key(network, PRODUCER) == after["pub"]
    assert files_with(network.state, before["pvt"]) == []
    assert registrations(network, head) == 1
    tail = call(network, OTHER, "chain/get_info")["head_block_num"]
    assert missed_slots(network, OTHER, head) == 0
    assert network.coord("wait", "--block", str(tail + 60)).status == 0
    assert missed_slots(network, OTHER, tail) == 0
    assert network.coord("plan", "--check").status == 0
    assert network.coord("verify").status == 0


def schedule(network: Network) -> set[str]:
    """As cleos prints it."""
    active = network.cleos("get", "schedule", "--json", node=OTHER)["active"]["producers"]
    return {one["producer_name"] for one in active}


def test_a_standby_takes_the_place_of_a_producer_that_retires(network: Network) -> None:
    """The schedule stays as large; the node is stopped, its keys are kept, and the next boot leaves it so."""
    done = network.coord("producer", "retire", "defproducerd", seconds=600)
    assert done.status == 0, done.text
    assert schedule(network) == {PRODUCER, OTHER, "defproducerc", "defproducere"}
    assert "defproducerd" in signing_file(network)
    assert "defproducerd" not in network.processes()
    assert network.coord("plan", "--check").status == 0
    assert "Nothing to do" in network.boot().out
    assert "cannot be spared" in network.coord("producer", "retire", "defproducerc").err


def test_a_producer_of_the_inventory_is_added_by_the_next_boot(network: Network) -> None:
    """With an account of the sponsor's making; the plan is right before and empty after."""
    with network.inventory.open("a") as file:
        file.write(f'\n[[producers.later]]\naccount = "{LATER}"\n')
    planned = network.coord("plan", "--check")
    assert planned.status == DIFFERENT
    assert f"+ local: {LATER}: producer node" in planned.out
    done = network.coord("boot", seconds=600)
    assert done.status == 0, done.text
    assert LATER in schedule(network)
    assert registered_key(network, LATER) == signing_file(network)[LATER]["pub"]
    assert network.coord("plan", "--check").status == 0
    assert "Nothing to do" in network.boot().out
    assert network.coord("verify").status == 0
