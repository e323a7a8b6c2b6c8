"""docs/hosts.md against the code."""

from __future__ import annotations

import re
from pathlib import Path

from coordinator.hosts.deploy import parallel, unit
from coordinator.hosts.deploy.onhost import base
from coordinator.hosts.deploy.target import MACHINES
from coordinator.hosts.preflight import checks
from inventory.load import load
from inventory.network import HostKeyPolicy, Sudo
from support.bundled import GLIBC

TEXT = (Path(__file__).parents[5] / "docs" / "hosts.md").read_text()


def test_the_example_inventory_means_what_is_said_about_it(tmp_path: Path) -> None:
    """It loads, and each host is reached as its comments say."""
    (example,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    path = tmp_path / "example.toml"
    path.write_text('[network]\nname = "example"\n[producers]\ncount = 2\n' + example)
    first, second = load(path).hosts
    assert first.ssh is not None
    assert second.ssh is not None
    assert (first.ssh.sudo, first.ssh.known_hosts) == (Sudo.PASSWORD, tmp_path / "known_hosts")
    assert first.ssh.jump is not None
    assert first.ssh.jump.address == "bastion.example.org"
    assert (second.tunnel, second.ssh.port, second.ssh.host_key) == (True, 2222, HostKeyPolicy.ACCEPT_NEW)


def test_the_figures_are_the_codes() -> None:
    """Places, limits and thresholds are those of the code."""
    assert base.ROOT == unit.ROOT
    for figure in (
        f"`{unit.ROOT}/bundles/SHA256/`",
        f"`{unit.DATA}/NETWORK/`",
        f"`/etc/systemd/system/{unit.unit_name('NETWORK')}`",
        f"{parallel.AT_ONCE} at a time, {parallel.HOST_SECONDS / 60:.0f} minutes",
        f"glibc before {GLIBC[0]}.{GLIBC[1]}",
        f"neither {' nor '.join(MACHINES)}",
        f"less than {checks.MEMORY_AGENT >> 20} MiB, and {checks.MEMORY_NODE >> 20} MiB per node",
        f"less than {checks.MEMORY_GROWTH >> 20} MiB more per node",
        f"less than {checks.DISK_INSTALL >> 20} MiB, and {checks.DISK_NODE >> 20} MiB per node",
        f"{checks.DISK_USED * 100:.0f} % full",
        f"less than {checks.DISK_GROWTH >> 30} GiB per node",
        f"{checks.CLOCK_FATAL} s off the operator's, or more | {checks.CLOCK_WARN} s or more",
    ):
        assert figure in TEXT, figure
