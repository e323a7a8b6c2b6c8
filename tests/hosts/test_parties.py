"""Independent parties on real hosts: four hosts of an operator, and three of parties to which the operator has no
access.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import base58
import coincurve
import pytest

from tests.hosts import leaks
from tests.hosts.operating import ROOT, Operator
from tests.hosts.partying import NETWORK, Party, Staying
from tests.testbed.realhosts.client import Testbed
from tests.testbed.realhosts.settings import Host as Machine
from tests.waiting import until

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(900)]

HOSTS = ("h1", "h2", "h3", "h4")
OPERATORS = {f"defproducer{letter}" for letter in "abcd"}
NODES = f"/var/lib/bootcoord/{NETWORK}/nodes"
TURN = 12


@dataclass
class World:
    """The operator with a running command, and the parties."""

    testbed: Testbed
    operator: Operator
    alice: Party
    bob: Party
    carol: Party
    coord: Staying

    @property
    def parties(self) -> tuple[Party, ...]:
        """The parties in the order in which they joined."""
        return self.alice, self.bob, self.carol

    @property
    def accounts(self) -> set[str]:
        """The accounts of all seven producers."""
        return OPERATORS | {party.account for party in self.parties}

    def disk(self, host: str) -> Path:
        """A host's files, seen from this machine."""
        return self.testbed.folder.root(Machine.named(host))

    def node_folders(self) -> list[Path]:
        """Of every node of the network."""
        own = [folder for host in HOSTS for folder in sorted((self.disk(host) / NODES.lstrip("/")).glob("*/"))]
        return own + [party.file(f"{party.data}/nodes/{party.account}") for party in self.parties]

    def pids(self) -> dict[str, int]:
        """Of every node, as its host numbers it."""
        return {
            str(folder): int(json.loads((folder / "process.json").read_text())["pid"]) for folder in self.node_folders()
        }

    def dialling(self, endpoint: str) -> set[str]:
        """The nodes whose config.ini has this peer."""
        line = f"p2p-peer-address = {endpoint}"
        return {str(one) for one in self.node_folders() if line in (one / "config.ini").read_text().splitlines()}

    def signers(self) -> set[str]:
        """Of the latest round's blocks, asked of Alice's node, two of each turn."""
        head = int(self.alice.cleos("get", "info")["head_block_num"])
        numbers = range(max(2, head - TURN * 8), head, TURN // 2)
        return {str(self.alice.cleos("get", "block", str(number))["producer"]) for number in numbers}


@pytest.fixture(scope="module")
def operator(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """An operator with inventory/testnet.toml, which has a sponsor for parties."""
    folder = tmp_path_factory.mktemp(NETWORK)
    text = (ROOT / "inventory" / "testnet.toml").read_text()
    text = text.replace('name = "testnet"', f'name = "{NETWORK}"').replace("/var/tmp/testbed", str(testbed.folder.path))  # noqa: S108
    text = text.replace("[parties] ", '[parties]\nshare = "all" ')  # three of them beside four are more than a third
    (folder / "partynet.toml").write_text(text)
    return Operator(folder / "partynet.toml", folder / "state")


@pytest.fixture(scope="module")
def world(testbed: Testbed, operator: Operator) -> Iterator[World]:
    """The operator's boot, in the middle of which Alice joins; the others have their software."""
    testbed.up(4)
    for host in HOSTS:
        assert not testbed.ssh(host, "ls /opt/bootcoord", check=False).stdout, f"{host} is in use: hosts down {host}"
    made = testbed.add(3)
    names = (("alice", "alice1111111"), ("bob", "bob111111111"), ("carol", "carol1111111"))
    alice, bob, carol = (Party(testbed, operator, host, *name) for host, name in zip(made, names, strict=True))
    for party in (alice, bob, carol):
        party.prepare()
    world = World(testbed, operator, alice, bob, carol, Staying.start(operator, "boot", "--serve"))
    try:
        world.coord.await_text("sealed: ", 240)
        alice.join()
        world.coord.await_text("Ctrl-C stops serving them", 300)
        yield world
    finally:
        world.coord.end()
        testbed.remove(*made)
        operator.run("down", "--purge", "--yes")


@pytest.fixture(scope="module")
def seven(world: World) -> World:
    """Bob, behind a firewall, and Carol have come after the handover, too."""
    world.testbed.firewall(world.bob.host, [world.bob.port])
    world.bob.join()
    world.carol.join()
    for party in world.parties:
        party.await_state("producing", seconds=240)
    return world


def all_sign(world: World, seconds: float) -> None:
    """Each of the seven is seen signing blocks."""
    seen: set[str] = set()

    def everybody() -> bool:
        seen.update(world.signers())
        return seen >= world.accounts

    until(everybody, "blocks of all seven", seconds)


def test_one_joins_in_the_middle_of_the_boot(world: World) -> None:
    """It is accepted before the handover; the boot continues as usual, and may vote for it afterwards."""
    printed = world.coord.text
    assert printed.index("party alice (alice1111111): registered") < printed.index("ok  handover")
    assert "phase live" in printed
    world.alice.await_state("votable", "voted for", "producing", seconds=60)


def test_all_seven_produce(seven: World) -> None:
    """By the printed command alone: in the active schedule, as cleos shows it at a party's node, and signing blocks."""
    schedule = seven.bob.cleos("get", "schedule", "-j")["active"]["producers"]
    assert {entry["producer_name"] for entry in schedule} == seven.accounts
    all_sign(seven, 120)
    assert seven.operator.json("status")["silent"] == []
    assert seven.testbed.ssh(seven.bob.host, "true", check=False).returncode != 0
    assert seven.operator.json("verify")["ok"] is True


def test_all_attest_with_signatures_that_hold(seven: World) -> None:
    """Three of three, each signed by the key that cleos shows as the account's, checked with nothing of ours."""
    until(lambda: seven.operator.json("parties")["attest"] == {"ok": 3, "of": 3}, "three attestations", 60)
    assert "3 of 3 attest" in seven.operator.run("parties")
    for party in seven.parties:
        row = party.shown()
        raw = base58.b58decode(row["signature"].removeprefix("SIG_K1_"))[:-4]
        digest = hashlib.sha256(row["document"].encode()).digest()
        signer = coincurve.PublicKey.from_signature_and_message(raw[1:] + bytes([raw[0] - 31]), digest, hasher=None)
        permissions = seven.alice.cleos("get", "account", party.account, "-j")["permissions"]
        (active,) = [one["required_auth"] for one in permissions if one["perm_name"] == "active"]
        assert base58.b58decode(active["keys"][0]["key"].removeprefix("EOS"))[:-4] == signer.format()
        assert json.loads(row["document"])["ok"] is True


def test_one_that_moves_is_found_by_nodes_that_run(seven: World) -> None:
    """With another p2p address: nodes that dialled the old one dial the new, without a restart and after one."""
    carol, old, before = seven.carol, seven.carol.p2p, seven.pids()
    neighbours = seven.dialling(old)
    assert neighbours
    carol.stop()
    carol.port = 9999
    carol.serve(f"agent serve --data {carol.data} --p2p {carol.p2p}")
    until(lambda: seven.dialling(carol.p2p) == neighbours and not seven.dialling(old), "all to dial the new one", 60)
    carol.await_state("producing", seconds=60)
    assert carol.shown()["p2p"] == carol.p2p
    after = seven.pids()
    assert {place for place in before if before[place] != after[place]} <= {str(seven.node_folders()[-1])}
    all_sign(seven, 120)


def test_private_keys_stay_at_home(seven: World) -> None:
    """Each party's are in its key store, its node's config.ini, and the memory of its agent and node, nowhere else."""
    keys = {party.name: leaks.keys_of(party.file(f"{party.data}/keys")) for party in seven.parties}
    assert {len(found) for found in keys.values()} == {2}
    everyone = leaks.forms(key for found in keys.values() for key in found)
    for party in seven.parties:
        homes = ("keys/accounts.json", "keys/signing.json", f"nodes/{party.account}/config.ini")
        assert leaks.in_files(party.disk, everyone) == {party.file(f"{party.data}/{home}") for home in homes}
    for folder in (*map(seven.disk, HOSTS), seven.operator.state):
        assert leaks.in_files(folder, everyone) == set()
    spoken = [party.root("journalctl --no-pager") + party.said() for party in seven.parties]
    spoken += [seven.testbed.ssh(host, "journalctl --no-pager").stdout for host in HOSTS] + [seven.coord.text]
    texts = [needle for needle in everyone if needle.isascii()]
    assert not [needle for needle in texts if any(needle in text.encode() for text in spoken)]

    own = {party.name: processes(party.host) for party in seven.parties}
    others = [seven.coord.process.pid, *(pid for host in HOSTS for pid in processes(host))]
    assert len(others) >= 1 + 2 * len(HOSTS)
    assert not [pid for pid in others if leaks.in_memory(pid, everyone)]
    for name, pids in own.items():
        assert [pid for pid in pids if leaks.in_memory(pid, leaks.forms(keys[name]))]
        strangers = leaks.forms(key for other in keys if other != name for key in keys[other])
        assert not [pid for pid in pids if leaks.in_memory(pid, strangers)]


def processes(host: str) -> list[int]:
    """Agents and nodes of a host, as this machine numbers them."""
    namespace = os.stat(f"/run/netns/{host}").st_ino
    found = []
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            ours = os.stat(f"/proc/{pid}/ns/net").st_ino == namespace
        except OSError:
            continue  # it ended meanwhile, or is none of a host's
        if ours and (b"agent.cli" in command or b"nodeos" in command):
            found.append(pid)
    return found


def test_the_chain_comes_back_without_a_coordinator(seven: World) -> None:
    """All seven hosts reboot at once; the agents, all systemd units, bring the nodes back, and one begins."""
    for party in seven.parties:
        party.stop()
        party.install_unit()
    seven.carol.await_state("producing", seconds=60)
    assert seven.coord.end() == 0
    before = int(seven.alice.cleos("get", "info")["head_block_num"])
    hosts = [*HOSTS, *(party.host for party in seven.parties)]
    with ThreadPoolExecutor(len(hosts)) as pool:
        list(pool.map(seven.testbed.reboot, hosts))
    began = time.monotonic()

    def moves() -> bool:
        try:
            return int(seven.alice.cleos("get", "info")["head_block_num"]) > before + 4 * TURN
        except (ValueError, OSError):
            return False  # it is not up yet

    until(moves, "new blocks", 480)
    print(f"{len(hosts)} hosts rebooted: the chain moves again after {time.monotonic() - began:.0f} s")  # noqa: T201
    all_sign(seven, 180)


def test_a_coordinator_that_comes_back_finds_all_parties(seven: World) -> None:
    """When the coordinator comes back, no party has to type anything."""
    seven.coord.end()
    seven.coord = Staying.start(seven.operator, "serve")
    seven.coord.await_text("parties dial", 60)
    for party in seven.parties:
        party.await_state("producing", seconds=60)
        assert party.shown()["why"] == "in the active schedule"


def test_one_that_is_elected_and_absent_is_named(seven: World) -> None:
    """Bob's node and agent end silently: two rounds later both tables say so."""
    seven.bob.root('systemctl stop "$1"', seven.bob.unit)
    seven.bob.type(f"agent down --data {seven.bob.data}")
    until(lambda: seven.operator.json("status")["silent"] == [seven.bob.account], "status to name Bob", 150)
    until(lambda: seven.bob.shown()["why"] == "its agent is away; it is elected but signs no blocks", "parties", 60)
    seven.bob.root('systemctl start "$1"', seven.bob.unit)
    until(lambda: seven.operator.json("status")["silent"] == [], "Bob's blocks", 150)


def test_a_revoked_ones_agent_ends_and_its_node_stays(seven: World) -> None:
    """Within seconds, for good, with the reason; its node's process and peers stay, and it keeps signing."""
    carol, pid = seven.carol, seven.carol.node_pid()
    assert "ended" in seven.operator.run("revoke", "carol")
    until(lambda: state(carol) == "failed", "Carol's agent to end", 10)
    assert carol.said().count("refuses this agent: carol was revoked") == 1
    assert "Traceback" not in carol.said()
    assert carol.node_pid() == pid
    carol.root('kill -0 "$1"', str(pid))
    assert carol.shown()["state"] == "revoked"
    all_sign(seven, 120)
    assert state(carol) == "failed"
    assert carol.root('systemctl show --value -p NRestarts "$1"', carol.unit).strip() == "0"


def state(party: Party) -> str:
    """The state of the party's unit."""
    return party.root('systemctl show --value -p ActiveState "$1"', party.unit).strip()
