"""The code that runs on hosts, run here in a temporary folder."""

from __future__ import annotations

import ast
import hashlib
import io
import os
import pwd
import signal
import subprocess
import sys
import tarfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from coordinator.hosts.deploy import privileged
from coordinator.hosts.deploy.bundle import pack, pip_command
from coordinator.hosts.deploy.errors import CommandFailed, DeployError, PythonMissing
from coordinator.hosts.deploy.framing import framed
from coordinator.hosts.deploy.onhost import accounts, archives, base, folders, guard, pythons, verbs
from coordinator.hosts.deploy.onhost.base import HostFault
from coordinator.hosts.deploy.onhost.words import last_words
from coordinator.hosts.deploy.privileged import answer
from coordinator.hosts.deploy.program import COMMAND, ROOT, source
from coordinator.hosts.deploy.target import Target
from coordinator.hosts.preflight import machines


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In place of /opt/bootcoord."""
    for module in (accounts, archives, base, folders, verbs):
        monkeypatch.setattr(module, "ROOT", str(tmp_path / "root"))
    monkeypatch.setattr(archives, "UPLOADS", str(tmp_path / "upload"))
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def sha256(data: bytes) -> str:
    """Hex."""
    return hashlib.sha256(data).hexdigest()


def test_an_archive_is_unpacked_whole_or_not_at_all(root: Path, tmp_path: Path) -> None:
    """A damaged one leaves nothing; the right one leaves its files and no trace of the work."""
    data = pack({"agent/__init__.py": b"", "agent/cli.py": b"x = 1\n"})
    (tmp_path / "upload").write_bytes(data[:-1])
    target = root / "bundles" / sha256(data)
    with pytest.raises(HostFault, match="damaged"):
        archives.unpack(str(tmp_path / "upload"), sha256(data), str(target), archives.extract)
    assert list((root / "bundles").iterdir()) == []
    (tmp_path / "upload").write_bytes(data)
    archives.unpack(str(tmp_path / "upload"), sha256(data), str(target), archives.extract)
    assert list((root / "bundles").iterdir()) == [target]
    assert (target / "agent/cli.py").read_text() == "x = 1\n"


def test_an_archive_is_on_the_disk_before_it_counts(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a power loss would leave empty files for good, because present archives are never sent again."""
    (tmp_path / "archive").write_bytes(data := pack({"agent/cli.py": b"x = 1\n"}))
    target = root / "bundles" / sha256(data)
    seen: list[bool] = []
    monkeypatch.setattr(os, "sync", lambda: seen.append(target.exists()))
    archives.unpack(str(tmp_path / "archive"), sha256(data), str(target), archives.extract)
    assert (seen, target.exists()) == ([False], True)


@pytest.mark.parametrize("name", ["/etc/passwd", "../outside", "a/../../outside"])
def test_an_archive_cannot_write_outside(name: str, root: Path, tmp_path: Path) -> None:
    """Absolute names and parents are refused, as are links."""
    (tmp_path / "tar").write_bytes(pack({name: b"x"}))
    with pytest.raises(HostFault, match="an archive holds"):
        archives.extract(str(tmp_path / "tar"), str(tmp_path / "into"))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    (tmp_path / "tar").write_bytes(packed.getvalue())
    with pytest.raises(HostFault, match="an archive holds"):
        archives.extract(str(tmp_path / "tar"), str(tmp_path / "into"))
    assert not (tmp_path / "outside").exists()


def test_archives_are_kept_while_any_network_uses_them(root: Path) -> None:
    """Only archives that are in no record are removed."""
    for name in ("used", "unused", "shared"):
        (root / "bundles" / name).mkdir(parents=True)
    for network in ("one", "two"):
        base.write_record({"network": network, "bundles": ["shared", *(["used"] * (network == "one"))], "runtime": ""})
    archives.prune("bundles")
    assert sorted(os.listdir(root / "bundles")) == ["shared", "used"]


