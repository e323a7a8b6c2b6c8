"""Which problems follow from a host's facts, and the probe run here."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coordinator.hosts.preflight import checks, machines, probe
from coordinator.hosts.preflight.checks import GIB, MIB, Clock, judge
from coordinator.hosts.preflight.machines import Here
from coordinator.hosts.preflight.model import Dial, HostProblem, Preflight, Row
from inventory.network import Host, Ssh

HOST = Host("h1", "10.0.0.1", Ssh("10.0.0.1"))
GOOD: dict[str, Any] = {
    "system": "Linux",
    "os": "Debian",
    "machine": "x86_64",
    "python": {"path": "/usr/bin/python3", "version": [3, 11], "libc": ["glibc", "2.36"], "problem": ""},
    "libc": ["glibc", "2.36"],
    "memory": 8 * GIB,
    "disk_free": 100 * GIB,
    "disk_used": 0.3,
    "systemd": True,
    "files": 1048576,
    "ports": {"9876": "", "8888": "own"},
    "places": {},
    "room": {},
    "libraries": [],
    "nodeos": {},
}


@pytest.mark.parametrize(
    ("differs", "clock", "problem"),
    [
        ({}, 0.05, None),
        ({"system": "FreeBSD"}, 0, ("os", True)),
        ({"machine": "riscv64"}, 0, ("cpu", True)),
        ({"python": {**GOOD["python"], "version": [3, 9], "problem": "it is Python 3.9"}}, 0, ("python", True)),
        ({"python": {**GOOD["python"], "libc": ["", ""]}}, 0, ("python", True)),
        ({"libc": ["glibc", "2.28"]}, 0, ("nodeos", True)),
        ({"machine": "aarch64"}, 0, ("nodeos", True)),
        ({"memory": 1 * GIB}, 0, ("memory", False)),
        ({"memory": 200 * MIB}, 0, ("memory", True)),
        ({"disk_free": 3 * GIB}, 0, ("disk", False)),
        ({"disk_free": 300 * MIB}, 0, ("disk", True)),
        ({"disk_used": 0.95}, 0, ("disk", True)),
        ({"places": {"/var/lib/bootcoord/net": "programs cannot run from /var/lib"}}, 0, ("disk", True)),
        ({"room": {"/var/tmp": 20 * MIB}}, 0, ("disk", True)),  # noqa: S108 (as hosts have it)
        ({"libraries": ["libz.so.1"]}, 0, ("nodeos", True)),
        ({"nodeos": {"error": "does not run", "log": "", "noexec": False, "nodes": "x"}}, 0, ("nodeos", True)),
        ({"systemd": False}, 0, ("service", False)),
        ({"files": 1024}, 0, ("files", False)),
        ({"ports": {"9876": "process 7 (nginx)"}}, 0, ("ports", True)),
        ({}, -0.2, ("clock", False)),
        ({}, 0.9, ("clock", True)),
    ],
)
def test_each_trouble_is_one_problem_with_a_hint(
    differs: dict[str, Any], clock: float, problem: tuple[str, bool] | None
) -> None:
    """In the right check, fatal or not; all other checks pass."""
    row, problems = judge(HOST, 2, {**GOOD, **differs}, Clock(clock, 0.001), "")
    wanted = {problem} if problem else set()
    assert wanted <= {(one.check, one.fatal) for one in problems}
    assert {one.check for one in problems} - {check for check, _ in wanted} <= (
        {"nodeos"} if "libc" in differs or "machine" in differs else set()
    )
    assert all(one.hint and one.message for one in problems)
    assert set(row.cells) == {
        "ssh",
        "os",
        "cpu",
        "python",
        "memory",
        "disk",
        "clock",
        "ports",
        "nodeos",
        "service",
        "sudo",
        "files",
    }


def test_a_nodeos_that_no_node_uses_is_not_tried() -> None:
    """A host may be there for a party, or for later."""
    row, problems = judge(replace(HOST, nodeos="/usr/bin/nodeos"), 0, GOOD, None, "")
    assert (row.cells["nodeos"], problems) == ("not used", ())


def test_a_slow_line_is_no_wrong_clock() -> None:
    """Half of the round trip is subtracted from the clock's difference."""
    assert judge(HOST, 1, GOOD, Clock(0.6, 0.55), "")[1] == ()


