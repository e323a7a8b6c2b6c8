"""The unprivileged user that agent and nodes run as."""

from __future__ import annotations

import os
import pwd
import shutil
import stat

from coordinator.hosts.deploy.onhost.base import ROOT, HostFault, listed, quiet, records, run, text

ACCOUNTS = ("passwd", "group", "shadow", "gshadow", "subuid", "subgid")
"""Files of /etc that useradd changes, each with a backup whose name ends in '-'."""


def ensure_user(name: str) -> pwd.struct_passwd:
    """The user, created if there is none. Raises HostFault."""
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        saved = os.path.join(ROOT, "users", name)
        os.makedirs(saved, 0o700, exist_ok=True)
        for file in [*ACCOUNTS, *(f"{account}-" for account in ACCOUNTS)]:
            if os.path.exists("/etc/" + file):
                shutil.copy2("/etc/" + file, os.path.join(saved, file))
        shell = shutil.which("nologin", path="/usr/sbin:/sbin:/usr/bin") or "/bin/false"
        command = ["useradd", "--system", "--user-group", "--no-log-init", "--no-create-home"]
        run([*command, "--home-dir", "/nonexistent", "--shell", shell, name])
        user = pwd.getpwnam(name)
    if user.pw_uid == 0:
        raise HostFault("agent and nodes never run as root: name another user in the inventory (hosts.user)")
    return user


def remove_users() -> None:
    """Removes unused users that we created. Also restores the backup files that useradd and userdel overwrote."""
    needed = {record["user"] for record in records()}
    for name in listed(os.path.join(ROOT, "users")):
        if name not in needed:
            _remove_user(name)


def _remove_user(name: str) -> None:
    saved = os.path.join(ROOT, "users", name)
    if quiet("getent", "passwd", name):  # otherwise it was not created yet, or is already removed
        run(["userdel", name])
    for account in ACCOUNTS:
        backup = "/etc/" + account + "-"
        if text("/etc/" + account) != text(os.path.join(saved, account)):
            continue  # changed by others meanwhile, so their backup stays
        if os.path.exists(os.path.join(saved, account + "-")):
            info = os.stat(os.path.join(saved, account + "-"))
            shutil.copy2(os.path.join(saved, account + "-"), backup)
            os.chown(backup, info.st_uid, _group_of("/etc/" + account, info))
        elif os.path.exists(backup):
            os.unlink(backup)
    shutil.rmtree(saved)


def _group_of(sibling: str, info: os.stat_result) -> int:
    """The restored backup's group: shadow's group may read its backup, but the copy below ROOT is root's alone."""
    return os.stat(sibling).st_gid if stat.S_IMODE(info.st_mode) & 0o040 and os.path.exists(sibling) else info.st_gid
