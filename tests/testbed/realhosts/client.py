"""`hosts` as a class, for tests."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import access, capability, network
from .locks import MACHINE, locked
from .oddities import Oddity
from .settings import DEFAULT_SUITE, FAILED, UNABLE, Folder, Host, TestbedError

SCRIPT = Path(__file__).parent.parent / "hosts"
VERB_SECONDS = 600.0  # `up` may have to build a base image
SSH_SECONDS = 60.0
KNOWN_BY_NAME = 10
"""h1 to h10 are for `up`, as inventories name them."""


@dataclass
class Testbed:
    """The one testbed of this machine. Failing verbs raise TestbedError with what `hosts` said.

    Several runs may share it: `close` removes the hosts that came up through this object, and no others.
    """

    __test__ = False

    folder: Folder
    made: list[str] = field(default_factory=list)
    """The hosts that did not exist before."""

    @classmethod
    def find(cls) -> Testbed:
        """The testbed that is up, else one to bring up in $TESTBED; TestbedError says why there can be none."""
        folder = Folder.from_environment()
        capability.require(folder)
        with locked(MACHINE):
            there = network.owner()
        return cls(Folder(there) if there else folder)

    @property
    def key(self) -> Path:
        """The private SSH key that lets in root, operator and careful."""
        return self.folder.key

    @property
    def known_hosts(self) -> Path:
        """The hosts' own SSH keys, in OpenSSH's format."""
        return self.folder.known_hosts

    def address(self, name: str) -> str:
        """The IPv4 address of a host."""
        return Host.named(name).address

    def suite(self, name: str) -> str | None:
        """The Debian suite of a host."""
        return self.folder.suite(Host.named(name))

    def up(self, count: int, suite: str = DEFAULT_SUITE) -> list[str]:
        """Bring h1 to h`count` up, making those that do not exist of `suite`; returns their names."""
        return self._up([Host(number) for number in range(1, count + 1)], suite)

    def add(self, count: int, suite: str = DEFAULT_SUITE) -> list[str]:
        """Make so many hosts more, for tests that want some of their own, beside other runs; returns their names."""
        return self._up(self._reserve(count), suite)

    def remove(self, *names: str) -> None:
        """Remove hosts, disks included."""
        self._verb("down", *names)
        self.made = [name for name in self.made if name not in names]

    def ssh(
        self,
        name: str,
        *command: str,
        user: str = "root",
        stdin: str | None = None,
        check: bool = True,
        seconds: float = SSH_SECONDS,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on a host over the network. `check` raises TestbedError when its status is not 0."""
        return _run(self.ssh_command(name, *command, user=user), stdin, check=check, seconds=seconds)

    def ssh_command(self, name: str, *command: str, user: str = "root") -> list[str]:
        """The command line that `ssh` runs, for a test that wants the process itself."""
        return [*access.ssh_command(self.folder, Host.named(name), user), *command]

    def console(self, name: str, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command on a host as root, also while it is cut or firewalled."""
        return self._hosts("console", name, *command, check=check, seconds=SSH_SECONDS)

    def cut(self, name: str) -> None:
        """Unplug a host from the network."""
        self._verb("cut", name)

    def heal(self, name: str) -> None:
        """Plug a host in again."""
        self._verb("heal", name)

    def kill(self, name: str) -> None:
        """Pull a host's power; its disk stays."""
        self._verb("kill", name)

    def start(self, name: str) -> None:
        """Power a host on, and wait until it takes logins."""
        self._verb("start", name)

    def reboot(self, name: str | None = None) -> None:
        """Reboot a host, or all of them, cleanly, and wait until logins are taken again."""
        self._verb("reboot", name or "--all")

    def firewall(self, name: str, ports: Sequence[int] | None) -> None:
        """Let a host take only answers, and new TCP connections to `ports`; None opens it again."""
        self._verb("firewall", name, *(["off"] if ports is None else ["out-only", *map(str, ports)]))

    def make_odd(self, name: str, *oddities: Oddity) -> None:
        """Make a host one as people have them; what is mounted for that is gone once it was off."""
        self._verb("odd", name, *oddities)

    def close(self) -> None:
        """Remove the hosts that came up through this object; the last one takes the network with it."""
        there = {host.name for host in self.folder.hosts()}
        if left := [name for name in self.made if name in there]:
            self.remove(*left)

    def _reserve(self, count: int) -> list[Host]:
        """Hosts beyond those that `up` is for; from now on their numbers are taken."""
        self.folder.path.mkdir(parents=True, exist_ok=True)
        with locked(self.folder.path / "numbers.lock"):
            highest = max((host.number for host in self.folder.hosts()), default=0)
            first = max(highest, KNOWN_BY_NAME) + 1
            hosts = [Host(number) for number in range(first, first + count)]
            for host in hosts:
                self.folder.home(host).mkdir()
        self.made += [host.name for host in hosts]
        return hosts

    def _up(self, hosts: Sequence[Host], suite: str) -> list[str]:
        names = [host.name for host in hosts]
        self.made += [host.name for host in hosts if host not in self.folder.hosts()]
        self._verb("up", *names, suite)
        return names

    def _verb(self, *arguments: str) -> None:
        self._hosts(*arguments, check=True, seconds=VERB_SECONDS)

    def _hosts(self, *arguments: str, check: bool, seconds: float) -> subprocess.CompletedProcess[str]:
        command = ["env", f"TESTBED={self.folder.path}", str(SCRIPT), *arguments]
        return _run(command, None, check=check, seconds=seconds)


def _run(command: list[str], stdin: str | None, *, check: bool, seconds: float) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(command, input=stdin or "", capture_output=True, text=True, check=False, timeout=seconds)
    if check and result.returncode:
        message = f"{' '.join(command)}: status {result.returncode}: {result.stderr.strip()}"
        raise TestbedError(message, UNABLE if result.returncode == UNABLE else FAILED)
    return result
