"""Producers of a chain that runs: one gets another key, one retires, one joins. Seen through nodeos' own API, cleos and
the blocks.
"""

from __future__ import annotations

import json
import re
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
    """Four elected producers, and a fifth that is registered only. Before that, none is added by a command."""
    made = make_shared("rotated")
    made.write('[parties]\nsponsor = "sponsor"', producers=5, elected=4)
    made.boot("--until", "genesis")
    text = made.inventory.read_text()
    refused = made.coord("producer", "add", LATER)
    assert (refused.status, "once eosio has resigned; run: " in refused.err) == (1, True), refused.text
    made.inventory.write_text(text)
    assert made.typed(refused.err.rpartition("run: ")[2], 400).status == 0
    return made


@pytest.mark.advice("coordinator/workflows/changing/producers.py: coord boot")
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
    assert "which was begun before, continues" in done.err
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


@pytest.mark.advice(
    "coordinator/workflows/changing/producers.py: coord producer add ACCOUNT --standby",
    "coordinator/workflows/changing/producers.py: coord producer add …",
)
def test_a_standby_takes_the_place_of_a_producer_that_retires(network: Network) -> None:
    """The schedule stays as large; the node is stopped, its keys are kept, and the next boot leaves it so."""
    done = network.coord("producer", "retire", "defproducerd", seconds=600)
    assert done.status == 0, done.text
    assert schedule(network) == {PRODUCER, OTHER, "defproducerc", "defproducere"}
    assert "defproducerd" in signing_file(network)
    assert "defproducerd" not in network.processes()
    assert network.coord("plan", "--check").status == 0
    assert "Nothing to do" in network.boot().out
    text = network.inventory.read_text()
    refused = network.coord("producer", "retire", "defproducerc")
    assert "cannot be spared" in refused.err
    first = refused.err.partition("Add a standby first: ")[2].replace("ACCOUNT", "defproducery")
    assert network.typed(first, 400).status == 0
    done = network.coord("producer", "retire", "defproducerc", seconds=600)
    assert done.status == 0, done.text
    assert schedule(network) == {PRODUCER, OTHER, "defproducere", "defproducery"}
    (back,) = re.findall(r"(\S*coord producer .* defproducerc) brings it back", done.out)
    assert network.typed(back, 600).status == 0
    assert schedule(network) == {PRODUCER, OTHER, "defproducerc", "defproducere", "defproducery"}
    assert network.inventory.read_text() == text + network.inventory.read_text()[len(text) :]


@pytest.mark.advice("coordinator/workflows/opening/unchanged.py: coord producer add ACCOUNT")
def test_a_producer_more_among_the_sealed_is_added_by_a_command(network: Network) -> None:
    """The edit is refused, with the command; undone, that command adds one."""
    text = network.inventory.read_text()
    network.inventory.write_text(text.replace("count = 5", "count = 6"))
    refused = network.coord("boot")
    assert refused.status == 2
    network.inventory.write_text(text)
    (line,) = re.findall(r"a new producer is added by (.*) \(docs/changing\.md\)", refused.err)
    assert network.typed(line.replace("ACCOUNT", "defproducerz"), 600).status == 0
    assert "defproducerz" in schedule(network)
    assert network.coord("plan", "--check").status == 0


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
