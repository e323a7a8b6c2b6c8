"""A host's keys from a backup: for a machine that replaces another, or for one whose key files are lost."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from coordinator.errors import OperationFailed, UsageProblem
from coordinator.hosts.fleet import deployment
from coordinator.hosts.keys import restore_keys
from coordinator.state.backup import open_backup, read_identities
from coordinator.state.folder import StateFolder
from inventory.network import Network


@dataclass(frozen=True)
class Source:
    """The backup that has a host's keys, and what opens it."""

    backup: Path | None = None
    identity: Path | None = None
    passphrase: str = ""

    def keys(self, host: str) -> bytes:
        """The host's keys, decrypted; empty if no backup was named. Raises UsageProblem, AgeError."""
        if self.backup is None:
            return b""
        if bool(self.identity) == bool(self.passphrase):
            raise UsageProblem("say how the backup is decrypted: either --identity FILE or --passphrase")
        with open_backup(self.backup) as backup:
            given = read_identities(self.identity) if self.identity else ()
            return backup.host_keys(host, backup.keys(given, self.passphrase))


def put_back(network: Network, root: Path, name: str, source: Source) -> tuple[str, ...]:
    """Hands a living host's agent the host's keys. Those that it has stay. Returns the accounts of the backup.

    The agent sees the files at once, and its nodes keep running. Raises UsageProblem, AgeError, OperationFailed,
    DeployError.
    """
    host = next((host for host in network.hosts if host.name == name), None)
    if host is None:
        raise UsageProblem(f"{network.source}: there is no host {name!r}")
    keys = source.keys(name)
    if not keys:
        raise UsageProblem("name the backup that has the keys: --backup FILE")
    if not StateFolder.exists(root, network.name):
        raise OperationFailed(f"{network.name} was never booted: no host has keys yet")
    with closing(StateFolder(root, network.name)) as state:
        ssh = None if host.local else deployment(state, network, lambda _host, _text: None)
        return restore_keys(state, host, keys, ssh)
