"""Fabric's Connection without its trust in anyone: every hop is verified, whatever ssh_config says.

Fabric itself takes each host key that it is shown, and builds the jump hosts of ssh_config so that they do, too.
"""

from __future__ import annotations

import logging
from base64 import b64decode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import fabric
import paramiko

from coordinator.hosts.deploy.errors import LoginRefused
from coordinator.hosts.deploy.hostkeys import USER_FILES, Known, Verify
from inventory.network import Ssh

CONNECT_SECONDS = 10
"""Time limit for each of these: the TCP connection, the server's greeting, the login, a new channel."""
SSH_PORT = 22

# paramiko logs tracebacks of what it raises anyway, and what it raises is explained in connection.py.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


class VerifiedLogin(fabric.Connection):  # type: ignore[misc]  # Fabric has no types
    """An address, and how to log in there; ssh_config and ssh-agent count, agent forwarding is never asked for."""

    def __init__(self, ssh: Ssh, *, is_hop: bool = False) -> None:
        """is_hop: of ssh_config's ProxyJump, which names all its hops.

        Raises HostKeyRefused on an unreadable file, LoginRefused where ssh_config makes no sense.
        """
        try:
            config = fabric.Config()
            own = config.base_ssh_config.lookup(ssh.address)
            super().__init__(
                host=ssh.address,
                user=ssh.user or None,
                # 22 may be the inventory's default: a port in ssh_config then counts.
                port=ssh.port if ssh.port != SSH_PORT else None,
                config=config,
                gateway=_gateway(ssh, own, is_hop),
                forward_agent=False,
                connect_timeout=CONNECT_SECONDS,
                connect_kwargs=_keys(ssh, own),
            )
        except (ValueError, paramiko.SSHException) as error:
            raise LoginRefused(f"ssh_config makes no sense for {ssh.address}: {error}") from error
        # As OpenSSH does: ssh_config may name files that are not on this machine. The inventory may not (check_key).
        files = self.connect_kwargs["key_filename"]
        self.connect_kwargs["key_filename"] = [name for name in files if Path(name).is_file()]
        if not self.connect_kwargs["allow_agent"]:
            self.connect_kwargs["pkey"] = agent_key(files)
        self._key = ssh.key
        self.client = paramiko.SSHClient()
        self.client.set_missing_host_key_policy(Verify(ssh, Known(_known_hosts(ssh, own))))

    @property
    def place(self) -> str:
        """The server, as known_hosts names it."""
        return str(self.host) if self.port == SSH_PORT else f"[{self.host}]:{self.port}"

    def check_key(self) -> None:
        """That the inventory's private key is one. Raises LoginRefused."""
        if self._key is None:
            return
        mend = f"correct ssh.key of {self.place} in the inventory"
        if not self._key.is_file():
            raise LoginRefused(f"there is no private key {self._key}: {mend}")
        if b"PRIVATE KEY-----" not in self._key.read_bytes():
            raise LoginRefused(f"{self._key} holds no private key in OpenSSH's format: {mend}")

    def derive_shorthand(self, host_string: str) -> dict[str, Any]:
        """The address as it is: an inventory has keys of their own for user and port."""
        return {"user": None, "host": host_string, "port": None}


def _keys(ssh: Ssh, own: Mapping[str, Any]) -> dict[str, Any]:
    """The inventory's key, else ssh_config's, the agent's and the user's usual ones."""
    only = own.get("identitiesonly", "no").lower() == "yes"
    return {
        "key_filename": [str(ssh.key)] if ssh.key else [],
        "look_for_keys": ssh.key is None and not only,
        "allow_agent": not only,
        "banner_timeout": CONNECT_SECONDS,
        "auth_timeout": CONNECT_SECONDS,
        "channel_timeout": CONNECT_SECONDS,
    }


def agent_key(files: Sequence[str]) -> paramiko.PKey | None:
    """ssh-agent's key of one of the identity files: the only one that `IdentitiesOnly` lets it offer."""
    try:
        held = {key.asbytes(): key for key in paramiko.Agent().get_keys()}
    except paramiko.SSHException:
        return None
    for name in files:
        with suppress(OSError, ValueError, IndexError):  # unreadable, or no public key
            found = held.get(b64decode(Path(name.removesuffix(".pub") + ".pub").read_text().split()[1]))
            if found is not None:
                return found
    return None


def _known_hosts(ssh: Ssh, own: Mapping[str, Any]) -> tuple[Path, ...]:
    if ssh.known_hosts is not None:
        return (ssh.known_hosts,)
    if "userknownhostsfile" in own:
        return tuple(Path(name) for name in own["userknownhostsfile"].split())
    return USER_FILES


def _gateway(ssh: Ssh, own: Mapping[str, Any], is_hop: bool) -> VerifiedLogin | str | bool:
    """The hop before: the inventory's, else ssh_config's ProxyJump or ProxyCommand. False: none."""
    if ssh.jump is not None:
        return VerifiedLogin(ssh.jump, is_hop=is_hop)
    jumps, command = str(own.get("proxyjump", "none")), str(own.get("proxycommand", "none"))
    if not is_hop and jumps.lower() != "none":
        last = jump_chain(jumps, ssh)
        return VerifiedLogin(last, is_hop=True) if last.address != ssh.address else False
    return command if command.lower() != "none" else False


def first_hop(ssh: Ssh) -> tuple[str, int]:
    """Address and port of the server that is dialled first; connects to nothing. Raises as VerifiedLogin does."""
    login: object = VerifiedLogin(ssh)
    while isinstance(login, VerifiedLogin):
        found = str(login.host), int(login.port)
        login = login.gateway
    return found


def jump_chain(hops: str, ssh: Ssh) -> Ssh:
    """ProxyJump's `[user@]host[:port],…` as the inventory would have written it: the last hop, with those before it.

    Each must be known as the host itself must. Raises ValueError.
    """
    found: Ssh | None = None
    for hop in hops.split(","):
        user, _, rest = hop.strip().removeprefix("ssh://").rpartition("@")
        address, colon, port = rest.rpartition(":")
        if not colon or not port.isdecimal():
            address, port = rest, str(SSH_PORT)
        found = Ssh(address.strip("[]"), int(port), user, ssh.key, ssh.known_hosts, host_key=ssh.host_key, jump=found)
    return replace(ssh, jump=None) if found is None else found
