"""Snapshots as an operator has them: taken, listed, fetched, begun with by nodes of another host, and refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any

import pytest

from support import bundled
from support.artifacts import sha256_of
from tests.live.coordinator.network import TWO_HOSTS, MakeNetwork, Network
from tests.ports import free_port
from tests.waiting import until


@pytest.fixture(scope="module")
def network(make_shared: MakeNetwork) -> Network:
    """Booted to its end, with a second host on which nothing runs yet."""
    made = make_shared("snapped")
    made.write(TWO_HOSTS)
    made.boot()
    return made


def _snapshots(network: Network, *options: str) -> list[dict[str, Any]]:
    done = network.coord("snapshot", *options, "--json")
    assert done.status == 0, done.text
    found: list[dict[str, Any]] = json.loads(done.out)["snapshots"]
    return found


def _add(network: Network, name: str, rule: str) -> None:
    """A full node on the second host."""
    network.ports[name] = (free_port(), free_port())
    p2p, http = network.ports[name]
    with network.inventory.open("a") as file:
        file.write(f'\n[[nodes]]\nname = "{name}"\nhost = "other"\np2p_port = {p2p}\nhttp_port = {http}\n')
        file.write(f'snapshot = "{rule}"\n')


def _has_block(network: Network, node: str, number: int) -> bool:
    """Whether cleos gets it of the node."""
    command = [*bundled.fetch().command("cleos"), "-u", network.http(node), "get", "block", str(number)]
    return '"producer"' in subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout


@pytest.mark.advice("coordinator/workflows/using/snapshots.py: coord snapshot take")
def test_one_is_taken_listed_and_fetched(network: Network) -> None:
    """Its bytes have the sha256 of its name, here, on its host and where it is copied to; older ones go."""
    none = network.coord("snapshot", "restart", "defproducerb")
    assert (none.status, "there is no snapshot yet; run: " in none.err) == (1, True), none.text
    assert network.typed(none.err.partition("run: ")[2]).status == 0
    (taken,) = _snapshots(network, "list")
    assert (taken["hosts"], taken["here"], taken["node"]) == (["local"], True, "genesis")
    assert taken["block"] == int(taken["block_id"][:8], 16)
    to = network.folder / "state.bin"
    (fetched,) = _snapshots(network, "fetch", taken["name"], "--to", str(to))
    assert fetched["sha256"] == taken["sha256"] == sha256_of(to)
    shutil.rmtree(network.state / "snapshots")
    (again,) = _snapshots(network, "fetch", taken["sha256"][:8])
    assert sha256_of(network.state / "snapshots" / f"{taken['sha256']}.bin") == again["sha256"]
    newer = [_snapshots(network, "take", "defproducera", "--keep", "2")[0]["name"] for _ in range(2)]
    assert [one["name"] for one in _snapshots(network, "list")] == newer[::-1]
    unknown = network.coord("snapshot", "fetch", "1-0123456789ab")
    assert (unknown.status, unknown.out) == (1, "")
    assert "there is no snapshot '1-0123456789ab'; run: " in unknown.err
    assert unknown.err.endswith("coord snapshot snapped.toml take\n")


def test_a_late_node_begins_with_one(network: Network) -> None:
    """On a host that fetches it through the coordinator; what was chosen is said, and the audit finds all well."""
    _add(network, "late", "always")
    said = network.boot().text
    assert "1 of 1 node begins with a snapshot (nodeos.snapshot)" in said
    (node,) = [one for one in network.document("status")["nodes"] if one["name"] == "late"]
    assert node["since"] > 2
    assert not _has_block(network, "late", 2)
    assert _has_block(network, "late", node["head_block"])
    assert network.coord("verify").status == 0


def test_a_node_begins_anew_with_one_by_name(network: Network) -> None:
    """What it had is put aside. Whoever alone has all blocks keeps them."""
    name = _snapshots(network, "list")[0]["name"]
    done = network.coord("snapshot", "restart", "defproducerb", "--snapshot", name)
    assert done.status == 0, done.text
    assert f"defproducerb began with {name}, and has the newest blocks" in done.out
    assert not _has_block(network, "defproducerb", 2)
    assert list((network.data / "nodes" / "defproducerb" / "set-aside").glob("*/data"))
    network.coord("node", "stop", "genesis")
    refused = network.coord("snapshot", "restart", "defproducera")
    assert (refused.status, refused.out) == (1, "")
    assert "no other running node has all blocks of the chain" in refused.err
    network.coord("node", "start", "genesis")


def test_a_forged_one_is_refused(network: Network) -> None:
    """A row altered in the coordinator's copy and on its host: the node that fetches it syncs, and says why."""
    (taken,) = _snapshots(network, "take")
    path = network.state / "snapshots" / f"{taken['sha256']}.bin"
    with path.open("r+b") as file:
        file.seek(-1000, os.SEEK_END)
        file.write(b"\x7f")
    _add(network, "wary", "always")
    said = network.boot().text
    assert f"other: wary syncs from its peers: the snapshot {taken['sha256'][:16]}…" in said
    assert "it was changed on its way, or cut off" in said
    until(lambda: _has_block(network, "wary", 2), what="wary's first blocks")
    assert not list((network.state / "hosts" / "other" / "snapshots").glob("*.part"))
