"""Fills in the hosts, how to reach them, and the coordinator's own address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from inventory import syntax
from inventory.errors import Problems
from inventory.model import CoordinatorTable, HostTable, JumpTable, SshTable
from inventory.network import BUNDLED, Host, HostKeyPolicy, Ssh, Sudo
from inventory.parse import join
from inventory.services import serving_address

LOOPBACK = "127.0.0.1"


def hosts(
    tables: tuple[HostTable, ...], shared: SshTable, nodeos: str, folder: Path, problems: Problems
) -> tuple[Host, ...]:
    """The hosts; if the inventory lists none, this machine."""
    if wrong := _nodeos(nodeos):
        problems.add("nodeos.path", wrong, f'write "{BUNDLED}" or the path of nodeos on every host')
    if shared.address is not None:
        problems.add("ssh.address", "cannot be the same for all hosts", "write hosts.address or hosts.ssh.address")
    if not tables:
        return (Host("local", LOOPBACK, nodeos=nodeos),)
    found = []
    for index, table in enumerate(tables):
        path = f"hosts[{index}]"
        if wrong := syntax.identifier(table.name):
            problems.add(f"{path}.name", wrong)
        if table.name in {earlier.name for earlier in tables[:index]}:
            problems.add(f"{path}.name", f"{table.name} is listed twice")
        found.append(_host(table, path, shared, nodeos, folder, problems))
    _check_machines(found, problems)
    return tuple(found)


def _check_machines(hosts: Sequence[Host], problems: Problems) -> None:
    """A machine has one agent per network, in one folder."""
    known: dict[tuple[object, ...], str] = {}
    for index, host in enumerate(hosts):
        if host.ssh is None or not host.ssh.address:
            continue
        jump = host.ssh.jump and (host.ssh.jump.address, host.ssh.jump.port)
        key = (host.ssh.address, host.ssh.port, jump)
        if key in known:
            problems.add(
                f"hosts[{index}].address",
                f"{host.ssh.address} is the same machine as host {known[key]!r}",
                "list a machine once: a host may run any number of nodes",
            )
        known.setdefault(key, host.name)


def _host(table: HostTable, path: str, shared: SshTable, nodeos: str, folder: Path, problems: Problems) -> Host:
    address = table.address or (LOOPBACK if table.local else "")
    if not address:
        problems.add(f"{path}.address", "is missing", "write the address that other hosts dial, or local = true")
    elif wrong := syntax.address(address):
        problems.add(f"{path}.address", wrong)
    if table.nodeos is not None and (wrong := _nodeos(table.nodeos)):
        problems.add(f"{path}.nodeos", wrong, f'write "{BUNDLED}" or the path of nodeos on this host')
    if table.data and (wrong := syntax.absolute(table.data)):
        problems.add(f"{path}.data", wrong)
    if table.local and table.data:
        problems.add(
            f"{path}.data", "a local host's files are in the state folder", "remove it, and say where with --state DIR"
        )
    if wrong := syntax.login(table.user):
        problems.add(f"{path}.user", wrong)
    elif table.user == "root":
        problems.add(f"{path}.user", "agent and nodes never run as root", "name another user, or remove the key")
    if table.local and table.ssh != SshTable():
        problems.add(f"{path}.ssh", "a local host needs no SSH", "remove it, or local = true")
    if table.local and table.tunnel:
        problems.add(f"{path}.tunnel", "a local host needs no tunnel", "remove it")
    ssh = None if table.local else _ssh(table.ssh, shared, address, f"{path}.ssh", folder, problems)
    metrics = serving_address(table.metrics, f"{path}.metrics", problems) if table.metrics is not None else ""
    return Host(
        table.name, address, ssh, table.data, table.nodeos or nodeos, table.user, table.tunnel, metrics=metrics
    )  # fmt: skip


def _nodeos(text: str) -> str | None:
    return None if text == BUNDLED else syntax.absolute(text)


def _ssh(own: SshTable, shared: SshTable, address: str, path: str, folder: Path, problems: Problems) -> Ssh:
    """The host's own keys override the shared ones; mistakes in shared ones are reported once, under [ssh]."""

    def at(key: str) -> str:
        return join(path if getattr(own, key) is not None else "ssh", key)

    def said(key: str) -> str | None:
        value: str | None = getattr(own, key)
        fallback: str | None = getattr(shared, key)
        return value if value is not None else fallback

    port = own.port if own.port is not None else shared.port if shared.port is not None else 22
    user = said("user") or "root"
    if wrong := syntax.port(port):
        problems.add(at("port"), wrong)
    if wrong := syntax.ssh_user(user):
        problems.add(at("user"), wrong)
    if own.address is not None and (wrong := syntax.ssh_address(own.address)):
        problems.add(f"{path}.address", wrong)
    print_ = said("fingerprint")
    if print_ is not None and (wrong := syntax.fingerprint(print_)):
        problems.add(at("fingerprint"), wrong)
    jump = own.jump or shared.jump
    ssh = Ssh(
        address=own.address or address,
        port=port,
        user=user,
        key=_file(said("key"), at("key"), folder, problems),
        known_hosts=_file(said("known_hosts"), at("known_hosts"), folder, problems),
        fingerprint=print_,
        host_key=_policy(said("host_key"), at("host_key"), problems),
        sudo=_sudo(said("sudo"), user, at("sudo"), problems),
    )
    return ssh if jump is None else replace(ssh, jump=_jump(jump, ssh, at("jump"), folder, problems))


