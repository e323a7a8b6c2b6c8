"""A party's own node. Its agent configures it; a coordinator only names peers."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence

from agent.duties.holding import Holding
from agent.duties.snapshots import HostSnapshots
from agent.duties.tools import Tools
from agent.endpoints import checked
from agent.errors import DutyError, SpecError, UnknownNode
from agent.nodeos.spec import NodeSpec
from agent.nodeos.throwaway import free_ports
from agent.nodes.first_start import Source
from agent.party.offers import Offers
from agent.party.reach import judge
from agent.party.settings import PartySettings
from antelope.elections import MAX_PRODUCERS
from antelope.strict_json import read_json
from boot.step import NodeMode
from inventory.network import Role
from inventory.reach import Reach
from protos import coordination_pb2 as pb

log = logging.getLogger(__name__)

MOST_PEERS = 64
_TOLD = "peers"
"""The peers that a coordinator last named, kept in the journal."""


class OwnNode:
    """The node, started by the settings of its operator."""

    def __init__(self, settings: PartySettings, tools: Tools, holding: Holding) -> None:
        self._offers = Offers(settings, HostSnapshots(tools))
        self.settings = settings
        self._nodes = tools.nodes
        self._holding = holding
        self._memory = tools.memory

    async def producers(self, told: pb.Producers) -> pb.Producers:
        """The endpoints that the node may dial in an outage, with their current addresses. Raises DutyError."""
        endpoints = checked(told.endpoints, MAX_PRODUCERS, "endpoints of producers")
        found = await judge(endpoints, Reach(self.settings.peers))
        if found.refused:
            log.warning("%d endpoints of producers are not kept: %s", len(found.refused), found.refused[0])
        return pb.Producers(endpoints=found.dialled)

    async def resume(self) -> None:
        """Starts the node with its last peers and the current settings. Raises what starting raises."""
        if not self._holding.manifest:
            return
        try:
            kept = self._nodes.record(self.settings.account).spec.peers
        except UnknownNode:
            return
        told, rule = self._memory.get(_TOLD), Reach(self.settings.peers)
        found = await judge(read_json(told) if told else kept, rule)
        for why in found.refused:
            log.warning("%s", why)
        if found.missing and not found.dialled:  # no name resolves now: use the last known addresses
            found = await judge(kept, rule)
        await self._start(found.dialled)

    async def follow(self, peers: Sequence[str], offered: pb.Follow | None = None) -> None:
        """Runs the node with these peers. Raises DutyError for invalid peers, and what starting raises.

        offered: may have a snapshot for a node that has never run.
        """
        others = [peer for peer in checked(peers, MOST_PEERS, "peers") if peer != self.settings.p2p]
        found = await judge(others, Reach(self.settings.peers))
        if found.refused:
            raise DutyError(f"refused: {found.refused[0]}")
        if found.missing and not found.dialled:
            raise DutyError(f"no address is found for the peers {', '.join(found.missing)[:300]}", retryable=True)
        source = await self._offers.source(offered, self._holding.held()) if offered and self._new else None
        await self._start(found.dialled, source)
        self._memory.keep(**{_TOLD: json.dumps(others)})

    async def set_peers(self, wanted: pb.SetPeers) -> None:
        """The same, as the task that a host's agent also has. Raises DutyError for any other node."""
        if wanted.name != self.settings.account:
            raise DutyError(f"refused: {wanted.name[:80]!r} is not a node of this party")
        await self.follow(wanted.peers)

    @property
    def _new(self) -> bool:
        """Whether the node has never run."""
        try:
            self._nodes.record(self.settings.account)
        except UnknownNode:
            return True
        return False

    async def _start(self, peers: tuple[str, ...], source: Source | None = None) -> None:
        network = self._holding.held()
        genesis = network.genesis.to_json().encode()
        await self._nodes.start(self._spec(peers), NodeMode.NORMAL, genesis, network.sealed.chain_id, source)

    def _spec(self, peers: tuple[str, ...]) -> NodeSpec:
        try:
            kept = self._nodes.record(self.settings.account).spec.http_port
        except UnknownNode:
            kept = 0
        return node_spec(self.settings, self.settings.http_port or kept or free_ports(1)[0], peers)


def node_spec(settings: PartySettings, http_port: int, peers: tuple[str, ...]) -> NodeSpec:
    """The node, with that port for its HTTP API. Raises DutyError."""
    try:
        return NodeSpec(
            name=settings.account,
            role=Role.PRODUCER,
            account=settings.account,
            p2p_bind=settings.listen,
            p2p_endpoint=settings.p2p,
            http_port=http_port,
            peers=peers,
            options=settings.options,
            nodeos=settings.nodeos,
        )
    except SpecError as error:
        raise DutyError(str(error)) from error
