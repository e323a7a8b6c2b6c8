"""Archives, unpacked below ROOT under their sha256."""

from __future__ import annotations

import glob
import hashlib
import os
import shutil
import tarfile
from collections.abc import Callable

from coordinator.hosts.deploy.onhost.base import ROOT, UPLOADS, HostFault, listed, records


def unpack(path: str, sha256: str, to: str, how: Callable[[str, str], None]) -> None:
    """Checks an archive and unpacks it into a folder, unless that exists. how: unpacks it. Raises HostFault."""
    if os.path.isdir(to):
        return
    os.makedirs(os.path.dirname(to), 0o755, exist_ok=True)
    part, copy = to + ".part", to + ".tar.gz"
    try:
        shutil.rmtree(part, ignore_errors=True)
        shutil.copyfile(path, copy)
        digest = hashlib.sha256()
        with open(copy, "rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
        if digest.hexdigest() != sha256:
            raise HostFault("an archive arrived damaged: try again")
        how(copy, part)
        os.sync()  # a folder of this name must be complete, even after a power loss
        os.rename(part, to)
    finally:
        if os.path.exists(copy):
            os.unlink(copy)
        shutil.rmtree(part, ignore_errors=True)


def extract(archive: str, folder: str) -> None:
    """Unpacks a .tar.gz of plain files. Raises HostFault."""
    with tarfile.open(archive) as tar:
        for member in tar:
            source = tar.extractfile(member) if member.isreg() else None
            if source is None or member.name.startswith("/") or ".." in member.name.split("/"):
                raise HostFault(f"an archive holds {member.name!r}")
            target = os.path.join(folder, member.name)
            os.makedirs(os.path.dirname(target), 0o755, exist_ok=True)
            with open(target, "wb") as file:
                shutil.copyfileobj(source, file)


def prune(kind: str) -> None:
    """Removes what no network on this host uses."""
    used = {record["runtime"] for record in records()}
    for record in records():
        used.update(record["bundles"])
    for name in listed(os.path.join(ROOT, kind)):
        path = os.path.join(ROOT, kind, name)
        if name in used:
            continue
        if os.path.isdir(path):
            shutil.rmtree(path, ignore_errors=True)
        else:  # an archive: power was lost while it was unpacked
            os.unlink(path)


def remove_uploads(network: str) -> None:
    """Removes uploads for a network, including those of interrupted installations."""
    for path in glob.glob(f"{UPLOADS}.{network}.*"):
        if not os.path.islink(path):
            shutil.rmtree(path, ignore_errors=True)
