"""The allocation over the p2p port: each account made once, and limits as in the genesis, whoever dies meanwhile."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from collections import Counter
from typing import Any

import pytest

from antelope.keys import PrivateKey
from antelope.names import pack_name
from antelope.transaction import Transaction
from tests.live.coordinator.network import MakeNetwork, Network
from tests.waiting import until

SLOW = "[nodeos]\noptions = {{ cpu-effort-percent = {} }}\n"
"""nodeos fills so little of each block's time that a load of a moment can be cut off."""
RAISED = "[genesis]\nraise_limits = true\n"


def _names(count: int) -> list[str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return ["load" + "".join(letters[n // 26**place % 26] for place in (3, 2, 1, 0)) for n in range(count)]


def _written(make_network: MakeNetwork, name: str, count: int, more: str) -> Network:
    network = make_network(name)
    key = PrivateKey.generate().public
    (network.folder / "users.csv").write_text("".join(f"{one},{key},{100 + n % 7}.0000\n" for n, one in
                                                      enumerate(_names(count))))  # fmt: skip
    network.write(more, users='csv = "users.csv"', producers=1)
    return network


def _ask(network: Network, path: str, body: object, api: str = "chain") -> Any:
    """nodeos' answer, without anything of ours."""
    url = f"{network.http('genesis')}/v1/{api}/{path}"
    with urllib.request.urlopen(url, json.dumps(body).encode(), timeout=10) as answer:  # noqa: S310 (loopback)
        return json.load(answer)


def _made(network: Network) -> Counter[str]:
    """How often each account was made, by all blocks of the chain."""
    found: Counter[str] = Counter()
    for number in range(2, int(_ask(network, "get_info", {})["last_irreversible_block_num"]) + 1):
        for receipt in _ask(network, "get_raw_block", {"block_num_or_id": str(number)})["transactions"]:
            sent = receipt["trx"][1]
            if sent["compression"] == "none":  # contracts travel compressed
                actions = Transaction.unpack(bytes.fromhex(sent["packed_trx"])).actions
                found.update(action.data[8:16].hex() for action in actions if action.name == "newaccount")
    return found


def _check(network: Network, count: int) -> None:
    """Every account once, by the chain's own blocks; the limits by the chain's own word; a second boot does nothing."""
    made = _made(network)
    assert set(made.values()) == {1}
    assert {pack_name(name).hex() for name in _names(count)} <= set(made)
    limits = _ask(network, "get_consensus_parameters", {})["chain_config"]
    assert (limits["max_block_net_usage"], limits["max_block_cpu_usage"]) == (1048576, 200000)
    if "cpu-effort-percent" not in network.inventory.read_text():
        assert _ask(network, "get_runtime_options", {}, "producer")["cpu_effort_us"] == 450_000
    log = (network.state / "boot.log").read_text()
    network.boot("--until", "accounts")
    assert (network.state / "boot.log").read_text() == log


def _exists(network: Network, name: str) -> bool:
    rows = _ask(network, "get_table_rows", {"code": "eosio", "scope": name, "table": "userres", "json": True})
    return bool(rows["rows"])


def test_many_accounts_go_over_the_port(make_network: MakeNetwork) -> None:
    """Limits are raised in the first transaction and restored in the last; none of the others goes over HTTP."""
    network = _written(make_network, "loaded", 520, RAISED)
    network.boot("--until", "accounts")
    _check(network, 520)
    assert "one by one" not in (network.data / "agent.log").read_text()
    log = (network.state / "boot.log").read_text()
    set_to = [
        line.partition('"max_block_net_usage":')[2].split(",")[0] for line in log.splitlines() if "setparams" in line
    ]
    assert set_to == ["4194304", "1048576"]
    assert "setparams" in network.coord("plan", "--cleos").out


def test_a_node_that_takes_no_transactions_from_peers_gets_them_over_http(make_network: MakeNetwork) -> None:
    """And limits that the inventory wants untouched are: no transaction sets them."""
    more = "[genesis]\nraise_limits = false\n[nodeos]\noptions = { p2p-accept-transactions = false }\n"
    network = _written(make_network, "deaf", 520, more)
    network.boot("--until", "accounts")
    _check(network, 520)
    assert "setparams" not in (network.state / "boot.log").read_text()


@pytest.mark.parametrize(
    ("count", "effort"), [(520, 6), pytest.param(20_000, 30, marks=[pytest.mark.campaign, pytest.mark.timeout(900)])]
)
def test_whoever_dies_nothing_is_lost_or_doubled(make_network: MakeNetwork, count: int, effort: int) -> None:
    """kill -9 of the agent, then of nodeos, then of coord, each in the middle of the load."""
    network = _written(make_network, "dying", count, SLOW.format(effort) + RAISED)
    names = _names(count)
    boot = network.start("boot", "--until", "accounts")
    for part, victim in ((5, "agent"), (3, "genesis")):
        until(lambda at=count // part: network.ports and _there(network, names[at]), "the load has begun", 90)
        before = network.processes()[victim]
        os.kill(before.pid, signal.SIGKILL)
        until(lambda who=victim, old=before: _another(network, who, old.pid), f"{victim} is back", 60)
    until(lambda: _there(network, names[count // 2]), "half is there", 90)
    boot.kill()
    boot.wait(20)
    network.boot("--until", "accounts")
    _check(network, count)


def _there(network: Network, name: str) -> bool:
    try:
        return _exists(network, name)
    except OSError:  # the node has not started, or has ended, or has no contract yet
        return False


def _another(network: Network, name: str, pid: int) -> bool:
    found = network.processes().get(name)
    return found is not None and found.alive and found.pid != pid
