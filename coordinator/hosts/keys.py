"""Moves hosts' keys into a backup and back: encrypted on the host, or handed to its agent over SSH."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from coordinator.errors import OperationFailed
from coordinator.hosts.deploy.errors import DeployError
from coordinator.hosts.fleet import deployment
from coordinator.hosts.local import AGENT
from coordinator.state.folder import StateFolder
from inventory.network import Host, Network

if TYPE_CHECKING:
    from coordinator.hosts.deploy.deployment import SshDeployment

AGENT_SECONDS = 60.0


def back_up_keys(
    state: StateFolder,
    network: Network,
    names: Collection[str],
    recipients: Sequence[str],
    tell: Callable[[str], None],
) -> dict[str, bytes]:
    """The keys of these hosts, each encrypted there to the recipients (age1…). Raises OperationFailed if one fails."""
    hosts = [host for host in network.hosts if host.name in names]
    found: dict[str, bytes] = {}
    options = [word for recipient in recipients for word in ("--recipient", recipient)]
    for host in hosts:
        if host.local:
            found[host.name] = _local_agent(state, host, "keys-backup", *options)
    far = [host for host in hosts if not host.local]
    if far:
        results = deployment(state, network, lambda host, text: tell(f"{host}: {text}")).back_up_keys(far, recipients)
        failed = {name: result for name, result in results.items() if isinstance(result, DeployError)}
        if failed:
            raise OperationFailed(
                "; ".join(f"{name}: its keys cannot be read: {why}" for name, why in failed.items())
                + "; no backup was written"
            )
        found |= {name: base64.b64decode(result) for name, result in results.items() if isinstance(result, str)}
    return found


def restore_keys(state: StateFolder, host: Host, keys: bytes, ssh: SshDeployment | None) -> tuple[str, ...]:
    """Hands decrypted keys to the host's agent. Returns their accounts. ssh: for a host that is not this machine.

    Raises OperationFailed.
    """
    if ssh is None:
        return tuple(_local_agent(state, host, "keys-restore", stdin=keys).decode().split())
    return ssh.restore_keys(host, keys.decode())


def _local_agent(state: StateFolder, host: Host, command: str, *options: str, stdin: bytes = b"") -> bytes:
    data = state.host_data(host.name)
    if not data.is_dir():
        raise OperationFailed(f"{host.name}: {data} is missing: there are no keys of this host here")
    arguments = [*AGENT, command, "--data", str(data), *options]
    done = subprocess.run(arguments, input=stdin, capture_output=True, timeout=AGENT_SECONDS)  # noqa: S603
    if done.returncode:
        raise OperationFailed(f"{host.name}: {done.stderr.decode(errors='replace').strip() or 'agent failed'}")
    return done.stdout
