"""Finds out what a nodeos can do: its options, version and protocol features. The result is kept by its sha256."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from agent.errors import NodeosError
from agent.nodeos.environment import environment
from agent.nodeos.throwaway import throwaway
from antelope.errors import BadJson, NodeError
from antelope.http import NodeClient
from antelope.keys import PrivateKey
from antelope.strict_json import read_json
from inventory.network import BUNDLED
from support.artifacts import sha256_of
from support.bundled import RELEASE_SHA256, BundledError, Runtime
from support.files import write_atomic
from support.nodewords import Said

HELP_SECONDS = 20.0
_LOADER = re.compile(r"error while loading shared libraries|version `GLIBC\S+ not found")
CANNOT_RUN = (126, 127)
"""Exit statuses of a shell that cannot run a program, and of a loader that lacks a library."""

_OPTION = re.compile(r"^\s+(?:-\w \[ )?--([a-z0-9-]+)", re.MULTILINE)
_FORMAT = 1
"""Version of the kept result; part of its file name."""


@dataclass(frozen=True)
class Capabilities:
    """What one nodeos binary can do."""

    sha256: str
    """sha256 of the binary, hex."""
    version: str
    options: frozenset[str]
    """Names of the options in its --help."""
    features: tuple[dict[str, Any], ...]
    """Its answer to get_supported_protocol_features."""

    @property
    def features_json(self) -> str:
        """The features as JSON."""
        return json.dumps(self.features, separators=(",", ":"))


def command_of(nodeos: str, bundled: Callable[[], Runtime]) -> tuple[str, ...]:
    """The command for BUNDLED or an absolute path. Raises NodeosError."""
    if nodeos != BUNDLED:
        return (nodeos,)
    try:
        return bundled().command("nodeos")
    except BundledError as error:
        raise NodeosError(str(error)) from error


async def probe(command: Sequence[str], folder: Path) -> Capabilities:
    """Probes a nodeos, or reads the kept result. folder: for results and scratch data. Raises NodeosError, OSError."""
    binary = Path(command[0])
    _check_runnable(binary)
    sha256 = await asyncio.to_thread(_sha256, binary, _identity(binary))
    remembered = folder / f"{sha256}.{_FORMAT}.json"
    if remembered.is_file() and (known := _unpack(sha256, remembered.read_bytes())):
        return known
    if len(command) > 1 and sha256 != RELEASE_SHA256:
        root = Runtime.of(binary).root
        raise NodeosError(
            f"{binary} is not the bundled nodeos that this release pins: remove {root}, it is fetched again"
        )
    options = await _options(command)
    version, features = await _ask(command, options, folder)
    found = {"version": version, "options": sorted(options), "features": features}
    write_atomic(remembered, json.dumps(found).encode(), 0o600)
    return Capabilities(sha256, version, options, tuple(features))


def _identity(binary: Path) -> tuple[int, ...]:
    """Unchanged as long as the file was not written: the change time cannot be set back."""
    found = binary.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


@lru_cache(maxsize=16)
def _sha256(binary: Path, identity: tuple[int, ...]) -> str:
    """The hash of a file with that identity. Cached: every start needs it, and reading takes longer than a start."""
    return sha256_of(binary)


def _unpack(sha256: str, data: bytes) -> Capabilities | None:
    """The kept result; None if it cannot be read and nodeos must be probed again."""
    try:
        found = read_json(data)
        return Capabilities(sha256, str(found["version"]), frozenset(found["options"]), tuple(found["features"]))
    except (BadJson, KeyError, TypeError):
        return None


def _check_runnable(binary: Path) -> None:
    if not binary.is_file():
        raise NodeosError(f'there is no nodeos at {binary}: install it, or use nodeos = "bundled"')
    if not os.access(binary, os.X_OK):
        raise NodeosError(f"{binary} is not executable by this user: chmod +x it, or name another nodeos")


async def _options(command: Sequence[str]) -> frozenset[str]:
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            "--help",
            env=environment(Path(command[0]).parent),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    except OSError as error:
        mounted = "; is its file system mounted noexec?" if isinstance(error, PermissionError) else ""
        raise NodeosError(f"{command[0]} cannot run on this host: {error.strerror}{mounted}") from error
    try:
        async with asyncio.timeout(HELP_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise NodeosError(f"{command[0]} --help does not end: it is not a usable nodeos") from None
    options = frozenset(_OPTION.findall(output.decode("utf-8", "replace")))
    needed = {"plugin", "http-server-address", "p2p-listen-endpoint", "signature-provider", "genesis-json"}
    if process.returncode or not needed <= options:
        text = output.decode("utf-8", "replace")
        if process.returncode in CANNOT_RUN or _LOADER.search(text):
            raise NodeosError(f"{command[0]} cannot run on this host: {Said.of(text).explanation}")
        said = text.strip().splitlines()
        raise NodeosError(f"{command[0]} is not a nodeos: its --help says {said[-1][:100] if said else 'nothing'!r}")
    return options


async def _ask(command: Sequence[str], options: frozenset[str], folder: Path) -> tuple[str, list[dict[str, Any]]]:
    """Runs it on a throwaway chain with a throwaway key."""
    async with throwaway(command, options, folder, PrivateKey.generate().public) as node:
        await node.answers()
        return await _answers(node.client, command[0])


async def _answers(node: NodeClient, binary: str) -> tuple[str, list[dict[str, Any]]]:
    try:
        version = (await node.get_info()).server_version_string
        apis = await node.get_supported_apis()
        features = await node.get_supported_protocol_features()
    except NodeError as error:
        raise NodeosError(f"{binary} is too old: {error}") from error
    _check_new_enough(binary, version, apis, features)
    return version, features


def _check_new_enough(binary: str, version: str, apis: frozenset[str], features: list[dict[str, Any]]) -> None:
    names = {entry["value"] for feature in features for entry in feature.get("specification", ())}
    lacking = [
        what
        for what, there in (
            ("the feature PREACTIVATE_FEATURE", "PREACTIVATE_FEATURE" in names),
            ("the producer API", "/v1/producer/schedule_protocol_feature_activations" in apis),
            ("send_transaction", bool(apis & {"/v1/chain/send_transaction", "/v1/chain/send_transaction2"})),
        )
        if not there
    ]
    if lacking:
        raise NodeosError(
            f"{binary} ({version}) is too old: it lacks {', '.join(lacking)}; EOSIO 2.0 is the oldest usable"
        )
