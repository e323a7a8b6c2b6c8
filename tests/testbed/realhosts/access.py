"""SSH: the key that hosts let in, the hosts' own keys, and the client's command line."""

from __future__ import annotations

import shutil
from pathlib import Path

from .command import run
from .settings import Folder, Host, TestbedError

OPERATOR = "operator"  # sudo without a password
CAREFUL = "careful"  # sudo asks for a password
CAREFUL_PASSWORD = "testbed-password"  # its purpose is to be known
HOST_KEY = Path("etc/ssh/ssh_host_ed25519_key")


def ensure_client_key(folder: Folder) -> None:
    """Make the key pair, unless it is there."""
    if not folder.key.exists():
        _generate(folder.key, "testbed")


def install_keys(folder: Folder, host: Host) -> None:
    """Let the client's key in for every user, and give the host a key of its own."""
    root = folder.root(host)
    public = folder.key.with_suffix(".pub").read_text()
    for home in (root / "root", root / "home" / OPERATOR, root / "home" / CAREFUL):
        owner = home.stat()
        ssh = home / ".ssh"
        ssh.mkdir(mode=0o700, exist_ok=True)
        (ssh / "authorized_keys").write_text(public)
        for path in (ssh, ssh / "authorized_keys"):
            shutil.chown(path, owner.st_uid, owner.st_gid)
    if not (root / HOST_KEY).exists():
        _generate(root / HOST_KEY, f"root@{host.name}")


def write_known_hosts(folder: Folder) -> None:
    """Collect the hosts' public keys from their own file systems: nothing a network says is trusted."""
    lines = []
    for host in folder.hosts():
        # The layer that only this host writes holds its key, mounted or not.
        public = (folder.home(host) / "upper" / HOST_KEY).with_suffix(".pub")
        if public.exists():
            kind, key = public.read_text().split()[:2]
            lines.append(f"{host.name},{host.address} {kind} {key}\n")
    part = folder.known_hosts.with_suffix(".part")
    part.write_text("".join(lines))
    part.replace(folder.known_hosts)


def ssh_command(folder: Folder, host: Host, user: str = "root") -> list[str]:
    """The client's command line for a host, without the remote command; raises TestbedError before the first `up`."""
    if not folder.known_hosts.exists():
        raise TestbedError(f"there is no testbed in {folder.path}: make one with `hosts up N`")
    options = (
        "BatchMode=yes",
        "ConnectTimeout=5",
        "IdentitiesOnly=yes",
        "LogLevel=ERROR",
        "StrictHostKeyChecking=yes",
        f"UserKnownHostsFile={folder.known_hosts}",
        "GlobalKnownHostsFile=/dev/null",
    )
    words = ["ssh", "-F", "none", "-i", str(folder.key)]
    return [*words, *(word for option in options for word in ("-o", option)), f"{user}@{host.address}"]


def _generate(path: Path, comment: str) -> None:
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path)
