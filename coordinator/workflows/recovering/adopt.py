"""`coord adopt`: rebuilds a coordinator's lost state from the agents of a running network.

Agents hold the sealed document and its artifacts, named by their hashes; the chain shows which steps are done. A lost
CA is replaced, and hosts are enrolled again with the new one, over SSH or through their data folder.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from antelope.errors import NodeError
from boot.plan import make_plan
from boot.steps import steps_of
from coordinator.advising import typed
from coordinator.agents.link import AgentLink, LinkError
from coordinator.engine.runner import Runner
from coordinator.errors import OperationFailed
from coordinator.hosts.fleet import Hosts
from coordinator.parties.open_network import OpenNetwork
from coordinator.reporter import Reporter
from coordinator.state.folder import JOURNAL, SEALED, StateFolder
from coordinator.state.losses import Loss, losses, set_aside
from coordinator.workflows.opening.session import DIAL_SECONDS, open_network
from coordinator.workflows.opening.unchanged import check_unchanged
from inventory.network import Network
from inventory.sealed import Sealed
from protos import coordination_pb2 as pb
from support.identity import Kind
from support.retry import DeadlineError, poll

PART_SECONDS = 60.0
"""Seconds to fetch one part of a document."""
DOCUMENT_LIMIT = 256 << 20
"""Maximum size of a document, in bytes, as agents accept it."""
PARTY_SECONDS = 6.0
"""Seconds for parties' agents, which dial every two seconds, to connect and register."""


@dataclass(frozen=True)
class Adopted:
    """The result of adopting a network."""

    sealed: Sealed
    away: Mapping[str, str]
    """Hosts whose agent did not connect, and why."""
    empty: tuple[str, ...]
    """Hosts whose agent holds no sealed network: they are new, or have lost their data."""
    new_ca: bool
    """Whether a new CA had to be made. Parties' agents do not trust it."""
    new_register: bool
    """Whether the register had to be made again, so that revocations are lost."""
    parties: Mapping[str, str]
    """Accounts of the known parties, by name."""
    strangers: tuple[str, ...]
    """Accounts registered as producers that belong neither to the inventory nor to a known party."""
    steps: tuple[str, ...] | None
    """The steps that the chain shows as done; None if no node runs."""


async def adopt(network: Network, root: Path, reporter: Reporter) -> Adopted:
    """Reports what is lost, and rebuilds it. Raises UsageProblem (another network's inventory), OperationFailed and
    others.
    """
    new = not StateFolder.exists(root, network.name)
    found = _look(network, root, reporter)
    async with open_network(network, root, acting=True, adopting=True) as opened:
        hosts = Hosts(network, opened.state, opened.hub, reporter, adopting=True)
        await hosts.ensure_agents()
        with hosts.reached():
            names = tuple(dict.fromkeys(node.host for node in network.nodes if not node.party))
            away = await opened.connected(names, DIAL_SECONDS)
            links = [opened.hub.links[name] for name in names if name not in away]
            sealed = await _sealed(opened, links, away | hosts.troubled, reporter)
            opened.hub.tell_seal()
            lost = {loss.path.name for loss in found}
            if new or JOURNAL in lost:
                await _parties(opened)
            steps, registered = await _chain(opened, sealed, reporter)
            known = {party.name: party.account for party in opened.parties.parties()}
            ours = {*(producer.account for producer in sealed.producers), *known.values()}
            return Adopted(
                sealed,
                away | hosts.troubled,
                tuple(link.name for link in links if not link.manifest),
                new_ca=new or bool(lost & {"ca.key", "ca.pem"}),
                new_register=new or JOURNAL in lost,
                parties=known,
                strangers=tuple(sorted(registered - ours)),
                steps=steps,
            )


async def _chain(
    opened: OpenNetwork, sealed: Sealed, reporter: Reporter
) -> tuple[tuple[str, ...] | None, frozenset[str]]:
    """The steps that are done, and the accounts that are registered as producers, if a node runs."""
    runner = Runner(opened.access, opened.blueprint(sealed), opened.state, reporter)
    try:
        return await runner.recall(make_plan(steps_of(opened.network)).steps), await runner.registered()
    except NodeError as error:
        reporter.note(f"the chain cannot be read now: {error}")
        return None, frozenset()


def _look(network: Network, root: Path, reporter: Reporter) -> tuple[Loss, ...]:
    """Reports what is lost, and moves damaged files aside."""
    if not StateFolder.exists(root, network.name):
        reporter.note(f"{root / network.name}: no state of {network.name}: everything is fetched from its hosts")
    state = StateFolder(root, network.name, adopting=True)
    try:
        found = losses(state)
    finally:
        state.close()
    for loss in found:
        kept = set_aside(loss)
        reporter.note(f"{loss}{f'; it is kept as {loss.path.name}.damaged' if kept else ''}")
    return found


