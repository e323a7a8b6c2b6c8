"""The tools that an agent's duties share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from agent.config import AgentConfig, DataFolder
from agent.errors import DutyError
from agent.keys import KeyStore
from agent.keys.keosd import Keosd
from agent.memory import Memory
from agent.nodes.leases import Leases
from agent.nodes.supervisor import Nodes
from agent.session import TakePart
from antelope.http import NodeClient
from boot.step import NodeMode
from protos.states import NodeState
from support.artifacts import ArtifactStore
from support.journal import Journal
from support.retry import DeadlineError, poll
from support.snapshots import SnapshotStore

START_SECONDS = 60.0
"""Seconds for a node that is being started to answer, on a busy machine."""

FetchArtifact = Callable[[str], Awaitable[bytes]]
"""The bytes of an artifact (sha256, hex) from the coordinator, unverified. Raises SessionEnded."""

FetchParts = Callable[[str, int, TakePart], Awaitable[None]]
"""Passes on the bytes of an artifact or snapshot (sha256, hex) from an offset on, as they come. Raises SessionEnded."""


class Coordinator(Protocol):
    """The source of artifacts."""

    async def fetch(self, sha256: str) -> bytes:
        """As FetchArtifact."""

    async def fetch_parts(self, sha256: str, offset: int, take: TakePart) -> None:
        """As FetchParts."""


@dataclass(frozen=True)
class Tools:
    """The nodes, keys, artifacts and journal of one data folder, and access to the coordinator's artifacts."""

    config: AgentConfig
    nodes: Nodes
    keys: KeyStore
    artifacts: ArtifactStore
    journal: Journal
    memory: Memory
    leases: Leases
    fetch: FetchArtifact
    snapshots: SnapshotStore
    fetch_parts: FetchParts

    @staticmethod
    def of(
        folder: DataFolder, config: AgentConfig, journal: Journal, coordinator: Coordinator, keosd: Keosd | None = None
    ) -> Tools:
        """Opens those of a data folder. keosd: holds keys that are not in the store. Raises KeyStoreError."""
        keys = KeyStore(folder.keys, keosd)
        memory = Memory(journal)
        leases = Leases(memory)
        nodes = Nodes(folder.path, keys.signers, local=config.local, leases=leases)
        return Tools(
            config,
            nodes,
            keys,
            ArtifactStore(folder.artifacts, "boot again, which fetches it"),
            journal,
            memory,
            leases,
            coordinator.fetch,
            SnapshotStore(folder.snapshots),
            coordinator.fetch_parts,
        )


async def taking_node(nodes: Nodes) -> NodeClient:
    """A node of this host that takes transactions; one that is being started, or is too busy to answer, is waited for.

    Raises DutyError.
    """

    name = ""

    async def settled() -> bool:
        nonlocal name
        able = [one for one in await nodes.status() if one.mode is not NodeMode.AUDIT and not one.seed]
        name = next((one.name for one in able if one.state is NodeState.RUNNING), "")
        return bool(name) or not any(one.state is NodeState.STARTING for one in able)

    with suppress(DeadlineError):
        await poll(settled, what="a node that takes transactions", deadline=START_SECONDS)
    if name:
        return nodes.client(name)
    raise DutyError(
        "no node of this host takes transactions: the retired genesis node reads irreversible state only; "
        "give its host a producer's or a full node as well",
        retryable=True,
    )


def has_key(keys: KeyStore, account: str) -> bool:
    """Whether the host can sign with the account's key. Raises KeyStoreError when no keosd is known that has it."""
    try:
        keys.key(account)
    except KeyError:
        return False
    return True
