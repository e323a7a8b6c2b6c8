"""Shared by the tests of installation and preflight: inventories of testbed hosts, and listings of disks."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from coordinator.agents.ca import CertificateAuthority
from coordinator.hosts.deploy.bundle import Bundle, build
from coordinator.hosts.deploy.deployment import SshDeployment
from coordinator.hosts.deploy.target import Target
from coordinator.state.folder import StateFolder
from inventory.load import load
from inventory.network import Host, Network, Ssh
from tests.testbed.realhosts.access import CAREFUL_PASSWORD
from tests.testbed.realhosts.client import Testbed
from tests.testbed.realhosts.settings import Host as Machine

COORDINATOR = "10.99.0.1:7999"
"""Nobody listens there: agents keep dialling."""

PASSING = ("proc", "sys", "dev", "run", "tmp", "var/tmp", "var/log", "var/lib/systemd", "var/lib/sudo", "etc/mtab")
"""What a running host changes by itself."""


def network(testbed: Testbed, folder: Path, names: Sequence[str], name: str = "testy") -> Network:
    """A network over these testbed hosts, reached as root."""
    hosts = "".join(f'[[hosts]]\nname = "{host}"\naddress = "{testbed.address(host)}"\n' for host in names)
    ssh = f'[ssh]\nkey = "{testbed.key}"\nknown_hosts = "{testbed.known_hosts}"\n'
    path = folder / f"{name}.toml"
    path.write_text(f'[network]\nname = "{name}"\n[producers]\ncount = 2\n{ssh}{hosts}')
    return load(path)


def over_ssh(host: Host, change: Callable[[Ssh], Ssh]) -> Host:
    """The same host with other SSH settings."""
    assert host.ssh is not None
    return replace(host, ssh=change(host.ssh))


@cache
def one_bundle(target: Target) -> Bundle:
    """One bundle for the whole run, because somebody may edit the code meanwhile."""
    return build(target)


class Operator:
    """A coordinator's state folder, and a deployment out of it; `asked` are the hosts whose password was wanted."""

    def __init__(
        self,
        folder: Path,
        of: Network,
        bundle: Callable[[Target], Bundle] = one_bundle,
        report: Callable[[str, str], None] = lambda _host, _text: None,
    ) -> None:
        self.folder = folder
        self.asked: list[str] = []
        state = StateFolder(folder / "state", of.name)
        authority = CertificateAuthority(state.folder / "ca", of.name)
        self.deployment = SshDeployment(state, of, authority, COORDINATOR, self.password, report, bundle)

    def password(self, host: str) -> str:
        """The password that the operator types."""
        self.asked.append(host)
        return CAREFUL_PASSWORD


def disk(testbed: Testbed, name: str) -> dict[str, tuple[object, ...]]:
    """Everything on a host's disk that does not change by itself: kind, mode, owners, and content or target."""
    root = testbed.folder.root(Machine.named(name))
    found: dict[str, tuple[object, ...]] = {}
    for folder, folders, files in os.walk(root):
        inside = os.path.relpath(folder, root)
        folders[:] = [each for each in folders if os.path.normpath(os.path.join(inside, each)) not in PASSING]
        for each in (*folders, *files):
            path, shown = os.path.join(folder, each), os.path.normpath(os.path.join(inside, each))
            if shown not in PASSING:
                found[shown] = _entry(path)
    return found


def _entry(path: str) -> tuple[object, ...]:
    info = os.lstat(path)
    content: object = None
    if stat.S_ISLNK(info.st_mode):
        content = os.readlink(path)
    elif stat.S_ISREG(info.st_mode):
        with open(path, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    return info.st_mode, info.st_uid, info.st_gid, content
