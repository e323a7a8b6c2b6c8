"""Boots a chain with a single signing node from within this process: the quick start of `coord devnet`.

The transactions are those of the boot's own steps, signed by eosio and sent one after the other, without waiting for a
block in between unless a protocol feature has to become active first. Nothing is journaled: an interrupted boot is
removed and started anew. `coord boot` reads every step's evidence afterwards.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.config import DataFolder
from agent.errors import PushError
from agent.keys import KeyStore
from agent.memory import Memory
from agent.nodeos.probe import Capabilities
from agent.nodeos.spec import NodeSpec
from agent.nodes.supervisor import Nodes
from antelope.errors import Busy, DuplicateTransaction, ResourceExceeded, Unreachable
from antelope.http import NodeClient
from antelope.keys import PublicKey
from antelope.transaction import SignedTransaction, Transaction, sign_packed
from boot.blueprint import Blueprint
from boot.reads import run_reads
from boot.step import ChainStep, NodeMode, Preactivate, Push, Query
from boot.steps import features, genesis, preactivate, steps_of
from inventory.contract_files import read_contracts
from inventory.names import user_name
from inventory.network import GENESIS_ACCOUNT, Network
from inventory.seal import Collected, SealedBundle, seal
from inventory.sealed import Sealed
from support import bundled
from support.artifacts import ArtifactStore
from support.journal import Journal
from support.retry import DeadlineError, poll, retrying

LIFETIME = 60
"""Seconds from signing to expiration."""
BLOCK_SECONDS = 30.0
"""Seconds until what was sent must be in a block; on an idle machine it takes half a second."""
LOOK = 0.02
"""Seconds between two looks at the chain."""
_KNOWN = "nodeos"
"""The folder with what is known about a nodeos, in the data folder and in the user's cache."""

Tell = Callable[[str, float, str], None]
"""Called for each step that is done, with its duration in seconds and what its evidence says."""


async def begin(folder: DataFolder, network: Network, tell: Tell) -> str:
    """Makes the keys, seals the network, starts its node and boots the chain. Returns the manifest.

    Raises InventoryError, AgentError, NodeError, DeadlineError.
    """
    keys, journal = KeyStore(folder.keys), Journal(folder.journal)
    nodes = Nodes(folder.path, keys.signers)
    await nodes.open()
    try:
        capabilities = await _capabilities(nodes, spec_of(network).nodeos, folder.path / _KNOWN)
        bundle = await asyncio.to_thread(_sealed, network, keys, capabilities)
        store = _keep(folder, bundle)
        Memory(journal).keep(manifest=bundle.sealed.manifest)
        await _boot(nodes, keys, network, Blueprint(bundle.sealed, store.get), tell)
        return bundle.sealed.manifest
    finally:
        await nodes.close()
        journal.close()


async def again(folder: DataFolder, network: Network, manifest: str, tell: Tell) -> None:
    """Boots the same sealed network again, with the same keys, after its node's blocks were removed.

    Raises as `begin`, and MissingError if the sealed network is not here.
    """
    keys = KeyStore(folder.keys)
    nodes = Nodes(folder.path, keys.signers)
    await nodes.open()
    try:
        store = ArtifactStore(folder.artifacts)
        await _boot(nodes, keys, network, Blueprint(Sealed.parse(store.get(manifest)), store.get), tell)
    finally:
        await nodes.close()


async def resume(folder: DataFolder, network: Network) -> None:
    """Starts the node of an existing chain, unless it runs. Raises AgentError."""
    keys = KeyStore(folder.keys)
    nodes = Nodes(folder.path, keys.signers)
    await nodes.open()
    try:
        await nodes.start(spec_of(network), None)
    finally:
        await nodes.close()


def spec_of(network: Network) -> NodeSpec:
    """The one node, as a coordinator would describe it. Raises SpecError."""
    node = network.genesis_node
    return NodeSpec(
        name=node.name,
        role=node.role,
        account=node.account,
        p2p_bind=f"127.0.0.1:{node.p2p_port}",
        p2p_endpoint=network.p2p(node),
        http_port=node.http_port,
        options=dict(node.options),
        nodeos=network.host(node.host).nodeos,
    )


async def _boot(nodes: Nodes, keys: KeyStore, network: Network, blueprint: Blueprint, tell: Tell) -> None:
    spec, took, began = spec_of(network), dict[str, float](), time.monotonic()
    await nodes.start(spec, NodeMode.GENESIS, blueprint.genesis.to_json().encode(), blueprint.sealed.chain_id)
    tell(genesis.STEP.name, time.monotonic() - began, "")
    chain = _Chain(nodes.client(spec.name), blueprint, keys)
    steps = [step for step in steps_of(network) if isinstance(step, ChainStep)]  # other nodes are for `coord boot`
    for step in steps:
        began = time.monotonic()
        await chain.run(step)
        if step in (preactivate.STEP, features.STEP):  # the next step needs these in a block
            await chain.settled(step)
        took[step.name] = time.monotonic() - began
    await chain.in_block()
    for step in steps:
        tell(step.name, took[step.name], await chain.settled(step))