def test_what_was_interrupted_before_it_was_on_record_goes(root: Path, tmp_path: Path) -> None:
    """Archives and uploads of an installation, users of a removal, leftovers of a power loss; of this network alone."""
    for folder in ("bundles/whole", "runtimes/half.part", "users/was-removed", "networks"):
        (root / folder).mkdir(parents=True)
    for file in ("bundles/half.tar.gz", "networks/one.json.new", "made.json.new"):
        (root / file).touch()
    for upload in ("one.Xy", "one-more.Xy"):
        (tmp_path / f"upload.{upload}").mkdir()
        (tmp_path / f"upload.{upload}" / "archive").touch()
    assert verbs.purge({"network": "one", "unit": "bootcoord-one.service"}) == {"known": False}
    assert sorted(os.listdir(tmp_path)) == ["upload.one-more.Xy"]


def test_an_upload_that_is_a_link_leads_to_no_removal(root: Path, tmp_path: Path) -> None:
    """Anybody may create one in /var/tmp."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "upload.one.Xy").symlink_to(tmp_path / "theirs")
    archives.remove_uploads("one")
    assert (tmp_path / "theirs").is_dir()


def test_folders_made_for_data_go_with_the_last_thing_in_them(root: Path, tmp_path: Path) -> None:
    """Common parents of two networks' folders stay until both are gone; folders from before stay for good."""
    me = pwd.getpwuid(os.getuid())
    records = {}
    for name in ("one", "two"):
        record = {"network": name, "data": str(tmp_path / "a/b" / name), "found": None, "taken": False}
        base.write_record(record)
        folders.ensure_data(record, me)
        records[name] = record
    for name, left in (("one", True), ("two", False)):
        folders.remove_data(records[name])
        os.unlink(base.record_path(name))
        folders.remove_made()
        assert (tmp_path / "a").exists() is left
    assert tmp_path.exists()


def test_a_folder_with_files_is_taken_over_from_nobody(root: Path, tmp_path: Path) -> None:
    """Not even from the agents' own user, unless it has an agent's files (whose record was lost)."""
    me, data = pwd.getpwuid(os.getuid()), tmp_path / "home"
    data.mkdir(mode=0o755)
    (data / "file").touch()
    record: base.Request = {"network": "one", "data": str(data), "found": None, "taken": False}
    with pytest.raises(base.HostFault, match="name an empty folder"):
        folders.ensure_data(dict(record), me)
    (data / "agent.toml").touch()
    folders.ensure_data(dict(record), me)
    for name in ("file", "agent.toml"):
        (data / name).unlink()
    data.chmod(0o755)
    folders.ensure_data(record, me)
    assert record["found"] == [me.pw_uid, os.stat(data).st_gid, 0o755]
    folders.remove_data(record)
    assert os.stat(data).st_mode & 0o777 == 0o755


def test_only_a_folder_that_became_ours_is_emptied(root: Path, tmp_path: Path) -> None:
    """After a refusal nothing is removed."""
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "file").touch()
    folders.remove_data({"data": str(theirs), "found": None, "taken": False})
    assert os.listdir(theirs) == ["file"]


@pytest.mark.parametrize("how", ["works there", "has a file open"])
def test_a_folder_in_use_is_not_emptied(how: str, root: Path, tmp_path: Path) -> None:
    """The process that uses it is named, through whatever folder or link, and nothing is removed."""
    data = tmp_path / "data"
    (data / "nodes").mkdir(parents=True)
    (data / "nodes" / "blocks.log").write_text("x")
    (tmp_path / "link").symlink_to(data)
    place, name = (
        (data / "nodes", "/dev/null") if how == "works there" else ("/", str(tmp_path / "link/nodes/blocks.log"))
    )
    with Path(name).open() as file, subprocess.Popen(["sleep", "60"], cwd=place, stdin=file) as user:
        file.close()
        with pytest.raises(HostFault, match=rf"process {user.pid} \(sleep\) uses {tmp_path}/link"):
            folders.remove_data({"taken": True, "data": str(tmp_path / "link"), "found": None})
        assert (data / "nodes" / "blocks.log").exists()
        user.kill()
    folders.remove_data({"taken": True, "data": str(tmp_path / "link"), "found": None})
    assert list(data.iterdir()) == []


