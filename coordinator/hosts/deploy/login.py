"""Fabric's Connection with verified host keys: every hop is checked, whatever ssh_config says.

Fabric itself accepts any host key, also for ssh_config's jump hosts.
"""

from __future__ import annotations

import logging
import os
import shlex
import socket
from base64 import b64decode
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import fabric
import paramiko

from coordinator.hosts.deploy.errors import LoginRefused
from coordinator.hosts.deploy.hostkeys import Known, Verify
from coordinator.hosts.deploy.sshconfig import Reading, read
from inventory.network import SSH_PORT, Ssh

CONNECT_SECONDS = 10
"""Time limit for each of these: the TCP connection, the server's greeting, the login, a new channel."""

# paramiko also logs what it raises, with tracebacks; connection.py explains those errors instead.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


class VerifiedLogin(fabric.Connection):  # type: ignore[misc]  # Fabric has no types
    """An address, and how to log in there. ssh_config and ssh-agent apply; agent forwarding is never requested."""

    def __init__(self, ssh: Ssh, behind: tuple[str, ...] = ()) -> None:
        """behind: the hosts that are reached through this one.

        Raises HostKeyRefused on an unreadable file, LoginRefused on an invalid ssh_config.
        """
        # 22 may be the inventory's default: a port in ssh_config then counts.
        said = read(ssh.address, ssh.port if ssh.port != SSH_PORT else None, ssh.user, ssh.key)
        # As OpenSSH does: ssh_config may name files that are not on this machine. The inventory may not (check_key).
        keys = [str(path) for path in said.identities if path.is_file()]
        super().__init__(
            host=said.host,
            user=said.user,
            port=said.port,
            config=fabric.Config(ssh_config=paramiko.SSHConfig()),  # or Fabric would read the user's, in its own way
            gateway=_gateway(ssh, said, behind),
            forward_agent=False,
            connect_timeout=CONNECT_SECONDS,
            connect_kwargs={
                "key_filename": keys,
                "look_for_keys": False,  # the usual ones are among them
                "allow_agent": not said.identities_only and said.agent != "",
                "pkey": agent_key(said) if said.identities_only else None,
                "banner_timeout": CONNECT_SECONDS,
                "auth_timeout": CONNECT_SECONDS,
                "channel_timeout": CONNECT_SECONDS,
            },
        )
        self._key = ssh.key
        self.client = paramiko.SSHClient()
        if said.agent:
            self.client._agent = AgentAt(said.agent)  # type: ignore[attr-defined]  # else the environment's
        files = (ssh.known_hosts,) if ssh.known_hosts else (*said.user_known_hosts, *said.global_known_hosts)
        self.client.set_missing_host_key_policy(Verify(ssh, Known(files), said.known_as))

    @property
    def place(self) -> str:
        """The server, as known_hosts names it."""
        return str(self.host) if self.port == SSH_PORT else f"[{self.host}]:{self.port}"

    def check_key(self) -> None:
        """Checks the inventory's private key. Raises LoginRefused."""
        if self._key is None:
            return
        mend = f"correct ssh.key of {self.place} in the inventory"
        if not self._key.is_file():
            raise LoginRefused(f"there is no private key {self._key}: {mend}")
        if b"PRIVATE KEY-----" not in self._key.read_bytes():
            raise LoginRefused(f"{self._key} holds no private key in OpenSSH's format: {mend}")

    def derive_shorthand(self, host_string: str) -> dict[str, Any]:
        """The address unchanged: the inventory has separate keys for user and port."""
        return {"user": None, "host": host_string, "port": None}

    def open_gateway(self) -> Any:
        """What the connection goes through; a ProxyCommand is run by the user's shell, as OpenSSH does."""
        if isinstance(self.gateway, str):
            shell = os.environ.get("SHELL") or "/bin/sh"
            return paramiko.ProxyCommand(shlex.join([shell, "-c", f"exec {self.gateway}"]))
        return super().open_gateway()


class AgentAt(paramiko.agent.AgentSSH):
    """The ssh-agent at a socket that `IdentityAgent` names; without keys where none answers."""

    def __init__(self, path: str) -> None:
        super().__init__()
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(path)
            self._connect(connection)  # type: ignore[attr-defined]  # the stubs lack it
        except (OSError, paramiko.SSHException):
            connection.close()


def agent_key(said: Reading) -> paramiko.PKey | None:
    """ssh-agent's key for one of the identity files: with `IdentitiesOnly`, only such a key may be offered."""
    if said.agent == "":
        return None
    try:
        agent = AgentAt(said.agent) if said.agent else paramiko.Agent()
        held = {key.asbytes(): key for key in agent.get_keys()}
    except paramiko.SSHException:
        return None
    for path in said.identities:
        with suppress(OSError, ValueError, IndexError):  # unreadable, or not a public key
            public = Path(f"{str(path).removesuffix('.pub')}.pub")
            found = held.get(b64decode(public.read_text(encoding="utf-8").split()[1]))
            if found is not None:
                return found
    return None


def _gateway(ssh: Ssh, said: Reading, behind: tuple[str, ...]) -> VerifiedLogin | str | bool:
    """The previous hop: the inventory's, or else ssh_config's ProxyJump or ProxyCommand; False if there is none."""
    last = ssh.jump or (jump_chain(said.jumps, ssh) if said.jumps else None)
    if last is None:
        return said.command or False
    if last.address == ssh.address:
        return False
    if last.address in behind:
        raise LoginRefused(f"the jump hosts form a loop: {' through '.join((*behind, ssh.address, last.address))}")
    return VerifiedLogin(last, (*behind, ssh.address))


def first_hop(ssh: Ssh) -> tuple[str, int]:
    """Address and port of the server that is dialled first; connects to nothing. Raises as VerifiedLogin does."""
    login: object = VerifiedLogin(ssh)
    while isinstance(login, VerifiedLogin):
        found = str(login.host), int(login.port)
        login = login.gateway
    return found


def jump_chain(hops: str, ssh: Ssh) -> Ssh:
    """ProxyJump's `[user@]host[:port],…` as the inventory's form: the last hop, with those before it.

    Each hop's key is verified like the host's. ssh_config decides how the first one is reached.
    """
    found: Ssh | None = None
    for hop in hops.split(","):
        user, _, rest = hop.strip().removeprefix("ssh://").rpartition("@")
        address, colon, port = rest.rpartition(":")
        if not colon or not port.isdecimal():
            address, port = rest, str(SSH_PORT)
        found = Ssh(address.strip("[]"), int(port), user, ssh.key, ssh.known_hosts, host_key=ssh.host_key, jump=found)
    return replace(ssh, jump=None) if found is None else found
