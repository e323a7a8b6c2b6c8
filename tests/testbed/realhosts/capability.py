"""Whether this machine can carry a testbed, found out by trying, without leaving a trace."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path

from . import network
from .command import attempt, run
from .locks import MACHINE, locked
from .settings import BRIDGE, UNABLE, Folder, TestbedError

INSTALLING = Path("/run/testbed-packages.lock")

# What must be there, and the Debian package it comes from. Ubuntu has them all too.
NEEDED = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "nft": "nftables",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
}


def missing_packages() -> list[str]:
    """Packages to install before a testbed can be made."""
    return sorted({package for thing, package in NEEDED.items() if shutil.which(thing) is None and not _file(thing)})


def reasons_against(folder: Folder) -> list[str]:
    """Why no testbed can be made here, one line each; empty when it can be, after installing what is missing."""
    if platform.system() != "Linux":
        return [f"this is {platform.system()}, and the hosts need Linux"]
    if os.geteuid() != 0:
        return ["it needs root: name spaces, mounts and containers"]
    missing = missing_packages()
    reasons = []
    if missing and shutil.which("apt-get") is None:
        reasons.append(f"not installed: {' '.join(missing)}, and there is no apt-get to install them with")
    if "util-linux" not in missing:
        reasons += _without_overlay(folder)
        if "iproute2" not in missing:
            reasons += _without_network()
            reasons += _taken()
        if not {"nftables", "iproute2"} & set(missing):
            reasons += _failing("no nftables in network name spaces", "unshare", "--net", "nft", "add table inet probe")
    return reasons


def require(folder: Folder) -> None:
    """Install what is missing; raises TestbedError (status UNABLE) when no testbed can be made here."""
    refuse(reasons_against(folder))
    if missing_packages():
        with locked(INSTALLING):
            _install(missing_packages())
        refuse(reasons_against(folder))


def _install(missing: list[str]) -> None:
    """Nothing where another run has done it meanwhile."""
    if not missing:
        return
    sys.stderr.write(f"hosts: installing {' '.join(missing)}\n")
    apt = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=120")
    try:
        run(*apt, "update")
        run(*apt, "install", "--no-install-recommends", *missing)
    except TestbedError as error:
        raise TestbedError(f"cannot install {' '.join(missing)}: {error}", UNABLE) from error


def require_root() -> None:
    """Raises TestbedError (status UNABLE) for anybody else."""
    if os.geteuid() != 0:
        refuse(["it needs root: name spaces, mounts and containers"])


def refuse(reasons: list[str]) -> None:
    """Raises TestbedError (status UNABLE) if there is any reason."""
    if reasons:
        raise TestbedError(f"cannot run here: {'; '.join(reasons)}", UNABLE)


def _file(thing: str) -> bool:
    return thing.startswith("/") and Path(thing).exists()


def _without_overlay(folder: Folder) -> list[str]:
    """Mount an overlay on the very file system that would carry the hosts' disks."""
    there = next(path for path in (folder.path, *folder.path.parents) if path.is_dir())
    if "overlay" not in Path("/proc/filesystems").read_text() and shutil.which("modprobe"):
        attempt("modprobe", "overlay")
    try:
        with tempfile.TemporaryDirectory(prefix="testbed-probe-", dir=there) as probe:
            for part in ("lower", "upper", "work", "root"):
                Path(probe, part).mkdir()
            options = f"lowerdir={probe}/lower,upperdir={probe}/upper,workdir={probe}/work"
            mount = ("mount", "-t", "overlay", "overlay", "-o", options, f"{probe}/root")
            return _failing(f"no overlay mounts on {there}", "unshare", "--mount", *mount)
    except OSError as error:
        return [f"cannot write to {there}: {error.strerror}"]


def _without_network() -> list[str]:
    """Make a bridge and a cable in a name space that vanishes at once."""
    script = f"ip link add {BRIDGE} type bridge && ip link add tbv1 type veth peer name host0"
    return _failing("no network name spaces, bridges or veth links", "unshare", "--net", "sh", "-c", script)


def _taken() -> list[str]:
    try:
        with locked(MACHINE):
            network.owner()
    except TestbedError as error:
        return [str(error)]
    return []


def _failing(what: str, *command: str) -> list[str]:
    result = attempt(*command)
    if result.returncode == 0:
        return []
    said = (result.stderr.strip() or f"status {result.returncode}").splitlines()[-1]
    return [f"{what} ({said})"]
