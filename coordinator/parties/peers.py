"""Who dials whom, carried out: the operator's nodes learn parties' endpoints, each after it was dialled back."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Mapping

from antelope.answers import PeerLink
from antelope.errors import NodeError
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
"""How long a node tries: nodeos dials a peer that refused again after some 10 s."""
PEERS_SECONDS = 30.0
LOOK_SECONDS = 0.5
"""How long an answer about connections holds for all that ask."""


class PartyPeers:
    """The operator's ends of the links with parties."""

    def __init__(self, access: NodeAccess, store: PartyStore, chain_id: str) -> None:
        """chain_id: hex, of the sealed chain."""
        self._access = access
        self._store = store
        self._chain_id = chain_id
        self._graph: tuple[tuple[Party, ...], PeerGraph] = ((), PeerGraph(access.network, ()))
        self._told: dict[str, tuple[str, ...]] = {}
        self._probed: defaultdict[str, set[str]] = defaultdict(set)
        """Endpoints that a node tries, by node."""
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._jobs: dict[str, asyncio.Task[None]] = {}
        self._seen: dict[str, tuple[float, Mapping[str, PeerLink]]] = {}

    @property
    def graph(self) -> PeerGraph:
        """Who dials whom, as the parties are now."""
        parties = self._store.parties()
        if parties is not self._graph[0]:
            self._graph = parties, PeerGraph(self._access.network, parties)
        return self._graph[1]

    def prober(self, party: Party) -> Node | None:
        """The node that dials a party back: its neighbour among the operator's, or the first that runs."""
        running = [node for node in self._access.network.nodes if self._access.running(node)]
        return next((node for node in running if node.name in party.neighbours), running[0] if running else None)

    async def dial(self, party: Party) -> str:
        """Has a node dial the party's endpoint. Returns what is wrong; empty: a node of this chain answered there."""
        node, endpoint = self.prober(party), str(party.endpoint)
        if node is None:
            return "no node of the operator's runs that could dial it back"
        self._probed[node.name].add(endpoint)
        try:
            await self.refresh(node)

            async def answered() -> PeerLink | None:
                return (await self._connected(node)).get(endpoint)

            link = await poll(answered, what=f"{endpoint} to answer", deadline=DIAL_SECONDS)
        except DeadlineError:
            return f"p2p endpoint {endpoint}: no node of this chain answered {node.name} there; is the port open?"
        except NodeError as error:
            return f"{node.name} could not dial it back: {error}"
        finally:
            self._probed[node.name].discard(endpoint)
        if link.key and str(link.key) != party.signing_key:
            return f"p2p endpoint {endpoint}: a node answers there that shakes hands with another key, {link.key}"
        known = self._store.find(party.name)
        if known is None or known.endpoint != endpoint:
            return f"p2p endpoint {endpoint} was changed meanwhile"
        self._store.dialled(party.name, endpoint)
        return ""

    def spread(self) -> None:
        """Begins to tell every running node of the operator's whom it is to dial, where that has changed."""
        for node in self._access.network.nodes:
            job = self._jobs.get(node.name)
            if self._access.running(node) and (job is None or job.done()):
                self._jobs[node.name] = asyncio.create_task(self._keep(node))

    async def close(self) -> None:
        """Ends what is under way."""
        await end(*self._jobs.values())

    async def _keep(self, node: Node) -> None:
        try:
            await self.refresh(node)
        except (NodeError, LinkError, DeadlineError) as error:
            log.info("peers of %s: %s", node.name, error)

    async def refresh(self, node: Node) -> None:
        """Tells one node whom it is to dial, unless it was told. Raises NodeError, LinkError, DeadlineError."""
        async with self._locks[node.name]:
            planned = PeerGraph(self._access.network, ()).peers_of_node(node)
            wanted = tuple(dict.fromkeys((*self.graph.peers_of_node(node), *sorted(self._probed[node.name]))))
            if wanted == self._told.get(node.name, planned):
                return
            body = pb.SetPeers(name=node.name, peers=wanted)
            result = await self._access.link(node.host).task(body, deadline=PEERS_SECONDS)
            if result.ok:
                self._told[node.name] = wanted
            else:
                log.warning("peers of %s: %s", node.name, result.error)

    async def _connected(self, node: Node) -> Mapping[str, PeerLink]:
        """The endpoints that the node dialled, and over which a handshake of this chain came."""
        at, found = self._seen.get(node.name, (0.0, {}))
        if time.monotonic() - at < LOOK_SECONDS:
            return found
        links = await self._access.ask(Query("/v1/net/connections", node=node.name))
        shaken = (PeerLink.from_json(link) for link in links if _shaken(link, self._chain_id))
        found = {link.peer.lower(): link for link in shaken}
        self._seen[node.name] = (time.monotonic(), found)
        return found


def _shaken(link: dict[str, object], chain_id: str) -> bool:
    handshake = link.get("last_handshake")
    return isinstance(handshake, dict) and handshake.get("chain_id") == chain_id
