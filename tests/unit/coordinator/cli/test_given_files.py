"""Unsuitable files that are named on the command line."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from pyrage import x25519

from coordinator.cli.main import run
from coordinator.errors import UsageProblem
from coordinator.given_files import read_given

MINIMAL = '[network]\nname = "given"\n'


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An inventory in the working folder."""
    monkeypatch.chdir(tmp_path)
    Path("given.toml").write_text(MINIMAL)
    return "given.toml"


def refused(args: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a command refuses bad input with."""
    assert run(args) == 2
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert not Path("debug.log").exists()
    return line


@pytest.mark.parametrize("option", ["--passphrase-file", "--recipients-file"])
def test_a_file_that_is_no_text_is_refused(inventory: str, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Bytes that are not UTF-8 are bad input, with the file's name, and no bug of ours."""
    Path("bytes").write_bytes(b"\xff\xfe of many")
    assert refused(["backup", inventory, option, "bytes"], capsys).startswith(
        "coord: bytes: is not UTF-8 text (byte 0)"
    )


def test_an_empty_passphrase_file_is_said_to_be_empty(inventory: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It is not taken for an option that was not given."""
    Path("empty").write_text("")
    assert refused(["backup", inventory, "--passphrase-file", "empty"], capsys) == (
        "coord: empty: its first line is empty; the passphrase belongs there"
    )


def test_a_device_that_never_ends_is_left(inventory: str, capsys: pytest.CaptureFixture[str]) -> None:
    """/dev/zero as a report, an identity, a passphrase or code is refused after a bounded number of bytes."""
    with pytest.raises(UsageProblem, match="larger than 1 MiB"):
        read_given(Path("/dev/zero"), 1 << 20)
    assert "64 KiB" in refused(["backup", inventory, "--passphrase-file", "/dev/zero"], capsys)
    Path("x.backup").write_text("")
    assert "no age identity" in refused(["restore", "x.backup", "--identity", "/dev/zero"], capsys)
    upgrade = ["upgrade", inventory, "--abi", inventory, "--wasm", "/dev/zero"]
    assert "larger than 1 MiB" in refused(upgrade, capsys)
    assert "larger than 256 MiB" in refused(["audit", "/dev/zero", "--sealed"], capsys)


def test_a_pipe_is_no_backup(inventory: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A backup is read more than once: a pipe is refused at once, and the command does not wait for its writer."""
    os.mkfifo("pipe")
    Path("key.txt").write_text(str(x25519.Identity.generate()))
    assert refused(["restore", "pipe", "--identity", "key.txt"], capsys).startswith("coord: pipe is not a file")


def test_a_passphrase_may_come_through_a_pipe(inventory: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What a password manager prints into <(...) is read."""
    os.mkfifo("pipe")
    writer = threading.Thread(target=lambda: Path("pipe").write_text("short\n"))
    writer.start()
    said = refused(["backup", inventory, "--passphrase-file", "pipe"], capsys)
    writer.join(10)
    assert "12 characters" in said


@pytest.mark.parametrize("command", [["backup", "--recipient", "age1"], ["snapshot", "fetch"]])
def test_a_file_is_not_written_where_there_is_no_folder(
    inventory: str, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said before any work. The folder is not made: a disk may be missing there. So is a pipe refused."""
    name, *rest = command
    assert refused([name, inventory, *rest, "--to", "usb/x"], capsys) == (
        "coord: usb/x: there is no folder usb; make it first, or name another file"
    )
    assert not Path("usb").exists()
    os.mkfifo("pipe")
    assert refused([name, inventory, *rest, "--to", "pipe"], capsys) == "coord: pipe is not a file: name another one"


@pytest.mark.parametrize("url", ["node", "ftp://127.0.0.1", "http://", "http://[::1", "http://127.0.0.1:99999"])
def test_what_is_no_url_is_refused_before_the_audit(
    inventory: str, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistyped address is wrong usage, and not a chain that could not be read."""
    assert "is not a URL such as" in refused(["audit", "r.html", "--url", url], capsys)


def test_a_full_disk_behind_stdout_is_said_in_words(inventory: str) -> None:
    """The line says so without an errno; the status is 1."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", "from coordinator.cli import main; main()", "plan", inventory],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert (done.returncode, done.stderr) == (
        1, "coord: No space left on device\n",
    )  # fmt: skip
