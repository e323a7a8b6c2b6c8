"""Tells the operator's nodes which parties' endpoints to dial, each only after it was dialled back."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Mapping

from antelope.answers import PeerLink
from antelope.errors import NodeError
from boot.reads import Json
from boot.step import Query
from coordinator.agents.link import LinkError
from coordinator.engine.access import NodeAccess
from coordinator.parties.neighbours import PeerGraph
from coordinator.parties.store import Party, PartyStore
from inventory.network import Node
from protos import coordination_pb2 as pb
from support.retry import DeadlineError, poll
from support.tasks import end

log = logging.getLogger(__name__)

DIAL_SECONDS = 30.0
"""How long a node tries. nodeos redials a peer that refused after about 10 s."""
PEERS_SECONDS = 30.0
LOOK_SECONDS = 0.5
"""How long an answer about connections is reused."""


class PartyPeers:
    """The operator's side of the peer links with parties."""

    def __init__(self, access: NodeAccess, store: PartyStore, chain_id: str) -> None:
        """chain_id: hex, of the sealed chain."""
        self._access = access
        self._store = store
        self._chain_id = chain_id
        self._graph = PeerGraph(access.network)
        self._change = 0
        """Of the parties' table, as far as the graph has it."""
        self._told: dict[str, tuple[str, ...]] = {}
        self._probed: defaultdict[str, set[str]] = defaultdict(set)
        """Endpoints that a node is trying, by node."""
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._jobs: dict[str, asyncio.Task[None]] = {}
        self._seen: dict[str, tuple[float, Mapping[str, Json]]] = {}

    @property
    def graph(self) -> PeerGraph:
        """Who dials whom, as the parties are now."""
        self._change, parties = self._store.changed(self._change)
        for party in parties:
            self._graph.put(party)
        return self._graph

    def prober(self, party: Party) -> Node | None:
        """The operator's node that dials a party back: its neighbour, or else the first that runs."""
        running = [node for node in self._access.network.nodes if self._access.running(node)]
        return next((node for node in running if node.name in party.neighbours), running[0] if running else None)

    async def dial(self, party: Party) -> str:
        """Has a node dial the party's endpoint. Returns what is wrong; empty if a node of this chain answered there."""
        node, endpoint = self.prober(party), str(party.endpoint)
        if node is None:
            return "none of the operator's nodes runs, so it cannot be dialled back"
        self._probed[node.name].add(endpoint)
        try:
            await self.refresh(node)

            async def answered() -> Json | None:
                return (await self._connected(node)).get(endpoint)

            answer = await poll(answered, what=f"{endpoint} to answer", deadline=DIAL_SECONDS)
        except DeadlineError:
            return f"p2p endpoint {endpoint}: no node of this chain answered {node.name} there; is the port open?"
        except NodeError as error:
            return f"{node.name} could not dial it back: {error}"
        finally:
            self._probed[node.name].discard(endpoint)
        link = PeerLink.from_json(answer)
        if link.key and str(link.key) != party.signing_key:
            return f"p2p endpoint {endpoint}: the node there uses another peer key, {link.key}"
        known = self._store.find(party.name)
        if known is None or known.endpoint != endpoint:
            return f"p2p endpoint {endpoint} has changed meanwhile"
        self._store.dialled(party.name, endpoint)
        return ""

    def spread(self) -> None:
        """Starts telling the operator's running nodes their peers, where those have changed."""
        for node in self._access.network.nodes:
            job = self._jobs.get(node.name)
            if self._access.running(node) and (job is None or job.done()):
                self._jobs[node.name] = asyncio.create_task(self._keep(node))

    async def close(self) -> None:
        """Cancels what is running."""
        await end(*self._jobs.values())

    async def _keep(self, node: Node) -> None:
        try:
            await self.refresh(node)
        except (NodeError, LinkError, DeadlineError) as error:
            log.info("peers of %s: %s", node.name, error)

    async def refresh(self, node: Node) -> None:
        """Tells one node its peers, unless it has been told. Raises NodeError, LinkError, DeadlineError."""
        async with self._locks[node.name]:
            planned = PeerGraph(self._access.network).peers_of_node(node)
            wanted = tuple(dict.fromkeys((*self.graph.peers_of_node(node), *sorted(self._probed[node.name]))))
            if wanted == self._told.get(node.name, planned):
                return
            body = pb.SetPeers(name=node.name, peers=wanted)
            result = await self._access.link(node.host).task(body, deadline=PEERS_SECONDS)
            if result.ok:
                self._told[node.name] = wanted
            else:
                log.warning("peers of %s: %s", node.name, result.error)

    async def _connected(self, node: Node) -> Mapping[str, Json]:
        """The node's outgoing connections that completed a handshake for this chain, as nodeos has them, by endpoint.
        Of many, few are of interest: the caller reads those.
        """
        at, found = self._seen.get(node.name, (0.0, {}))
        if time.monotonic() - at < LOOK_SECONDS:
            return found
        links = await self._access.ask(Query("/v1/net/connections", node=node.name))
        found = {str(link.get("peer", "")).lower(): link for link in links if _shaken(link, self._chain_id)}
        self._seen[node.name] = (time.monotonic(), found)
        return found


def _shaken(link: Json, chain_id: str) -> bool:
    handshake = link.get("last_handshake")
    return isinstance(handshake, dict) and handshake.get("chain_id") == chain_id
