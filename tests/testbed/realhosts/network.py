"""The bridge, every host's cable and network name space, and its firewall."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from .command import attempt, run
from .settings import BRIDGE, MACHINE_ADDRESS, SUBNET, UNABLE, Folder, Host, TestbedError

BRIDGE_MAC = "02:10:99:00:00:01"
HOST_DEVICE = "host0"
NETWORK = f"{SUBNET}.0/24"


def namespace(host: Host) -> Path:
    """Where a host's network name space is bound, as ip-netns(8) does it."""
    return Path("/run/netns") / host.name


def owner() -> Path | None:
    """The state folder of the testbed that is up; None when none is.

    It is written on the bridge itself (as its alias), so it cannot outlive what it speaks of. Ask with the machine
    locked: one that is just being made looks like a stranger's. Raises TestbedError when something else made a device
    of that name, or uses the addresses.
    """
    if shutil.which("ip") is None:
        return None
    answer = attempt("ip", "-j", "link", "show", "dev", BRIDGE)
    if answer.returncode:
        if used := attempt("ip", "route", "show", "root", NETWORK).stdout.strip():
            raise TestbedError(f"{NETWORK} is in use on this machine ({used.splitlines()[0].strip()})", UNABLE)
        return None
    alias = json.loads(answer.stdout)[0].get("ifalias", "")
    if not alias.startswith("testbed:"):
        raise TestbedError(f"device {BRIDGE} exists and was not made by this program: remove it first", UNABLE)
    return Path(alias.removeprefix("testbed:"))


def ours(folder: Folder) -> bool:
    """Whether this folder's testbed is up, not none; raises TestbedError when another folder's is."""
    there = owner()
    if there not in (None, folder.path):
        raise TestbedError(f"a testbed is up in {there}: use it with TESTBED={there}, or end it with `hosts down`")
    return there is not None


def claim(folder: Folder) -> None:
    """Make the bridge for this folder, unless it is there; raises TestbedError when another folder has it."""
    if ours(folder):
        return
    steps = (
        f"link add {BRIDGE} address {BRIDGE_MAC} type bridge",
        f"link set {BRIDGE} alias testbed:{folder.path}",  # `link add` takes an alias and forgets it
        f"addr add {MACHINE_ADDRESS}/24 dev {BRIDGE}",
        f"link set {BRIDGE} up",
    )
    run("ip", "-batch", "-", stdin="\n".join(steps) + "\n")


def release(folder: Folder) -> None:
    """Remove the bridge and any cable still in it, if this folder owns it."""
    if not ours(folder):
        return
    for link in json.loads(run("ip", "-j", "link", "show", "master", BRIDGE) or "[]"):
        run("ip", "link", "del", link["ifname"])
    run("ip", "link", "del", BRIDGE)


def plug(host: Host, *, connected: bool) -> None:
    """Give a host a new name space, and a cable to the bridge; `connected` says whether the cable carries anything."""
    run("ip", "netns", "add", host.name)
    run("ip", "link", "add", host.link, "type", "veth", "peer", "name", HOST_DEVICE, "address", host.mac,
        "netns", host.name)  # fmt: skip
    run("ip", "-n", host.name, "addr", "add", f"{host.address}/24", "dev", HOST_DEVICE)
    for device in ("lo", HOST_DEVICE):
        run("ip", "-n", host.name, "link", "set", device, "up")
    run("ip", "link", "set", host.link, "master", BRIDGE, "up" if connected else "down")


def unplug(host: Host) -> None:
    """Take the cable away, then the name space, with every socket in it. Does nothing where there is neither."""
    attempt("ip", "link", "del", host.link)
    if namespace(host).exists():
        run("ip", "netns", "del", host.name)


def connect(host: Host, *, connected: bool) -> None:
    """Let the cable carry traffic or not, if there is one: a host that is off has none."""
    if attempt("ip", "link", "show", "dev", host.link).returncode == 0:
        run("ip", "link", "set", host.link, "up" if connected else "down")


def filter_input(host: Host, ports: Sequence[int] | None) -> None:
    """Let in only answers and new TCP connections to `ports`; None lets everything in."""
    run("nsenter", f"--net={namespace(host)}", "nft", "-f", "-", stdin=input_rules(ports))


def input_rules(ports: Sequence[int] | None) -> str:
    """The rules for nft(8), replacing the former ones at once.

    Connections are tracked even while everything is let in: those that exist when the firewall closes go on,
    as they do through a firewall that was there all the time.
    """
    policy = "accept" if ports is None else "drop"
    opened = f"    tcp dport {{ {', '.join(map(str, ports))} }} accept\n" if ports else ""
    return (
        "table inet testbed\n"
        "delete table inet testbed\n"
        "table inet testbed {\n"
        "  chain input {\n"
        f"    type filter hook input priority filter; policy {policy};\n"
        "    ct state established,related accept\n"
        '    iif "lo" accept\n'
        f"{opened}"
        "  }\n"
        "}\n"
    )
