"""What the operator's nodes run with, as their agents report it."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from coordinator.agents.hub import Hub
from coordinator.agents.records import BusyError
from coordinator.engine.pausing import paused
from coordinator.hosts.fleet import tunnelled
from coordinator.hosts.local import agent_runs
from coordinator.parties.open_network import OpenNetwork
from coordinator.report.health import lost
from coordinator.state.control import NoAnswer, ask_running
from coordinator.state.folder import StateFolder
from coordinator.workflows.opening.session import GLANCE_SECONDS, TUNNEL_SECONDS, open_network
from inventory.network import Network
from protos import coordination_pb2 as pb
from protos.states import NodeState
from support.retry import retrying

from .catching_up import behind, syncing_lines
from .changes import Change, Fact, Home, differences

ASK_SECONDS = 5.0
"""Seconds to wait for the answer of a running command, which may just begin or end."""


@dataclass(frozen=True)
class Facts:
    """What is known to run."""

    nodes: Mapping[str, Fact]
    away: Collection[str]
    """Enrolled hosts whose agents do not answer, so that what runs there is unknown."""
    parties: frozenset[str] = frozenset()
    """p2p endpoints of parties, which nodes dial besides the inventory's."""
    agents: Collection[str] = ()
    """Hosts whose agents answer."""
    exports: Mapping[str, str] = field(default_factory=dict)
    """Where each of those agents exports values for Prometheus, HOST:PORT; empty: nowhere."""
    homes: Mapping[str, Home] = field(default_factory=dict)
    """The data folder and user of each of those agents that tells them."""
    syncing: tuple[str, ...] = ()
    """A line for each node that does not have the newest blocks yet."""
    lost_keys: tuple[str, ...] = ()
    """A line for each key file of a host that is gone while its nodes run, with what to do."""
    paused: tuple[str, ...] = ()
    """Producers' nodes that make no blocks until they are resumed or restarted."""

    def differences(self, network: Network) -> tuple[Change, ...]:
        """The differences between what runs and what the inventory says."""
        return differences(network, self.nodes, self.away, self.parties, self.agents, self.exports, self.homes)

    def to_json(self) -> dict[str, Any]:
        """The document for another terminal."""
        nodes = {
            name: [fact.host, b64encode(fact.spec.SerializeToString(deterministic=True)).decode(), fact.stopped]
            for name, fact in self.nodes.items()
        }
        return {
            "nodes": nodes, "away": sorted(self.away), "parties": sorted(self.parties), "agents": sorted(self.agents),
            "exports": dict(self.exports),
            "homes": {host: [home.data, home.user] for host, home in self.homes.items()},
            "syncing": list(self.syncing), "lost_keys": list(self.lost_keys), "paused": list(self.paused),
        }  # fmt: skip

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> Facts:
        """Reads what `to_json` wrote."""
        nodes = {
            name: Fact(host, pb.NodeSpec.FromString(b64decode(spec)), stopped)
            for name, (host, spec, stopped) in document["nodes"].items()
        }
        agents, exports = document["agents"], document.get("exports", {})
        homes = {host: Home(*home) for host, home in document.get("homes", {}).items()}
        parties, syncing = frozenset(document["parties"]), tuple(document.get("syncing", ()))
        lost = tuple(document.get("lost_keys", ()))
        paused = tuple(document.get("paused", ()))
        return Facts(nodes, tuple(document["away"]), parties, agents, exports, homes, syncing, lost, paused)


def facts_of(hub: Hub, parties: Collection[str], endpoints: frozenset[str]) -> Facts:
    """The facts from connected agents. parties: names of parties, whose nodes are left out."""
    hosts = {name: link for name, link in hub.links.items() if name not in parties and not link.revoked}
    known = {name: link for name, link in hosts.items() if link.connected and link.status is not None}
    found = [
        Fact(host, node.spec, node.state == NodeState.STOPPED)
        for host, link in known.items()
        for node in (link.status.nodes if link.status else ())
        if node.HasField("spec")
    ]
    # The host that a moved node left still reports it as stopped.
    nodes = {fact.spec.name: fact for fact in sorted(found, key=lambda fact: not fact.stopped)}
    exports = {host: link.status.metrics for host, link in known.items() if link.status}
    told = {host: Home(link.status.data, link.status.user) for host, link in known.items() if link.status}
    homes = {host: home for host, home in told.items() if home.data}
    late = behind(node for link in known.values() for node in (link.status.nodes if link.status else ()))
    away = tuple(name for name in hosts if name not in known)
    keys = tuple(
        f"host {host}: {lost(line)}"
        for host, link in known.items()
        for line in (link.status.lost_keys if link.status else ())
    )
    return Facts(nodes, away, endpoints, tuple(known), exports, homes, syncing_lines(late), keys)


async def seen_by(opened: OpenNetwork) -> Facts:
    """The facts from the connected agents, with the nodes that are paused."""
    parties = {party.name for party in opened.parties.parties()}
    facts = facts_of(opened.hub, parties, opened.party_endpoints)
    return replace(facts, paused=await paused(opened.access))


async def look_around(network: Network, root: Path) -> Facts:
    """Asks the agents, or the running coordinator if there is one. Raises CoordError and others."""
    return await retrying(lambda: _look(network, root), on=NoAnswer, deadline=ASK_SECONDS, most=0.5)


async def _look(network: Network, root: Path) -> Facts:
    try:
        async with open_network(network, root, acting=False) as opened:
            enrolled = {entry.name for entry in opened.hub.register.entries()}
            parties = {party.name for party in opened.parties.parties()}
            dead = {
                host.name for host in network.hosts if host.local and not agent_runs(opened.state.host_data(host.name))
            }
            through_ssh = any(host.tunnel for host in network.hosts)
            with tunnelled(opened.network, opened.hub):
                await opened.connected(enrolled - parties - dead, GLANCE_SECONDS + through_ssh * TUNNEL_SECONDS)
                return await seen_by(opened)
    except BusyError:
        with_folder = StateFolder(root, network.name)
        try:
            return Facts.from_json(await ask_running(with_folder.folder, "facts"))
        finally:
            with_folder.close()