def _jump(table: JumpTable, host: Ssh, path: str, folder: Path, problems: Problems) -> Ssh:
    """The jump host. Its user, key and known_hosts default to those of the host behind it."""
    user = table.user or host.user
    checks = (
        ("address", syntax.ssh_address(table.address)),
        ("port", syntax.port(table.port)),
        ("user", syntax.ssh_user(user)),
        ("fingerprint", None if table.fingerprint is None else syntax.fingerprint(table.fingerprint)),
    )
    for key, wrong in checks:
        if wrong:
            problems.add(f"{path}.{key}", wrong)
    return Ssh(
        address=table.address,
        port=table.port,
        user=user,
        key=_file(table.key, f"{path}.key", folder, problems) or host.key,
        known_hosts=_file(table.known_hosts, f"{path}.known_hosts", folder, problems) or host.known_hosts,
        fingerprint=table.fingerprint,
        host_key=_policy(table.host_key, f"{path}.host_key", problems),
    )


def _file(text: str | None, path: str, folder: Path, problems: Problems) -> Path | None:
    """A file on the operator's machine. Whether it exists is checked when SSH needs it: a plan does not."""
    if text is None:
        return None
    if not text:
        problems.add(path, "is empty", "remove the key to use ssh's own default")
        return None
    return folder / Path(text).expanduser()


def _policy(text: str | None, path: str, problems: Problems) -> HostKeyPolicy:
    try:
        return HostKeyPolicy(text or HostKeyPolicy.STRICT)
    except ValueError:
        problems.add(path, f"{text!r} is neither strict nor accept-new")
        return HostKeyPolicy.STRICT


def _sudo(text: str | None, user: str, path: str, problems: Problems) -> Sudo:
    """By default root needs no sudo, and any other user is assumed to have it without a password."""
    try:
        return Sudo(text) if text is not None else Sudo.NONE if user == "root" else Sudo.PASSWORDLESS
    except ValueError:
        problems.add(path, f"{text!r} is not one of {', '.join(Sudo)}")
        return Sudo.NONE


_WITH_LOOPBACK = (LOOPBACK, "localhost", "0.0.0.0", "[::]", "::")  # noqa: S104


def coordinator(table: CoordinatorTable, of: tuple[Host, ...], problems: Problems) -> tuple[str, str | None]:
    """The address the coordinator listens on, and the one that agents dial."""
    near = all(host.local or host.tunnel for host in of)
    listen = table.listen if table.listen is not None else f"{LOOPBACK if near else '0.0.0.0'}:0"  # noqa: S104 (mTLS)
    if wrong := syntax.listening(listen):
        problems.add("coordinator.listen", wrong)
    near_by = [host.name for host in of if host.local or host.tunnel]
    if not wrong and near_by and listen.rpartition(":")[0] not in _WITH_LOOPBACK:
        problems.add(
            "coordinator.listen",
            f"{listen} is not on loopback, where the agents of {', '.join(near_by)} dial in",
            'write "0.0.0.0:PORT", and the address that the others dial as coordinator.advertise',
        )
    if table.advertise is not None and (wrong := syntax.address(table.advertise)):
        problems.add("coordinator.advertise", wrong)
    return listen, table.advertise
