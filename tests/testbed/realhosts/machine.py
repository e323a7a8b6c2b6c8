"""A host's life. Callers hold the machine's lock for everything but waiting."""

from __future__ import annotations

import signal
import subprocess
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from . import access, cgroups, network
from .mounts import mount_overlay, remove_tree
from .process import Process, identify, in_namespace, is_container_init, kill_all, tree
from .settings import Folder, Host, TestbedError

REBOOT = signal.SIGRTMIN + 5  # to a container's systemd: reboot.target, systemd(1)
# Its first argument is the files of control groups that it enters. systemd-nspawn ends with 133 when its host asked for
# a reboot: each further round is the host coming back.
SUPERVISOR = 'for group in $1; do echo $$ > "$group" || exit 1; done; shift; until "$@"; [ $? -ne 133 ]; do :; done'
SYSTEMD = Path("/run/systemd/system")  # there: this machine's own systemd makes a scope for each host
READY_SECONDS = 120.0  # on two cores 16 hosts booting at once take their time
SSH_LISTENS = ("0016", "0A")  # local port 22, state LISTEN: /proc/net/tcp


def create(folder: Folder, host: Host, suite: str) -> None:
    """Make a host's disk, unless it has one: its own keys, names and machine id over the base of its suite."""
    home, root = folder.home(host), folder.root(host)
    if folder.suite(host):
        return
    if home.exists():
        remove(folder, host)
    elif network.namespace(host).exists():
        raise TestbedError(f"network name space {host.name} exists and is not this testbed's: `ip netns del` it first")
    home.mkdir()
    mount_overlay(folder.base(suite), home)
    (root / "etc/hostname").write_text(host.name + "\n")
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost\n::1 localhost\n{host.address} {host.name}\n")
    (root / "etc/machine-id").write_text(uuid.uuid4().hex + "\n")
    access.install_keys(folder, host)
    (home / "suite").write_text(suite)  # last: a host without it is made again


