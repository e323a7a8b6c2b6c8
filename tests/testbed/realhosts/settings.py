"""Names, addresses and the state folder."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

BRIDGE = "tb0"
SUBNET = "10.99.0"
MACHINE_ADDRESS = f"{SUBNET}.1"  # this machine's side of the bridge
FIRST_HOST_OCTET = 10
MOST_HOSTS = 254 - FIRST_HOST_OCTET
DEFAULT_SUITE = "bookworm"
SUITES = ("bookworm", "trixie")
DEFAULT_FOLDER = "/var/tmp/testbed"  # noqa: S108 - a fixed folder, so that the base is built once; only root writes to it

FAILED, MISUSED, UNABLE = 1, 2, 77  # 77: "skipped", as automake's test drivers have it


class TestbedError(Exception):
    """What went wrong in one line, and the exit status that says it to scripts."""

    __test__ = False  # not a test, whatever pytest makes of the name

    def __init__(self, message: str, status: int = FAILED) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, order=True)
class Host:
    """One host's fixed identity: everything follows from its number, from 1 to MOST_HOSTS."""

    number: int

    @classmethod
    def named(cls, name: str) -> Host:
        """The host called `name`; raises TestbedError (usage) for anything but h1, h2, ..."""
        match = re.fullmatch(r"h([1-9][0-9]{0,2})", name)
        if not match or int(match[1]) > MOST_HOSTS:
            raise TestbedError(f"{name!r} is not a host: hosts are called h1 to h{MOST_HOSTS}", MISUSED)
        return cls(int(match[1]))

    @property
    def name(self) -> str:
        """Its name, also that of its network name space."""
        return f"h{self.number}"

    @property
    def address(self) -> str:
        """Its IPv4 address."""
        return f"{SUBNET}.{FIRST_HOST_OCTET + self.number}"

    @property
    def mac(self) -> str:
        """Its own hardware address, fixed: neighbours need not learn a new one after each start."""
        return f"02:10:99:00:00:{FIRST_HOST_OCTET + self.number:02x}"

    @property
    def link(self) -> str:
        """The end of its cable at the bridge."""
        return f"tbv{self.number}"


@dataclass(frozen=True)
class Folder:
    """The state folder, and where things are in it."""

    path: Path

    @classmethod
    def from_environment(cls) -> Folder:
        """$TESTBED, or the default; raises TestbedError for a path that overlay options cannot hold."""
        path = os.environ.get("TESTBED") or DEFAULT_FOLDER
        if not re.fullmatch(r"/[A-Za-z0-9._/-]+", path):
            raise TestbedError(f"TESTBED={path!r}: use an absolute path of letters, digits and . _ - only", MISUSED)
        return cls(Path(path))

    @property
    def key(self) -> Path:
        """The private SSH key that every host lets in."""
        return self.path / "id"

    @property
    def known_hosts(self) -> Path:
        """The hosts' own keys, in OpenSSH's format."""
        return self.path / "known_hosts"

    def base(self, suite: str) -> Path:
        """The base image of a Debian suite."""
        return self.path / f"base-{suite}"

    def home(self, host: Host) -> Path:
        """What belongs to one host: its disk (upper, work, root) and its state."""
        return self.path / host.name

    def root(self, host: Host) -> Path:
        """A host's file system, as mounted."""
        return self.home(host) / "root"

    def suite(self, host: Host) -> str | None:
        """The Debian suite that a host was made of; None when making it was interrupted."""
        path = self.home(host) / "suite"
        return path.read_text() if path.exists() else None

    def hosts(self) -> list[Host]:
        """Every host that exists, running or not, in order."""
        return sorted(Host.named(p.name) for p in self.path.glob("h[1-9]*") if p.is_dir())

    def existing(self, name: str) -> Host:
        """The host called `name`; raises TestbedError when there is none."""
        host = Host.named(name)
        if not self.home(host).is_dir():
            raise TestbedError(f"there is no host {name} in {self.path}: see `hosts list`, or make it with `hosts up`")
        return host
