"""Sixteen hosts cost no more than eight times two. By hand and before releases: `make campaign-hosts`."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from coordinator.hosts.deploy.installer import Installed
from tests.hosts.deploying import Operator, network
from tests.testbed.realhosts import cgroups
from tests.testbed.realhosts.client import Testbed
from tests.testbed.realhosts.settings import Host

FEW, MANY = 2, 16
MOST_GROWTH = 1.2
"""Of the CPU seconds per host."""


def busy_seconds(names: Sequence[str]) -> float:
    """CPU time that this process and the hosts have spent so far.

    Where hosts have no control groups of their own, that of the whole machine, which must do nothing else then.
    """
    hosts = [cgroups.cpu_seconds(Host.named(name)) for name in names]
    known = [seconds for seconds in hosts if seconds is not None]
    if len(known) == len(hosts):
        return time.process_time() + sum(known)
    user, nice, system, _idle, _wait, irq, softirq, *_ = map(
        int, Path("/proc/stat").read_text().split("\n")[0].split()[1:]
    )
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def install(testbed: Testbed, names: Sequence[str], folder: Path) -> tuple[float, set[int]]:
    """Installs, and removes again. CPU seconds per host, and the numbers of bytes sent."""
    folder.mkdir()
    net = network(testbed, folder, names)
    operator = Operator(folder, net)
    before = busy_seconds(names)
    done = operator.deployment.install(net.hosts)
    spent = busy_seconds(names) - before
    assert all(isinstance(report, Installed) for report in done.values()), done
    operator.deployment.down(net.hosts, purge=True)
    return spent / len(names), {report.sent for report in done.values() if isinstance(report, Installed)}


@pytest.mark.campaign
@pytest.mark.timeout(1800)
def test_an_installation_costs_the_same_per_host(testbed: Testbed, tmp_path: Path) -> None:
    """The same bytes to each of 16 hosts as to each of 2, and at most 1.2 times the CPU time."""
    names = testbed.add(MANY)
    try:
        install(testbed, names[:FEW], tmp_path / "first")  # bundle, caches
        few, bytes_few = install(testbed, names[:FEW], tmp_path / "few")
        many, bytes_many = install(testbed, names, tmp_path / "many")
    finally:
        testbed.remove(*names)
    figures = f"CPU seconds per host: {few:.2f} on {FEW}, {many:.2f} on {MANY}; bytes: {bytes_few}, {bytes_many}"
    print(figures)  # noqa: T201 (what docs/hosts.md says; pytest -s shows it)
    assert bytes_few == bytes_many
    assert len(bytes_many) == 1
    assert many <= MOST_GROWTH * few, f"{few:.2f} s per host on {FEW}, {many:.2f} s on {MANY}"