def test_a_program_gets_its_request_and_nothing_of_it_is_code(tmp_path: Path) -> None:
    """Quotes, line ends, braces and Python code arrive as data."""
    hostile = "'''\n\"\"\"); raise SystemExit(7) #{x!r}\\"
    request = {"verb": "facts", "network": hostile, "data": str(tmp_path / hostile), "unit": "none", "user": hostile}
    program = source(privileged.MODULES, request)
    done = subprocess.run(COMMAND, input=program, capture_output=True, check=True)
    assert answer(done.returncode, done.stdout, done.stderr)["record"] is None


@pytest.mark.parametrize("module", [*privileged.MODULES, *machines.MODULES])
def test_what_is_sent_can_be_read_by_an_old_python(module: str) -> None:
    """It has the grammar of 3.8, so that an old host can report its version."""
    text = (ROOT / f"{module.replace('.', '/')}.py").read_text()
    ast.parse(text, feature_version=(3, 8))


def test_what_a_host_answers_is_one_line_for_people() -> None:
    """Its own error, or Python's last complaint, without control characters."""
    with pytest.raises(DeployError, match=r"^disk full$"):
        answer(0, b'{"error": "disk full"}', b"")
    with pytest.raises(CommandFailed, match=r"MemoryError"):
        answer(1, b"", b"Traceback:\nMemoryError\n")
    for odd in (b"[]", b"5", b"{}", b"[" * 100_000):
        with pytest.raises(CommandFailed, match="python3 on the host"):
            answer(0, odd, b"")
    with pytest.raises(DeployError, match=r"^ \[2J$"):
        answer(0, b'{"error": "\\u001b[2J"}', b"")
    assert last_words(b"first\nsecond \x1b[31m\n") == "first; second  [31m"


@pytest.mark.parametrize("shell", ["sudo: python3: command not found", "bash: line 1: python3: command not found"])
def test_a_host_without_python_says_what_to_install(shell: str) -> None:
    """Whether sudo or a shell looked for it."""
    with pytest.raises(PythonMissing, match=r"install Python 3\.11"):
        answer(127, b"", f"{shell}\n".encode())


def test_the_same_files_make_the_same_archive() -> None:
    """In whatever order they are given."""
    assert pack({"a": b"1", "b": b"2"}) == pack({"b": b"2", "a": b"1"})


def test_libraries_are_fetched_for_the_host_and_not_for_this_machine(tmp_path: Path) -> None:
    """pip gets the host's Python and processor, and runs nothing of what it fetches."""
    command = pip_command(Target((3, 13), "aarch64"), tmp_path / "constraints.txt", tmp_path)
    assert command[command.index("--python-version") + 1] == "3.13"
    assert "--only-binary=:all:" in command
    platforms = {word for word in command if word.startswith("manylinux")}
    assert all(platform.endswith("_aarch64") for platform in platforms)
    assert "numpy" not in command
    assert "fabric" not in command


def test_requests_wait_for_each_other_and_leave_nothing(tmp_path: Path) -> None:
    """Each runs alone, even if the lock's file is removed and created again; nobody else can open it."""
    path, inside, seen = tmp_path / "lock", threading.Lock(), list[int]()

    def request(number: int) -> None:
        with guard.alone(str(path)):
            assert inside.acquire(blocking=False), "two at a time"
            seen.append(path.stat().st_mode & 0o777)
            inside.release()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(request, range(200)))
    assert seen == [0o600] * 200
    with pytest.raises(HostFault), guard.alone(str(path)):
        raise HostFault("no space")
    assert not path.exists()


