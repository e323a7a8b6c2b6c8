"""Which parts of an installation are needed, and the unit that it writes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coordinator.hosts.deploy.bundle import Archive
from coordinator.hosts.deploy.enrolment import dials
from coordinator.hosts.deploy.installer import decide
from coordinator.hosts.deploy.unit import Installation
from inventory.network import Host, Ssh

CODE, LIBRARIES, NODEOS = "c" * 64, "d" * 64, "e" * 64
HOST = Host("h1", "10.0.0.1", Ssh("10.0.0.1"))
SHALL = Installation("net", HOST, "/usr/bin/python3", (CODE, LIBRARIES), NODEOS)
ARCHIVES = {name: Archive(Path(name), name) for name in (CODE, LIBRARIES, NODEOS)}
RECORD = {"bundles": [CODE, LIBRARIES], "python": "/usr/bin/python3", "runtime": NODEOS}
GOOD: dict[str, Any] = {
    "held": [CODE, LIBRARIES, NODEOS],
    "record": RECORD,
    "unit": SHALL.unit_text(),
    "systemd": True,
    "enabled": True,
    "active": True,
}


@pytest.mark.parametrize(
    ("differs", "enrolled", "sent", "changes", "restart"),
    [
        ({}, True, [], [], False),
        ({"active": False}, True, [], ["agent started"], False),
        ({"enabled": False}, True, [], ["agent started"], False),
        ({"systemd": False, "enabled": False, "unit": ""}, True, [], [], False),
        ({}, False, [], ["agent enrolled"], True),
        ({"unit": "other"}, True, [], ["unit renewed"], True),
        ({"held": [CODE, NODEOS]}, True, [LIBRARIES], ["files restored"], True),
        (
            {"held": [LIBRARIES, NODEOS], "record": {**RECORD, "bundles": ["b" * 64, LIBRARIES]}},
            True,
            [CODE],
            ["agent upgraded"],
            True,
        ),
        ({"record": {**RECORD, "python": "/usr/bin/python3.12"}}, True, [], ["agent upgraded"], True),
        (
            {"held": [], "record": None, "unit": "", "active": False, "enabled": False},
            False,
            [CODE, LIBRARIES, NODEOS],
            ["agent installed", "nodeos installed", "agent enrolled"],
            True,
        ),
    ],
)
def test_only_what_is_missing_is_sent_and_changed(
    differs: dict[str, Any], enrolled: bool, sent: list[str], changes: list[str], restart: bool
) -> None:
    """Each difference leads to its own work; no difference to none."""
    plan = decide({**GOOD, **differs}, SHALL, ARCHIVES, enrolled)
    assert [archive.sha256 for archive in plan.send] == sent
    assert list(plan.changes) == changes
    assert plan.restart == restart


def test_another_networks_installation_brings_the_files_and_not_the_agent() -> None:
    """On a host that has all files, a new network is installed without sending any."""
    plan = decide({**GOOD, "record": None, "unit": ""}, SHALL, ARCHIVES, False)
    assert (plan.send, plan.changes[0]) == ((), "agent installed")


def test_the_unit_runs_the_agent_unprivileged_and_leaves_nodes_alone() -> None:
    """The unit has each setting that the design relies on, once."""
    lines = SHALL.unit_text().splitlines()
    for needed in (
        "User=bootcoord",
        "KillMode=process",
        "Restart=always",
        "OOMPolicy=continue",
        "LimitNOFILE=65536",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "ReadWritePaths=/var/lib/bootcoord/net",
        "ExecStart=/usr/bin/python3 -P -s -m agent.cli serve --data /var/lib/bootcoord/net",
        f"Environment=PYTHONPATH=/opt/bootcoord/bundles/{CODE}:/opt/bootcoord/bundles/{LIBRARIES}",
        f"Environment=XDG_CACHE_HOME=/opt/bootcoord/runtimes/{NODEOS}",
        "WantedBy=multi-user.target",
    ):
        assert lines.count(needed) == 1, needed
    assert not any(line.startswith("MemoryDenyWriteExecute") for line in lines)


def test_the_agent_exports_its_metrics_where_the_inventory_says() -> None:
    """In the unit; without systemd, the record says what it was started with."""
    shall = replace(SHALL, host=replace(HOST, metrics="127.0.0.1:9101"))
    assert " serve --data /var/lib/bootcoord/net --metrics 127.0.0.1:9101\n" in shall.unit_text()
    assert decide(GOOD, shall, ARCHIVES, True).changes == ("unit renewed",)
    detached = {**GOOD, "systemd": False, "unit": ""}
    assert decide(detached, SHALL, ARCHIVES, True).changes == ()
    found = decide(detached, shall, ARCHIVES, True)
    assert (found.changes, found.restart) == (("options changed",), True)
    told = {**detached, "record": {**RECORD, "options": ["--metrics", "127.0.0.1:9101"]}}
    assert decide(told, shall, ARCHIVES, True).changes == ()


@pytest.mark.parametrize("change", [{"data": "/home/op/net/"}, {"nodeos": "/root/nodeos"}])
def test_homes_stay_visible_where_something_of_ours_lives_there(change: dict[str, str]) -> None:
    """For example a data folder or a nodeos in somebody's home."""
    text = replace(SHALL, host=replace(HOST, **change)).unit_text()  # type: ignore[arg-type]
    assert "ProtectHome=read-only\n" in text


@pytest.mark.parametrize("bad", ["/srv/a b", "/srv/a\nExecStartPre=/bin/sh", "/srv/%h", "/srv/$HOME", "/srv/'x'", ""])
def test_no_value_can_add_to_the_unit(bad: str) -> None:
    """Blanks, line ends, specifiers, variables and quotes are refused."""
    host = replace(HOST, data=bad or "\t")
    with pytest.raises(ValueError, match="systemd unit"):
        replace(SHALL, host=host).unit_text()


def test_an_agent_that_dials_elsewhere_is_enrolled_again() -> None:
    """agent.toml names the coordinator; a damaged one counts as another."""
    assert dials('coordinator = "10.0.0.9:7000"\n', "10.0.0.9:7000")
    assert not dials('coordinator = "10.0.0.9:7000"\n', "10.0.0.9:7001")
    assert not dials("", "10.0.0.9:7000")
    assert not dials("coordinator = ", "10.0.0.9:7000")