async def _sealed(
    opened: OpenNetwork, links: Iterable[AgentLink], away: Mapping[str, str], reporter: Reporter
) -> Sealed:
    """Fetches the sealed network that the hosts hold into the state folder, with all its artifacts."""
    holders = [link for link in links if link.manifest]
    manifests = {link.manifest: link.name for link in holders}
    if len(manifests) > 1:
        held = "; ".join(f"{host}: {manifest[:16]}…" for manifest, host in manifests.items())
        raise OperationFailed(f"the hosts hold different networks ({held}): adopt each with its own inventory")
    if not manifests:
        raise _nothing(opened, away)
    (manifest,) = manifests
    reporter.note(f"manifest {manifest}, held by {', '.join(link.name for link in holders)}")
    artifacts = opened.state.artifacts
    document = artifacts.get(manifest) if artifacts.intact(manifest) else await _fetched(holders, manifest)
    try:
        sealed = Sealed.parse(document)
    except ValueError as error:
        raise OperationFailed(f"the sealed network that the hosts hold is {error}: install their version") from error
    check_unchanged(opened.network, opened.state, sealed)
    lacking = [sha256 for sha256 in sealed.artifacts if not artifacts.intact(sha256)]
    for sha256 in lacking:
        artifacts.put(await _fetched(holders, sha256))
    known = opened.state.sealed
    if known and known.manifest != manifest:
        set_aside(Loss(opened.state.folder / SEALED, "is another network's"))
        reporter.note(f"{SEALED} was another network's, and is kept as {SEALED}.damaged")
    opened.state.seal(sealed, {})
    reporter.note(f"chain    {sealed.chain_id}; {len(lacking)} of {len(sealed.artifacts)} artifacts fetched")
    return sealed


def _nothing(opened: OpenNetwork, away: Mapping[str, str]) -> OperationFailed:
    """Raises OperationFailed because no answering host holds a sealed network, and says how to make a new one if
    nothing is left of an older one.
    """
    if away:
        reasons = "; ".join(f"{host}: {why}" for host, why in away.items())
        return OperationFailed(f"{reasons}. No other host holds a sealed network: bring these back, and run this again")
    first = ""
    if any(step.done for step in opened.state.steps().values()) or (opened.state.folder / SEALED).exists():
        first = f"run {typed('down')}, move {opened.state.folder} away, and then "
    return OperationFailed(
        f"no host holds a sealed network, so there is nothing to adopt; for a new one {first}run: {typed('boot')}"
    )


async def _fetched(holders: Iterable[AgentLink], sha256: str) -> bytes:
    """The document with that hash, from the first host that has it."""
    troubles = []
    for link in holders:
        try:
            data = await _whole(link, sha256)
        except (LinkError, DeadlineError, OperationFailed) as error:
            troubles.append(str(error))
            continue
        if hashlib.sha256(data).hexdigest() == sha256:
            return data
        troubles.append(f"{link.name}: sent bytes that do not match {sha256[:16]}…")
    raise OperationFailed("; ".join(troubles))


async def _whole(link: AgentLink, sha256: str) -> bytes:
    data = bytearray()
    while True:
        result = await link.task(pb.Hand(sha256=sha256, offset=len(data)), deadline=PART_SECONDS)
        if not result.ok:
            raise OperationFailed(f"{link.name}: {result.error}")
        data += result.handed.data
        if len(data) >= result.handed.size or not result.handed.data:
            return bytes(data)
        if len(data) > DOCUMENT_LIMIT:
            raise OperationFailed(f"{link.name}: {sha256[:16]}… is larger than {DOCUMENT_LIMIT >> 20} MiB")


async def _parties(opened: OpenNetwork) -> None:
    """Waits for parties' agents to connect and register, at most PARTY_SECONDS: they can still do so later."""

    async def settled() -> bool:
        here = [link.name for link in opened.hub.links.values() if link.connected and _is_party(opened, link.name)]
        known = {party.name for party in opened.parties.parties() if party.accepted}
        return bool(here) and set(here) <= known

    with contextlib.suppress(DeadlineError):
        await poll(settled, what="parties to register", deadline=PARTY_SECONDS)


def _is_party(opened: OpenNetwork, name: str) -> bool:
    entry = opened.hub.register.find(name)
    return entry is not None and entry.kind is Kind.PARTY
