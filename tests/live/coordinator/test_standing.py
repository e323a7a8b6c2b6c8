"""A stalled chain: eosio resigned too early, every node was killed. `coord` reports it, and repairs it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import time

from antelope.http import NodeClient
from antelope.keys import PrivateKey
from antelope.transaction import Transaction
from boot.blueprint import Blueprint
from boot.step import Push
from boot.steps import resign
from inventory.sealed import Sealed
from support.artifacts import ArtifactStore
from tests.live.coordinator.network import MakeNetwork, Network
from tests.waiting import until


def resign_by_hand(network: Network) -> None:
    """As somebody would who has eosio's key, and types the printed commands without waiting."""
    sealed = Sealed.parse((network.state / "sealed.json").read_bytes())
    work = resign.work(Blueprint(sealed, ArtifactStore(network.state / "artifacts").get))[0]
    assert isinstance(work, Push)
    actions = work.actions
    keys = json.loads((network.data / "keys" / "signing.json").read_text())["producers"]
    key = PrivateKey.parse(next(entry["pvt"] for entry in keys if entry["name"] == "eosio"))

    async def push() -> None:
        async with NodeClient(network.http("genesis")) as node:
            info = await node.get_info()
            transaction = Transaction(int(time.time()) + 60, *Transaction.tapos_from(info.head_block_id), actions)
            await node.send_transaction(transaction.sign(info.chain_id, [key]))

    asyncio.run(push())


def test_resigned_too_early_then_all_nodes_killed(make_network: MakeNetwork) -> None:
    """The resignation proves nothing: the votes are cast, the elected sign, and only then eosio's node retires. After a
    kill -9 of all nodes the chain is said to stand, and a boot has it make blocks again.
    """
    network = make_network("early")
    network.write()
    network.boot("--until", "register")
    resign_by_hand(network)
    check = network.coord("status", "--check")
    assert (check.status, "phase booting" in check.out) == (0, True), check.text
    done = network.boot()
    assert "phase live" in done.out
    assert "eosio resigned" not in done.out
    check = network.coord("status", "--check")
    assert (check.status, "phase live" in check.out) == (0, True), check.text
    assert network.document("status")["schedule"] == ["defproducera"]
    nodes = [process for name, process in network.processes().items() if name != "agent"]
    for process in nodes:
        os.kill(process.pid, signal.SIGKILL)
    until(lambda: not any(process.alive for process in nodes), "they were killed")
    done = network.boot()
    assert "the chain has stalled; defproducera restarts it" in done.out
    assert "Nothing to do" not in done.out
    assert network.coord("status", "--check").status == 0
    verified = network.coord("verify")  # it was not born as planned: users voted, and a producer tried the canary
    assert re.search(r"FAIL  born: actions +\d+ are missing: execution of the canary, ", verified.out), verified.text
    assert "nothing is different today" in verified.out
