"""Kernel limits that all hosts share, because they share the kernel: raised while a testbed is up."""

from __future__ import annotations

import json
from pathlib import Path

from .settings import Folder

# Every systemd takes a handful of inotify instances, and 128 for the user root are gone after some ten hosts.
AT_LEAST = {"fs.inotify.max_user_instances": 4096, "fs.inotify.max_user_watches": 524288}
# nodeos reserves far more address space than it uses; 2 (strict accounting) refuses that.
INSTEAD_OF = {"vm.overcommit_memory": ("2", "0")}


def raise_limits(folder: Folder) -> None:
    """Raise what is too low, writing the former values down first."""
    changes = {name: str(least) for name, least in AT_LEAST.items() if int(_read(name)) < least}
    changes |= {name: new for name, (bad, new) in INSTEAD_OF.items() if _read(name) == bad}
    if not changes:
        return
    record = _recorded(folder)
    record |= {name: [_read(name), new] for name, new in changes.items() if name not in record}
    _path(folder).write_text(json.dumps(record) + "\n")
    for name, new in changes.items():
        _write(name, new)


def restore_limits(folder: Folder) -> None:
    """Put former values back, except where somebody else changed them meanwhile."""
    for name, (former, ours) in _recorded(folder).items():
        if _read(name) == ours:
            _write(name, former)
    _path(folder).unlink(missing_ok=True)


def _path(folder: Folder) -> Path:
    return folder.path / "limits.json"


def _recorded(folder: Folder) -> dict[str, list[str]]:
    """name: [value before, value we set]."""
    if not _path(folder).exists():
        return {}
    record: dict[str, list[str]] = json.loads(_path(folder).read_text())
    return record


def _sysctl(name: str) -> Path:
    return Path("/proc/sys", *name.split("."))


def _read(name: str) -> str:
    return _sysctl(name).read_text().strip()


def _write(name: str, value: str) -> None:
    _sysctl(name).write_text(value)
