"""How a node's chain begins: from the genesis, or from a snapshot of the state at a later block.

A node that started from a snapshot has no earlier blocks. Whenever its state must be rebuilt, it is built from that
file, which stays in its folder, and from the blocks that came since.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from antelope import snapshot_file
from antelope.errors import FormatError, NodeError
from antelope.http import NodeClient
from support.artifacts import sha256_of
from support.files import write_atomic
from support.records import record_of

FILE, RECORD = "snapshot.bin", "snapshot.json"
OPTION, GENESIS = "--snapshot", "--genesis-json"
LOOK_SECONDS = 1.0
PATIENCE_SECONDS = 30.0
"""Seconds that peers may have later blocks while a node that started from a snapshot takes none of them."""
FORKED = "go_away_message, reason = chain is forked"
"""nodeos' log text for a peer with other irreversible blocks (net_plugin.cpp of Leap and Spring)."""
BYTES_A_SECOND = 10 << 20
"""Bytes of a snapshot that a slow machine loads per second; 120 MB took 1.3 s."""


@dataclass(frozen=True)
class Beginning:
    """The snapshot that a chain began with."""

    sha256: str
    block: int
    block_id: str
    confirmed: bool = False
    """Whether its peers' blocks follow the snapshot's block."""

    def __str__(self) -> str:
        return f"the snapshot {self.sha256[:16]}… of block {self.block}"


class Begun:
    """The two files in a node's folder that record its snapshot."""

    def __init__(self, folder: Path) -> None:
        """folder: the node's."""
        self.file = folder / FILE
        self._record = folder / RECORD

    def read(self) -> Beginning | None:
        """The snapshot; None if the chain begins from the genesis."""
        try:
            return record_of(Beginning, self._record.read_bytes())
        except (OSError, ValueError):
            return None

    def write(self, source: Path, beginning: Beginning) -> None:
        """Makes the chain begin from this snapshot. Links to the store's file if the disk allows it. Raises OSError."""
        self.forget()
        try:
            os.link(source, self.file)
        except OSError:  # another disk, or a disk without links
            shutil.copyfile(source, self.file)
            self.file.chmod(0o600)
        self._write(beginning)

    def confirm(self, beginning: Beginning) -> None:
        """Records that its peers' blocks follow the snapshot. Raises OSError."""
        self._write(Beginning(beginning.sha256, beginning.block, beginning.block_id, True))

    def forget(self) -> None:
        """Makes the chain begin from the genesis. Raises OSError."""
        for path in (self._record, self.file):
            path.unlink(missing_ok=True)

    def intact(self) -> bool:
        """Whether the file is unchanged."""
        beginning = self.read()
        with contextlib.suppress(OSError):
            return beginning is not None and sha256_of(self.file) == beginning.sha256
        return False

    def command(self, command: tuple[str, ...]) -> tuple[str, ...]:
        """A node's command, for a start that builds its state: nodeos takes a snapshot or a genesis, not both."""
        if GENESIS not in command or self.read() is None:
            return command
        at = command.index(GENESIS)
        return (*command[:at], OPTION, command[at + 1].removesuffix("genesis.json") + FILE, *command[at + 2 :])

    @property
    def seconds(self) -> float:
        """Extra seconds that a start may take to load it."""
        return self.file.stat().st_size / BYTES_A_SECOND if self.file.is_file() else 0.0

    def _write(self, beginning: Beginning) -> None:
        write_atomic(self._record, json.dumps(asdict(beginning)).encode(), 0o600)


@lru_cache(maxsize=8)
def _sha256_once(source: Path, inode: int, size: int, changed: int) -> str:
    """Cached, because many nodes of a host start from the same file: it is read once, and after each change."""
    return sha256_of(source)


def objection(source: Path, beginning: Beginning, chain_id: str) -> str:
    """Why a node may not start from the file; empty if the file is what its name says. Raises OSError."""
    now = source.stat()
    if _sha256_once(source, now.st_ino, now.st_size, now.st_mtime_ns) != beginning.sha256:
        return "its bytes are not those of its name"
    try:
        snapshot_file.check(source, chain_id, beginning.block_id)
    except (FormatError, ValueError) as error:
        return str(error)
    return ""


async def follows(client: NodeClient, beginning: Beginning, log: Callable[[], str]) -> str:
    """Waits until peers gave the node a later block. Returns empty then, otherwise why the peers' blocks do not follow.

    A node takes only blocks that follow the one it has, so the first of them names the snapshot's block. log: what the
    node has logged. Peers with another irreversible block hang up and are no longer listed.
    """
    loop = asyncio.get_running_loop()
    ahead: float | None = None
    while True:
        with contextlib.suppress(NodeError):
            head = (await client.get_info()).head_block_num
            if head > beginning.block:
                answer = await client.call("/v1/chain/get_block_info", {"block_num": beginning.block + 1})
                previous = str(answer["previous"])
                if previous == beginning.block_id:
                    return ""
                return f"block {beginning.block} is {previous[:24]}…, and not {beginning.block_id[:24]}…"
            links = await client.connections()
            waiting = any(link.handshaken and link.head_num > beginning.block for link in links) or FORKED in log()
            ahead = (ahead or loop.time()) if waiting else None
            if ahead is not None and loop.time() - ahead > PATIENCE_SECONDS:
                return f"its peers have later blocks than {beginning.block}, and none of them follows it"
        await asyncio.sleep(LOOK_SECONDS)