def power_on(folder: Folder, host: Host) -> None:
    """Start a host, unless it runs; its cable and firewall are as they were left."""
    if running(folder, host):
        return
    power_off(folder, host)  # what a host that ended by itself left behind
    home, suite = folder.home(host), folder.suite(host)
    if suite is None:
        raise TestbedError(f"making {host.name} was interrupted: `hosts up {host.number}` makes it again")
    mount_overlay(folder.base(suite), home)
    network.plug(host, connected=not is_cut(folder, host))
    network.filter_input(host, open_ports(folder, host))
    with (home / "console.log").open("a") as log:
        supervisor = subprocess.Popen(
            ["sh", "-c", SUPERVISOR, "testbed", _groups(host), *_nspawn(folder, host)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    process = identify(supervisor.pid)
    if process is None:
        raise TestbedError(f"{host.name} ended as soon as it started: see {home / 'console.log'}")
    process.save(_supervisor(folder, host))


def power_off(folder: Folder, host: Host) -> None:
    """Pull the power: first nothing leaves the host any more, not even a TCP reset; then all its processes die."""
    network.connect(host, connected=False)
    kill_all(lambda: _processes(folder, host))
    network.unplug(host)
    cgroups.remove(host)
    _supervisor(folder, host).unlink(missing_ok=True)


def reboot(folder: Folder, host: Host) -> Process:
    """Ask a host to reboot, as `systemctl reboot` does; returns the init that will end by that."""
    init = _init(folder, host)
    if init is None:
        raise TestbedError(f"{host.name} is off: `hosts start {host.name}` starts it")
    init.signal(REBOOT)
    return init


def remove(folder: Folder, host: Host) -> None:
    """Stop a host and remove its disk."""
    power_off(folder, host)
    remove_tree(folder.home(host))


def wait_ready(folder: Folder, host: Host, after: Process | None = None, seconds: float = READY_SECONDS) -> None:
    """Wait until a host's sshd listens and users may log in; `after` names the init of the boot before.

    It looks from outside, so that cables and firewalls do not matter. Raises TestbedError at the deadline, or at
    once when the host's supervisor has ended.
    """
    deadline = time.monotonic() + seconds
    log = folder.home(host) / "console.log"
    while not _ready(_init(folder, host), after):
        if not running(folder, host):
            raise TestbedError(f"{host.name} ended while it booted: see {log}")
        if time.monotonic() > deadline:
            raise TestbedError(f"{host.name} was not ready within {seconds:.0f} s: see {log}")
        time.sleep(0.05)


def running(folder: Folder, host: Host) -> bool:
    """Whether a host is on, booting and rebooting included."""
    return Process.load(_supervisor(folder, host)) is not None


def cut(folder: Folder, host: Host) -> None:
    """Unplug a host from the network, until `heal`; restarts do not plug it in."""
    _cut_mark(folder, host).touch()
    network.connect(host, connected=False)


def heal(folder: Folder, host: Host) -> None:
    """Plug a host in again."""
    _cut_mark(folder, host).unlink(missing_ok=True)
    network.connect(host, connected=True)


def is_cut(folder: Folder, host: Host) -> bool:
    """Whether a host is unplugged."""
    return _cut_mark(folder, host).exists()


def set_firewall(folder: Folder, host: Host, ports: Sequence[int] | None) -> None:
    """Close a host to everything but answers and `ports`, or open it (None); lasts over restarts."""
    path = _firewall(folder, host)
    if ports is None:
        path.unlink(missing_ok=True)
    else:
        path.write_text(" ".join(map(str, ports)))
    if running(folder, host):
        network.filter_input(host, ports)


def open_ports(folder: Folder, host: Host) -> list[int] | None:
    """The ports that a host's firewall leaves open; None when it has no firewall."""
    path = _firewall(folder, host)
    return [int(port) for port in path.read_text().split()] if path.exists() else None


def _groups(host: Host) -> str:
    """The files that put a process into the host's control groups, as the words of one text."""
    return "" if SYSTEMD.is_dir() else " ".join(str(group / "cgroup.procs") for group in cgroups.make(host))


def _nspawn(folder: Folder, host: Host) -> list[str]:
    # The limit of open files is what Debian's kernel and systemd give on a machine of its own.
    command = ["systemd-nspawn", "--quiet", "--boot", "--settings=no", f"--directory={folder.root(host)}",
               f"--machine={host.name}", f"--network-namespace-path={network.namespace(host)}", "--register=no",
               "--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=read-only",
               "--rlimit=NOFILE=1024:524288"]  # fmt: skip
    if not SYSTEMD.is_dir():
        command.append("--keep-unit")  # no systemd here that could make a scope for it
    return command


def _ready(init: Process | None, after: Process | None) -> bool:
    if init is None or init == after:
        return False
    try:
        sockets = [line.split() for line in Path(f"/proc/{init.pid}/net/tcp").read_text().splitlines()[1:]]
    except OSError:
        return False  # it has just ended
    listens = any((fields[1].rpartition(":")[2], fields[3]) == SSH_LISTENS for fields in sockets)
    return listens and not Path(f"/proc/{init.pid}/root/run/nologin").exists()


def _processes(folder: Folder, host: Host) -> list[Process]:
    """All that must die with a host: the supervisor and what it started, then whatever else is in its network."""
    supervisor = Process.load(_supervisor(folder, host))
    own = tree(supervisor) if supervisor else []
    return own + [process for process in in_namespace(network.namespace(host)) if process not in own]


def _init(folder: Folder, host: Host) -> Process | None:
    supervisor = Process.load(_supervisor(folder, host))
    return next(filter(is_container_init, tree(supervisor)), None) if supervisor else None


def _supervisor(folder: Folder, host: Host) -> Path:
    return folder.home(host) / "supervisor.json"


def _cut_mark(folder: Folder, host: Host) -> Path:
    return folder.home(host) / "cut"


def _firewall(folder: Folder, host: Host) -> Path:
    return folder.home(host) / "firewall"
