"""Parties and snapshots, on real nodeos: two sign one state, a third begins with it, a forged one is refused."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from tests.live.coordinator.network import MakeNetwork, Network
from tests.live.coordinator.parties.conftest import MakeParty, Party, Start
from tests.waiting import until

PARTIES = '[parties]\nsponsor = "sponsor"\nlimit = 4\nshare = "all"'


def _key(party: Party) -> str:
    """The account's key, as the party itself tells others."""
    found = re.search(r"its key here: (EOS\w+)", party.said())
    assert found
    return found[1]


def _forge(network: Network) -> str:
    """What somebody may do who controls the coordinator: a row altered, and the file named by its new hash."""
    store = network.state / "snapshots"
    (path,) = store.glob("*.vouchers")
    data = bytearray(path.with_suffix(".bin").read_bytes())
    data[-1000] ^= 1
    sha256 = hashlib.sha256(data).hexdigest()
    known = json.loads(path.with_suffix(".json").read_text())
    (store / f"{sha256}.bin").write_bytes(data)
    (store / f"{sha256}.vouchers").write_bytes(path.read_bytes())
    (store / f"{sha256}.json").write_text(json.dumps(known | {"sha256": sha256, "taken": known["taken"] + 1}))
    return sha256


@pytest.mark.campaign
def test_a_party_begins_with_what_others_have_signed(
    make_network: MakeNetwork, make_party: MakeParty, start: Start
) -> None:
    """Alice and Bob execute all blocks, and sign the same bytes as the operator's node wrote. Carol trusts them and
    begins with that snapshot; Dave is offered a forged one, refuses it, and syncs.
    """
    network = make_network("vouched")
    network.write(PARTIES, producers=1, elected=1)
    serving = start(network, "boot", "--serve")
    serving.await_text("phase live")
    alice, bob = make_party(network, "alice", "aliceaccount"), make_party(network, "bob", "bobaccount11")
    for party in (alice, bob):
        party.join()
        until(lambda party=party: "in sync" in party.said(), f"{party.name}'s node to sync", 120)

    done = network.coord("snapshot", "take", "--vouch", "--json")
    assert done.status == 0, done.text
    (taken,) = json.loads(done.out)["snapshots"]
    assert taken["vouchers"] == ["aliceaccount", "bobaccount11"]
    assert all(f"sha256 {taken['sha256']}" in party.said() for party in (alice, bob))

    trust = [f"--snapshot-trust={party.account}={_key(party)}" for party in (alice, bob)]
    carol = make_party(network, "carol", "carolaccount")
    carol.serve(*carol.invited(), "--snapshot=always", *trust)
    begun = f"the node begins with a snapshot of block {taken['block']} ({taken['sha256'][:16]}…)"
    until(lambda: begun in carol.said(), "Carol's node to begin", 120)
    until(lambda: "peers' blocks follow the snapshot" in carol.said(), "the peers' blocks", 60)
    until(lambda: "in sync" in carol.said(), "Carol's node to sync", 60)

    forged = _forge(network)
    dave = make_party(network, "dave", "daveaccount1")
    dave.serve(*dave.invited(), "--snapshot=always", *trust)
    refused = f"a snapshot of block {taken['block']} ({forged[:16]}…) is refused: "
    until(lambda: refused in dave.said(), "Dave's agent to refuse", 120)
    assert "has signed another state of block" in dave.said()
    until(lambda: "in sync" in dave.said(), "Dave's node to sync", 120)
