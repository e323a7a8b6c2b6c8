"""The Debian base image that all hosts of a suite share, read-only, below their own layers."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from .access import CAREFUL, CAREFUL_PASSWORD, OPERATOR
from .command import run
from .locks import locked
from .mounts import remove_tree
from .settings import MISUSED, SUITES, Folder, TestbedError

# A bare server: sshd, sudo and a Python without venv and pip. Whatever else a product needs, it must bring.
PACKAGES = ("systemd", "systemd-sysv", "dbus", "openssh-server", "sudo", "python3", "iproute2", "iputils-ping",
            "ca-certificates")  # fmt: skip
FILES = {
    "etc/ssh/sshd_config.d/testbed.conf": "PasswordAuthentication no\n",
    "etc/sudoers.d/testbed": f"{OPERATOR} ALL=(ALL:ALL) NOPASSWD: ALL\n{CAREFUL} ALL=(ALL:ALL) ALL\n",
    # No name service: without this file every look-up fails at once.
    "etc/resolv.conf": "",
    "etc/machine-id": "",
}
# Nothing that a test could need, and each costs every host time or processor.
MASKED = ("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer",
          "console-getty.service", "getty.target", "e2scrub_reap.service")  # fmt: skip
REMOVED = ("etc/ssh/ssh_host_*", "var/cache/apt/archives/*.deb", "var/cache/apt/*.bin", "var/lib/apt/lists/*_*")
STAMP = Path("usr/share/testbed-recipe")


def recipe() -> str:
    """A name for what `ensure` would build now."""
    return hashlib.sha256(repr((PACKAGES, FILES, MASKED, REMOVED)).encode()).hexdigest()


def ensure(folder: Folder, suite: str) -> None:
    """Build the base of a suite (about a minute), unless it is there; two runs at a time build it once.

    A base of an older recipe is built anew, except while hosts stand on it.
    """
    if suite not in SUITES:
        raise TestbedError(f"unknown suite {suite!r}: use one of {', '.join(SUITES)}", MISUSED)
    base = folder.base(suite)
    folder.path.mkdir(parents=True, exist_ok=True)
    with locked(base.with_suffix(".lock")):
        if _current(base) or (base.exists() and _stood_upon(folder, suite)):
            return
        sys.stderr.write(f"hosts: building the base image {base}, once; this takes about a minute\n")
        part = base.with_suffix(".part")
        remove_tree(part)
        _build(part, suite)
        remove_tree(base)
        part.rename(base)


def remove(folder: Folder) -> None:
    """Remove all base images, with what unfinished builds left."""
    for path in sorted(folder.path.glob("base-*")):
        if path.suffix == ".lock":
            path.unlink()
        else:
            remove_tree(path)


def _current(base: Path) -> bool:
    stamp = base / STAMP
    return stamp.exists() and stamp.read_text() == recipe()


def _stood_upon(folder: Folder, suite: str) -> bool:
    return any(folder.suite(host) == suite for host in folder.hosts())


def _build(root: Path, suite: str) -> None:
    # debootstrap mounts /proc in there: in a mount name space of its own, so that it is gone with it, whatever happens.
    run("unshare", "--mount", "--propagation", "private",
        "debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", suite, root)  # fmt: skip
    for name in (OPERATOR, CAREFUL):
        run("chroot", root, "groupadd", "--force", name)  # Debian has a group operator already
        run("chroot", root, "useradd", "--create-home", "--shell", "/bin/bash", "--gid", name, name)
    run("chroot", root, "chpasswd", stdin=f"{CAREFUL}:{CAREFUL_PASSWORD}\n")
    for pattern in REMOVED:
        for path in root.glob(pattern):
            path.unlink()
    for name, content in FILES.items():
        path = root / name
        path.unlink(missing_ok=True)
        path.write_text(content)
        path.chmod(0o440 if "sudoers.d" in name else 0o644)
    for unit in MASKED:
        link = root / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")
    (root / STAMP).write_text(recipe())
