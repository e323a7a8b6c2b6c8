"""The processes of a node: found, stopped together, and never reported gone while one has its data open."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support import node_processes, processes
from support.node_processes import RECORD
from support.processes import Process, StillRunningError
from tests.waiting import until

FORKING = "import os, time; helper = os.fork(); helper and print('forked', helper, flush=True); time.sleep(60)"

NODE = """
import fcntl, sys, time
state = open(sys.argv[1], "r+b")
fcntl.lockf(state, fcntl.LOCK_EX)
print("locked", flush=True)
time.sleep(60)
"""
"""Has the state open as nodeos has."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A node's folder with a state."""
    folder = tmp_path / "nodes" / "one"
    state = folder / node_processes.DATA / node_processes.STATE
    state.parent.mkdir(parents=True)
    state.write_bytes(b"state")
    return folder


def _script(tmp_path: Path, *lines: str) -> str:
    script = tmp_path / "script"
    script.write_text("\n".join(("#!/bin/sh", *lines)) + "\n")
    script.chmod(0o755)
    return str(script)


def _node(folder: Path) -> str:
    state = folder / node_processes.DATA / node_processes.STATE
    return f"{sys.executable} -c '{NODE}' {state} --config-dir {folder}"


def test_nodes_are_stopped_without_an_agent(begin: Callable[..., Process], tmp_path: Path) -> None:
    """stop_nodes ends recorded nodes, and one that only its command line shows; no record says that a node runs."""
    folders = [tmp_path / "nodes" / name for name in ("one", "two", "three")]
    for folder in folders:
        folder.mkdir(parents=True)
    one = begin("sleep", "60")
    one.write(folders[0] / RECORD)
    two = begin(sys.executable, "-c", "import time; time.sleep(60)", "--config-dir", str(folders[1]))
    Process(one.pid, one.started - 1, one.boot).write(folders[2] / RECORD)
    assert node_processes.stop_nodes(tmp_path, 20) == ("one", "two")
    assert not one.alive
    assert not two.alive
    assert not list(tmp_path.glob(f"nodes/*/{RECORD}"))


def test_a_foreign_command_line_is_no_node(begin: Callable[..., Process], tmp_path: Path) -> None:
    """A process that merely names the folder among its arguments is not taken for its node."""
    folder = tmp_path / "nodes" / "one"
    folder.mkdir(parents=True)
    editor = begin(sys.executable, "-c", "import time; time.sleep(60)", str(folder))
    assert node_processes.running(folder) is None
    assert node_processes.stop_nodes(tmp_path) == ()
    assert editor.alive


def test_a_helper_that_outlives_its_node_is_no_node(begin: Callable[..., Process], tmp_path: Path) -> None:
    """nodeos' helpers have its command line and end a moment later; once nodeos has ended, the node is gone."""
    folder = tmp_path / "nodes" / "one"
    folder.mkdir(parents=True)
    node = begin(sys.executable, "-c", FORKING, "--config-dir", str(folder))
    until(lambda: "forked" in (tmp_path / "output").read_text(), "the helper")
    assert node_processes.running(folder) == node
    processes.kill(node)
    helper = Process.of(int((tmp_path / "output").read_text().split()[1]))
    assert helper.alive
    assert node_processes.running(folder) is None
    processes.kill(helper)


def test_a_script_that_does_not_exec_is_stopped_with_its_nodeos(
    begin: Callable[..., Process], folder: Path, tmp_path: Path
) -> None:
    """No process is left when a node is stopped whose nodeos a script started as its child."""
    script = begin(_script(tmp_path, _node(folder), "true"))
    script.write(folder / RECORD)
    until(lambda: "locked" in (tmp_path / "output").read_text(), "the node")
    assert node_processes.running(folder) == script
    assert node_processes.stop_nodes(tmp_path, 20) == ("one",)
    assert not node_processes.owned(folder / node_processes.DATA)
    assert node_processes.family(folder) == ()


