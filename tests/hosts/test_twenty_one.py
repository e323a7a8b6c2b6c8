"""A schedule of 21 producers on five hosts gets another option, producer after producer; empty slots are counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hosts.living import TURN, Living, missing
from tests.hosts.operating import ROOT, Operator
from tests.testbed.realhosts.client import Testbed
from tests.waiting import until

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(3000)]

SCHEDULE = [f"defproducer{letter}" for letter in "abcdefghijklmnopqrstu"]
SECONDS = 1800.0
INVENTORY = """\
[network]
name = "twentyone"
[users]
count = 20
[producers]
count = 21
elected = 21
[votes]
voters = 10
[ssh]
key = "{key}"
known_hosts = "{known_hosts}"
[nodeos]
options.chain-state-db-size-mb = 256
options.max-clients = 60
"""


@pytest.fixture(scope="module")
def large(testbed: Testbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    """The genesis node and four or five producers on each of five machines."""
    folder, hosts = tmp_path_factory.mktemp("large"), testbed.add(5)
    text = INVENTORY.format(key=testbed.key, known_hosts=testbed.known_hosts)
    text += "".join(f'[[hosts]]\nname = "{host}"\naddress = "{testbed.address(host)}"\n' for host in hosts)
    (folder / "large.toml").write_text(text)
    operator = Operator(folder / "large.toml", folder / "state", ROOT)
    operator.run("boot", seconds=SECONDS)
    yield Living(testbed, operator, hosts)
    testbed.remove(*hosts)


def test_each_of_21_is_restarted_right_after_its_turn(large: Living) -> None:
    """Every producer restarts once; each loses at most one turn, if a slow machine has it back only after that."""
    host = large.hosts[0]
    assert large.operator.json("status")["schedule"] == SCHEDULE
    quiet = large.head(host)
    until(lambda: large.head(host) >= quiet + 2 * TURN * len(SCHEDULE), "two rounds", 400, every=1.0)
    before = missing(large.blocks(host, quiet, large.head(host)), SCHEDULE)
    pids, first = large.pids(), large.head(host)
    large.edit("options.max-clients = 60", "options.max-clients = 61")
    assert "22 nodes are restarted, one after the other" in large.operator.run("plan", "--check", status=3)
    said = large.operator.run("boot", seconds=SECONDS)
    last = large.head(host)
    lost = missing(large.blocks(host, first, last), SCHEDULE)
    print(f"{last - first} blocks; empty slots before: {dict(before)}, during: {dict(lost)}")  # noqa: T201
    restarted = [
        line.split(": ")[1].split()[0] for line in said.splitlines() if "is restarted as the inventory" in line
    ]
    assert sorted(restarted) == sorted([*SCHEDULE, "genesis"])
    now = large.pids()
    assert not any(set(pids[name]) & set(now[name]) for name in large.hosts)
    assert all(count <= TURN for count in lost.values()), lost
    assert large.operator.run("plan", "--check")
    large.operator.run("verify")