def test_the_agent_gets_a_python_that_its_user_can_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first that works: none that is too old or incomplete, and none in root's own folder."""
    broken, old = tmp_path / "broken", tmp_path / "old"
    broken.write_text("#!/bin/sh\necho \"ModuleNotFoundError: No module named 'ssl'\" >&2\nexit 1\n")
    old.write_text('#!/bin/sh\necho \'[[3, 9], ["glibc", "2.31"]]\'\n')
    for program in (broken, old):
        program.chmod(0o755)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(pythons, "_candidates", lambda: [str(broken), str(old), sys.executable])
    assert pythons.best_python("nobody")["path"] == sys.executable
    monkeypatch.setattr(pythons, "_candidates", lambda: [str(broken), str(old), str(tmp_path / "none")])
    assert pythons.best_python("nobody")["problem"] == (
        f"{broken} does not work (ModuleNotFoundError: No module named 'ssl'); {old} is Python 3.9; "
        f"{tmp_path}/none cannot be run by an unprivileged user (No such file or directory)"
    )


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_a_python_in_a_folder_of_roots_own_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with pyenv: root has it first on its PATH, and the agent's user cannot see it."""
    tmp_path.chmod(0o700)
    (tmp_path / "python3").symlink_to("/bin/true")
    monkeypatch.setattr(pythons, "_candidates", lambda: [str(tmp_path / "python3")])
    assert "cannot be run by an unprivileged user (Permission denied)" in pythons.best_python("x")["problem"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_purge_and_down_need_no_python_of_the_agents(root: Path, tmp_path: Path) -> None:
    """If the agent's Python is gone, its processes are ended all the same."""
    data = tmp_path / "data"
    data.mkdir()
    record = {
        "network": "one", "unit": "bootcoord-one.service", "user": pwd.getpwuid(os.getuid()).pw_name, "taken": True,
        "data": str(data), "found": None, "python": "/gone/python3", "environment": {}, "bundles": [], "runtime": "",
    }  # fmt: skip
    base.write_record(record)
    request = {"network": "one", "unit": "bootcoord-one.service", "inbundle": ""}
    with subprocess.Popen(["sleep", "600"], cwd=data) as node:
        assert verbs.down(request) == {"known": True}
        assert node.wait(10) == -signal.SIGTERM
    (data / "chain").touch()
    assert verbs.purge(request) == {"known": True}
    assert (os.listdir(data), root.exists()) == ([], False)


def test_what_a_login_shell_prints_is_not_the_commands(tmp_path: Path) -> None:
    """Its output and errors are kept apart from the command's; its umask and language do not matter."""
    command = framed(["sh", "-c", "echo out; echo err >&2; umask; echo $LC_ALL"])
    shell = f"umask 077; LC_ALL=pt_BR.UTF-8; export LC_ALL; echo hello; echo oh >&2; {command.line}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, check=True)
    assert done.stdout.startswith(b"hello\n")
    assert (command.own(done.stdout), command.own(done.stderr)) == (b"out\n0022\nC\n", b"err\n")
    refused = subprocess.run(["bash", "-c", "echo 'This account is not available.'"], capture_output=True, check=True)
    assert command.own(refused.stdout) is None


def test_a_command_on_a_terminal_of_its_own_keeps_its_input_and_status() -> None:
    """As sudo needs it with `requiretty` in sudoers."""
    script = "cat; echo there > /dev/tty && exit 7"
    done = subprocess.run([*privileged.ON_TERMINAL, "sh", "-c", script], input=b"program", capture_output=True)
    assert (done.returncode, done.stdout) == (7, b"program")


@pytest.mark.parametrize("text", ["[" * 4000, "[1]", '{"pid": 1e400}', '{"pid": [1]}', '{"pid": "../1"}', "{", "null"])
def test_what_an_agents_user_wrote_stops_no_root(tmp_path: Path, text: str) -> None:
    """agent.json of any shape, a link, a pipe: root reads little of it, and treats the agent as gone."""
    path = tmp_path / "agent.json"
    path.write_text(text)
    assert not folders.agent_lives(str(tmp_path))
    assert isinstance(base.said_by_user(str(path)), dict)
    path.unlink()
    path.symlink_to("/dev/zero")
    assert base.said_by_user(str(path)) == {}
    path.unlink()
    os.mkfifo(path)
    assert base.said_by_user(str(path)) == {}