async def _capabilities(nodes: Nodes, nodeos: str, known: Path) -> Capabilities:
    """What the nodeos supports. It is tried once for all chains of this user."""
    shared = bundled.cache_folder() / _KNOWN
    for folder, to in ((shared, known), (known, shared)):
        if folder is known:
            found = await nodes.capabilities(nodeos)
        to.mkdir(parents=True, exist_ok=True, mode=0o700)
        for file in folder.glob("*.json"):
            if not (to / file.name).exists():
                shutil.copyfile(file, to / file.name)
    return found


def _sealed(network: Network, keys: KeyStore, capabilities: Capabilities) -> SealedBundle:
    users = [user_name(number) for number in range(network.users.count)]
    keys.make(users, [GENESIS_ACCOUNT])
    host = network.genesis_node.host
    return seal(
        network,
        Collected(
            eosio_key=str(keys.signer_key(GENESIS_ACCOUNT)),
            account_keys={name: str(keys.account_key(name)) for name in users},
            signing_keys={},
            features={host: list(capabilities.features)},
            contracts=read_contracts(network, lambda: bundled.fetch().contracts),
            now=datetime.now(UTC),
        ),
    )


def _keep(folder: DataFolder, bundle: SealedBundle) -> ArtifactStore:
    """Stores the sealed network where an agent stores what a coordinator sends."""
    store = ArtifactStore(folder.artifacts)
    for data in (*bundle.artifacts.values(), bundle.sealed.canonical()):
        store.put(data)
    return store


@dataclass(frozen=True)
class _Chain:
    """The chain of one node. eosio's key signs every transaction."""

    node: NodeClient
    blueprint: Blueprint
    keys: KeyStore

    async def run(self, step: ChainStep) -> None:
        """Sends the step's work."""
        for work in step.work(self.blueprint):
            if isinstance(work, Preactivate):
                await self.node.schedule_protocol_feature_activations(list(work.digests))
            elif not work.spare:
                await self._push(await self._signed(work))

    async def _push(self, signed: SignedTransaction) -> None:
        """Sends a transaction, and sends the same bytes again if a busy machine took too long. They take effect only
        once.
        """

        async def send() -> None:
            with suppress(DuplicateTransaction):
                await self.node.send_transaction(signed)

        await retrying(send, on=(ResourceExceeded, Busy, Unreachable), deadline=BLOCK_SECONDS)

    async def _signed(self, push: Push) -> SignedTransaction:
        info = await self.node.get_info()
        expiration = int(max(info.head_block_time.timestamp(), time.time())) + LIFETIME
        header = Transaction(expiration, *Transaction.tapos_from(info.last_irreversible_block_id), actions=())
        eosio = self.keys.key(GENESIS_ACCOUNT)
        key_of = {self._key(actor): eosio for actor in push.actors}
        return sign_packed(header.packed_with(push.packed), info.chain_id, list(key_of.values()))

    def _key(self, actor: str) -> PublicKey:
        if actor not in (GENESIS_ACCOUNT, *self.blueprint.sealed.system_accounts):
            raise PushError(f"{actor} cannot be signed for by eosio")
        return self.keys.key(GENESIS_ACCOUNT).public

    async def settled(self, step: ChainStep) -> str:
        """Waits until the evidence shows the step done, and returns what it says. Raises PushError, NodeError."""
        said = ""

        async def done() -> bool:
            nonlocal said
            verdict = await run_reads(step.evidence(self.blueprint), self._ask)
            said = verdict.detail
            return verdict.done

        try:
            await poll(done, what="a block", deadline=BLOCK_SECONDS, every=LOOK)
        except DeadlineError as error:
            raise PushError(f"{step.name}: {said} {BLOCK_SECONDS:g} s after it was sent") from error
        return said

    async def in_block(self) -> None:
        """Waits for the next block: a node may also answer with what is in no block yet."""
        before = (await self.node.get_info()).head_block_num

        async def made() -> bool:
            return (await self.node.get_info()).head_block_num > before

        await poll(made, what="a block", deadline=BLOCK_SECONDS, every=LOOK)

    async def _ask(self, query: Query) -> Any:
        return await self.node.call(query.path, query.body or {})