def test_the_table_and_the_matrix_show_every_host() -> None:
    """Unknown cells and untried pairs are dashes; one failing endpoint makes a pair a no."""
    rows = (Row("a", {"ssh": "yes"}), Row("b", {"ssh": "no"}))
    dials = (Dial("a", "b", "b:1", ""), Dial("a", "b", "b:2", "refused"))
    found = Preflight(rows, dials, (HostProblem("b", "ssh", True, "m", "h"), HostProblem("a", "disk", False, "m", "h")))
    assert found.table()[1][:3] == ("a", "yes", "-")
    assert found.matrix() == (("from / to", "a", "b"), ("a", "-", "no"), ("b", "-", "-"))
    assert found.hosts_in_trouble() == {"b"}
    assert [problem.host for problem in found.warnings] == ["a"]
    assert found.to_json()["ok"] is False


def test_a_port_that_takes_root_is_none() -> None:
    """The probe may be root, but the nodes are not."""
    free = next(port for port in range(1023, 1, -1) if probe._port("127.0.0.1", port, drop=False) == "")
    assert probe._port("127.0.0.1", free, drop=True) == "below 1024, which takes root"
    assert probe._port("203.0.113.7", 8080, drop=True) == "203.0.113.7 is not an address of this host"


def test_a_listener_says_who_it_is_and_ends_with_its_reader(tmp_path: Path) -> None:
    """A dialler can tell our listener from another server, and from none; afterwards the port is free."""
    with socket.create_server(("127.0.0.1", 0)) as probe_socket:
        port = probe_socket.getsockname()[1]
    endpoint = f"127.0.0.1:{port}"
    here = Here()
    with here.listening({"verb": "listen", "ports": [port], "name": "h1", "seconds": 60}):
        assert here.run({"verb": "dial", "endpoints": {endpoint: "h1"}}) == {endpoint: ""}
        assert here.run({"verb": "dial", "endpoints": {endpoint: "h2"}}) == {endpoint: "another machine answers"}
    assert here.run({"verb": "dial", "endpoints": {endpoint: "h1"}}) == {endpoint: "Connection refused"}


def test_endpoints_that_swallow_dials_are_dialled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a firewall each takes the whole time limit; together they take it once."""
    together = threading.Barrier(20, timeout=10)

    def swallowed(endpoint: str, name: str) -> str:
        together.wait()
        return f"{endpoint} {name}: timed out"

    monkeypatch.setattr(probe, "_dial", swallowed)
    endpoints = {f"192.0.2.{number}:9876": f"h{number}" for number in range(20)}
    found = probe.dial({"endpoints": endpoints})
    assert found == {endpoint: f"{endpoint} {name}: timed out" for endpoint, name in endpoints.items()}


def test_the_probe_looks_at_this_machine_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its facts have the types that the checks expect, and it starts no other Python."""
    monkeypatch.setattr(machines, "source", lambda *_: pytest.fail("sent the probe to another process"))
    request = {
        "verb": "look",
        "data": str(tmp_path / "not/there"),
        "user": "nobody",
        "own": True,
        "ports": [],
        "places": {str(tmp_path / "not/there"): True},
        "installed": str(tmp_path / "not/there"),
        "room": {str(tmp_path): 1 << 60, "/": 1},
        "libraries": ["libc.so.6", "libnowhere.so.7"],
        "nodeos": "",
        "bundled": "",
        "trials": [],
        "drop": False,
    }
    facts = Here().run(request)
    assert list(facts.pop("room")) == [str(tmp_path)]
    row, _problems = judge(Host("here", "127.0.0.1"), 0, {**facts, "room": {}}, None, "")
    assert row.cells["ssh"] == "local"
    assert facts["disk_free"] > 0
    assert facts["memory"] > 0
    assert (facts["places"], facts["libraries"]) == ({}, ["libnowhere.so.7"])
    assert list(tmp_path.iterdir()) == []


def test_thresholds_are_in_order() -> None:
    """The warning comes before the refusal."""
    assert checks.CLOCK_WARN < checks.CLOCK_FATAL
