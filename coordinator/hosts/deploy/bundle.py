"""Packs the agent as two archives for hosts without pip and internet: our own code, and the libraries that it uses.

Both are built on the operator's machine for the host's Python and processor, reproducibly, and named by their sha256.
They are separate because our code is small and changes with every version.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
import io
import re
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from coordinator.hosts.deploy.errors import DeployError
from coordinator.hosts.deploy.target import MACHINES, OLDEST_PYTHON, Target
from support.bundled import cache_folder
from support.files import write_atomic
from support.version import PACKAGES

LIBRARIES = (
    "base58", "cattrs", "coincurve", "cryptography", "grpcio", "h11", "prometheus-client", "protobuf", "pyrage",
    "tenacity",
)  # fmt: skip
GLIBC_MINORS = range(28, 16, -1)
"""Wheels for glibc 2.17 to 2.28 run on every Linux that has Python 3.11 in its packages."""
PIP_SECONDS = 600.0

_LEFT_OUT = re.compile(
    r"(^|/)(__pycache__|bin|tests?)(/|$)|\.(pyi|pyx|pxd|pyc|c|h|hash)$|\.dist-info/(?!METADATA|licenses)"
)

_building = threading.Lock()


class BundleError(DeployError):
    """The agent's bundle cannot be built."""


@dataclass(frozen=True)
class Archive:
    """A .tar.gz in the operator's cache, named by its sha256 (hex)."""

    path: Path
    sha256: str


@dataclass(frozen=True)
class Bundle:
    """The agent's code and libraries, in the order of the import path."""

    archives: tuple[Archive, ...]


def build(target: Target) -> Bundle:
    """The bundle for such hosts, from the cache if it was built before. Raises BundleError, OSError."""
    if target.python < OLDEST_PYTHON or target.machine not in MACHINES:
        raise BundleError(
            f"the agent runs on Python {OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} or newer on {' or '.join(MACHINES)}, "
            f"not on Python {target.python[0]}.{target.python[1]} on {target.machine}"
        )
    with _building:
        return Bundle((_code(), _libraries(target)))


def version(code: str) -> str:
    """The agent's version: the release's, plus the exact code. code: its archive's sha256."""
    return f"{importlib.metadata.version('bootcoord')}+{code[:12]}"


def _code() -> Archive:
    root = Path(__file__).resolve().parents[3]
    files = {name: (root / name).read_bytes() for name in _own_files(root)}
    name = version(hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest())
    # The agent reports its version as Python's packaging knows it.
    metadata = f"Metadata-Version: 2.1\nName: bootcoord\nVersion: {name}\n"
    files[f"bootcoord-{name}.dist-info/METADATA"] = metadata.encode()
    return store(pack(files))


def _own_files(root: Path) -> Iterator[str]:
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            yield str(path.relative_to(root))


def _libraries(target: Target) -> Archive:
    installed = importlib.metadata.distributions()
    pins = sorted(f"{dist.name}=={dist.version}" for dist in installed if dist.name != "bootcoord")
    inputs = hashlib.sha256(repr((target, LIBRARIES, pins, _LEFT_OUT.pattern)).encode()).hexdigest()
    known = _folder() / f"libraries-{inputs}"
    try:
        sha256 = known.read_text()
        if (path := _folder() / f"{sha256}.tar.gz").is_file():
            return Archive(path, sha256)
    except FileNotFoundError:
        pass  # not made yet
    with tempfile.TemporaryDirectory(prefix="bootcoord-") as scratch:
        _pip(target, pins, Path(scratch))
        tree = Path(scratch, "tree")
        paths = (path for path in tree.rglob("*") if path.is_file())
        files = {str(path.relative_to(tree)): path.read_bytes() for path in paths}
        archive = store(pack({name: data for name, data in files.items() if not _LEFT_OUT.search(name)}))
    write_atomic(known, archive.sha256.encode())
    return archive


def pip_command(target: Target, constraints: Path, tree: Path) -> Sequence[str]:
    """Fetches wheels for another machine and unpacks them. Nothing in them is run."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-compile", "--only-binary=:all:", "--implementation", "cp"]
    command += ["--python-version", f"{target.python[0]}.{target.python[1]}"]
    platforms = [f"manylinux_2_{minor}_{target.machine}" for minor in GLIBC_MINORS]
    for platform in (*platforms, f"manylinux2014_{target.machine}"):
        command += ["--platform", platform]
    return [*command, "--constraint", str(constraints), "--target", str(tree), *LIBRARIES]


def _pip(target: Target, pins: Sequence[str], scratch: Path) -> None:
    """Pins the versions that this process runs with, because they were tested together."""
    constraints = scratch / "constraints.txt"
    constraints.write_text("".join(f"{pin}\n" for pin in pins))
    what = f"the agent's libraries for Python {target.python[0]}.{target.python[1]} on {target.machine}"
    try:
        done = subprocess.run(  # noqa: S603 (an argument list of our own)
            pip_command(target, constraints, scratch / "tree"), capture_output=True, text=True, timeout=PIP_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise BundleError(f"fetching {what} took more than {PIP_SECONDS:g} s: check the connection") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        said = lines[-1].removeprefix("ERROR: ") if lines else f"pip ended with status {done.returncode}"
        raise BundleError(f"cannot fetch {what}: {said}; check this machine's connection to PyPI, or the host's Python")


def pack(files: dict[str, bytes]) -> bytes:
    """A reproducible .tar.gz: it depends only on names and contents."""
    packed = io.BytesIO()
    with gzip.GzipFile("", "wb", 6, packed, mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for name, data in sorted(files.items()):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o644
            tar.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def store(data: bytes) -> Archive:
    """Keeps an archive in the cache. Raises OSError."""
    sha256 = hashlib.sha256(data).hexdigest()
    path = _folder() / f"{sha256}.tar.gz"
    if not path.is_file():
        write_atomic(path, data)
    return Archive(path, sha256)


def _folder() -> Path:
    return cache_folder() / "bundles"
