"""A schedule of 21 producers on five hosts gets another option, producer after producer; empty slots are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import pytest

from tests.hosts.living import TURN, Living, empty_slots, missing
from tests.hosts.operating import ROOT, Operator
from tests.testbed.realhosts.client import Testbed
from tests.waiting import until

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(3000)]

SCHEDULE = [f"defproducer{letter}" for letter in "abcdefghijklmnopqrstu"]
SECONDS = 1800.0
ROUND_SECONDS = 21 * 6.0
"""How long a producer is not needed: from the end of its turn to the end of its next one."""
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


@dataclass(frozen=True)
class Restart:
    """When a node was restarted (Unix time), and for how long it was not known to be back."""

    begun: float
    seconds: float


def restarts(operator: Operator) -> dict[str, Restart]:
    """The restarts of a rollout, from what it printed and when: after each comes another line once it is back."""
    times = list(zip(operator.lines, operator.moments, strict=True))
    return {
        line.split(": ")[1].split()[0]: Restart(moment, later - moment)
        for (line, moment), (_, later) in pairwise(times)
        if "is restarted as the inventory" in line
    }


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
    large.operator.boot()
    last = large.head(host) + TURN * (len(SCHEDULE) + 1)
    until(lambda: large.head(host) >= last, "a round after it", 200, every=1.0)
    restarted = restarts(large.operator)
    assert sorted(restarted) == sorted([*SCHEDULE, "genesis"])
    blocks = large.blocks(host, first, last)
    empty = empty_slots(blocks, SCHEDULE)
    own = Counter(name for name, moment in empty if 0 < moment - restarted[name].begun < ROUND_SECONDS)
    lost = Counter(name for name, _ in empty)
    print(f"{len(blocks)} blocks; empty slots before: {dict(before)}, during: {dict(lost)}")  # noqa: T201
    print(f"of these in the turn after one's own restart: {dict(own)}")  # noqa: T201
    print({name: f"{one.seconds:.1f} s" for name, one in restarted.items()})  # noqa: T201
    now = large.pids()
    assert not any(set(pids[name]) & set(now[name]) for name in large.hosts)
    assert all(count <= TURN for count in lost.values()), lost
    assert large.operator.run("plan", "--check")
    large.operator.run("verify")