def test_a_nodeos_that_outlived_its_script_is_the_folders_node(
    begin: Callable[..., Process], folder: Path, tmp_path: Path
) -> None:
    """With the script killed, the node that it had started is found, and is stopped."""
    script = begin(_script(tmp_path, _node(folder), "true"))
    script.write(folder / RECORD)
    until(lambda: "locked" in (tmp_path / "output").read_text(), "the node")
    processes.kill(script)
    node = node_processes.running(folder)
    assert node is not None
    assert node != script
    assert node_processes.stop_nodes(tmp_path, 20) == ("one",)
    assert not node.alive


def test_a_node_that_left_its_session_is_stopped(begin: Callable[..., Process], folder: Path, tmp_path: Path) -> None:
    """A nodeos in its own session is found even if the script that started it has ended."""
    begin(_script(tmp_path, f"setsid {_node(folder)} &")).write(folder / RECORD)
    until(lambda: "locked" in (tmp_path / "output").read_text(), "the node")
    assert node_processes.stop_nodes(tmp_path, 20) == ("one",)
    assert not node_processes.owned(folder / node_processes.DATA)


def test_what_a_stranger_has_open_is_not_called_stopped(
    begin: Callable[..., Process], folder: Path, tmp_path: Path
) -> None:
    """A nodeos that somebody started by hand on the data is reported and left alone."""
    state = folder / node_processes.DATA / node_processes.STATE
    stranger = begin(sys.executable, "-c", NODE, str(state))
    until(lambda: "locked" in (tmp_path / "output").read_text(), "the stranger")
    with pytest.raises(StillRunningError, match=f"process {stranger.pid} .* has files of {folder}/data open"):
        node_processes.stop_nodes(tmp_path, 20)
    assert stranger.alive


def test_a_symlinked_folder_is_the_same_folder(begin: Callable[..., Process], folder: Path, tmp_path: Path) -> None:
    """The process that has the data open is found, whatever path either side uses."""
    (tmp_path / "link").symlink_to(tmp_path / "nodes")
    state = tmp_path / "link" / "one" / node_processes.DATA / node_processes.STATE
    stranger = begin(sys.executable, "-c", NODE, str(state))
    until(lambda: "locked" in (tmp_path / "output").read_text(), "the stranger")
    assert list(node_processes.users(folder / node_processes.DATA)) == [stranger]
    assert node_processes.owned(folder / node_processes.DATA)


@pytest.mark.parametrize("name", ["é", "with blank"])
def test_a_folder_that_nodeos_cannot_read_is_told_otherwise(
    name: str, begin: Callable[..., Process], tmp_path: Path
) -> None:
    """The node is found by its working folder; a process that works elsewhere is not it."""
    folder = tmp_path / "nodes" / name
    folder.mkdir(parents=True)
    assert node_processes.place(folder) == "/proc/self/cwd"
    sleep = (sys.executable, "-c", "import time; time.sleep(60)")
    begin(*sleep, "--config-dir", "/proc/self/cwd")
    node = processes.start((*sleep, "--config-dir", "/proc/self/cwd"), output=tmp_path / "out", folder=folder)
    shell = processes.start(sleep, output=tmp_path / "out", folder=folder)
    try:
        until(lambda: node_processes.running(folder) == node, "the node")
        assert node_processes.family(folder) == (node,)
        node_processes.stop_node(folder, 20)
        assert not node.alive
        assert shell.alive
    finally:
        processes.kill(node)
        processes.kill(shell)


def test_our_own_lock_is_no_owner(folder: Path) -> None:
    """Asking who has the state locked takes no lock, and leaves none of ours."""
    with (folder / node_processes.DATA / node_processes.STATE).open("r+b") as state:
        fcntl.lockf(state, fcntl.LOCK_EX)
        assert not node_processes.owned(folder / node_processes.DATA)
