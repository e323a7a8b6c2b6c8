"""The operator's commands on a live network, one by one, on separate hosts."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from tests.hosts.living import SCHEDULE, TURN, Living, missing
from tests.waiting import until

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(900)]

NODE = "defproducera"


def paused(net: Living, host: str) -> bool:
    """The get_info of the node with HTTP port 8888 on a host."""
    return bool(net.ask(host, "producer/paused"))


def turn(net: Living) -> Counter[str]:
    """Empty slots of about one round from now on, by whose turn it was."""
    host = net.hosts[3]
    first = net.head(host)
    until(lambda: net.head(host) > first + 50, "a round of blocks", 90, every=1.0)
    return missing(net.blocks(host, first, first + 50), SCHEDULE)


def test_a_node_stops_starts_and_restarts(net: Living) -> None:
    """Each command shows in the host's processes and has no effect when repeated; one producer too many is refused."""
    home = net.hosts[1]
    before = net.pids()
    for _ in range(2):
        assert "is stopped" in net.operator.json("node", "stop", NODE)["said"]
        assert net.pids() == before | {home: []}
    assert "of 4 producers 1 may be away" in net.operator.run("node", "stop", "defproducerb", status=1)
    assert net.operator.json("node", "start", NODE)["said"] == f"{NODE} is started"
    assert net.operator.json("node", "start", NODE)["said"] == f"{NODE} runs already"
    started = net.pids()
    assert started[home]
    until(lambda: net.head(home) + 4 >= net.head(net.hosts[3]), "the node to follow", 60)
    assert net.operator.json("node", "restart", NODE)["said"] == f"{NODE} is restarted, and at the head again"
    again = net.pids()
    assert {host for host in again if again[host] != started[host]} == {home}


@pytest.mark.advice("coordinator/report/health.py: coord node resume …")
def test_a_producer_pauses_and_its_host_is_drained(net: Living) -> None:
    """Only the paused producer's slots are empty, by the blocks; then it signs again. Its node says the same."""
    home = net.hosts[1]
    for verb, away, back, name in (("node", "pause", "resume", NODE), ("host", "drain", "undrain", home)):
        for _ in range(2):
            net.operator.json(verb, away, name)
            assert paused(net, home)
        if verb == "host":
            assert set(turn(net)) == {NODE}
            status = net.operator.json("status")
            assert (status["silent"], status["paused"]) == ([NODE], [NODE])
            assert any(f"resume {NODE})" in problem for problem in status["problems"])
            assert "of 4 producers 1 may be away" in net.operator.run("host", "drain", net.hosts[2], status=1)
            assert not paused(net, net.hosts[2])
            net.operator.json("node", "resume", NODE)
            assert not paused(net, home)
        for _ in range(2):
            net.operator.json(verb, back, name)
            assert not paused(net, home)
    until(lambda: not turn(net), "a round without an empty slot", 120)


def test_logs_of_all_hosts_are_merged(net: Living) -> None:
    """Logs of every machine are merged by time, as JSON and as text; a level leaves out what is below it."""
    lines = [json.loads(line) for line in net.operator.run("logs", "--json", "--chatter", "-n", "40").splitlines()]
    assert len(lines) == 40
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)
    assert {*SCHEDULE, "genesis"} <= {line["source"] for line in lines}
    serious = map(json.loads, net.operator.run("logs", "--json", "--chatter", "--level", "warn").splitlines())
    assert {line["level"] for line in serious} <= {"warn", "error"}
    assert len(net.operator.run("logs", NODE, f"agent@{net.hosts[1]}", "-n", "6").splitlines()) == 6


def test_transfers_are_made_once(net: Living) -> None:
    """All transfers are confirmed; with the same seed nothing is sent again."""
    asked = ("transfers", "--count", "30", "--rate", "10", "--seed", "7")
    first, again = net.operator.json(*asked), net.operator.json(*asked)
    assert (first["confirmed"], first["failed"]) == (30, 0)
    assert (again["confirmed"], again["confirmed_before"]) == (0, 30)


def test_rewards_are_left_until_they_are_due(net: Living) -> None:
    """Before a day has passed since the registration, `coord claim` prints each producer's date and sends nothing."""
    claim = net.operator.json("claim")
    assert claim["claimed"] == []
    assert [row["account"] for row in claim["producers"]] == SCHEDULE
    assert all(row["due"] for row in claim["producers"])


def test_a_snapshot_is_taken_listed_and_fetched(net: Living, tmp_path: Path) -> None:
    """A fetched snapshot has the sha256 in its name, here and on the host that made it."""
    (taken,) = net.operator.json("snapshot", "take")["snapshots"]
    assert taken in net.operator.json("snapshot", "list")["snapshots"]
    net.operator.run("snapshot", "fetch", taken["name"], "--to", str(tmp_path / "state.bin"))
    assert hashlib.sha256((tmp_path / "state.bin").read_bytes()).hexdigest() == taken["sha256"]
    (host,) = taken["hosts"]
    there = net.testbed.ssh(host, "find /var/lib/bootcoord -type f -size +1M -size -9M -exec sha256sum {} +").stdout
    assert taken["sha256"] in there


def test_a_node_begins_anew_with_a_snapshot_of_another_host(net: Living) -> None:
    """A producer's: it fetches the snapshot, lacks the blocks before it, and signs again."""
    (taken,) = net.operator.json("snapshot", "list")["snapshots"]
    node = next(
        one for one in net.operator.json("status")["nodes"] if one["account"] and one["host"] not in taken["hosts"]
    )
    said = net.operator.run("snapshot", "restart", node["name"], "--snapshot", taken["name"])
    assert f"{node['name']} began with {taken['name']}, and has the newest blocks" in said
    (again,) = [one for one in net.operator.json("status")["nodes"] if one["name"] == node["name"]]
    assert again["since"] == taken["block"]
    first = net.head(net.hosts[3])
    until(lambda: net.head(net.hosts[3]) > first + 2 * TURN * len(SCHEDULE), "two rounds", 120, every=1.0)
    latest = net.blocks(net.hosts[3], first, net.head(net.hosts[3]))
    assert node["account"] in {block["producer"] for block in latest}


def test_the_report_and_the_monitoring_files_are_written(net: Living, tmp_path: Path) -> None:
    """The report names every producer, also as JSON; the files for Prometheus name every address."""
    net.operator.run("report", "-o", str(tmp_path / "report.html"))
    assert json.loads((tmp_path / "report.json").read_text())
    assert all(name in (tmp_path / "report.html").read_text() for name in SCHEDULE)
    net.operator.run("metrics", "-o", str(tmp_path / "monitoring"))
    names = {path.name for path in (tmp_path / "monitoring").iterdir()}
    assert names == {"prometheus.yml", "alerts.yml", "dashboard.json"}


def test_nothing_of_this_is_a_difference(net: Living) -> None:
    """Afterwards the plan is empty, and a boot has nothing to do."""
    net.operator.run("plan", "--check")
    assert "Nothing to do" in net.operator.boot()
    net.operator.run("verify")
