"""A party's own node. Its agent configures it; a coordinator only names peers."""

from __future__ import annotations

from collections.abc import Sequence

from agent.duties.holding import Holding
from agent.duties.tools import Tools
from agent.endpoints import checked
from agent.errors import DutyError, SpecError, UnknownNode
from agent.nodeos.spec import NodeSpec
from agent.nodeos.throwaway import free_ports
from agent.party.settings import PartySettings
from boot.step import NodeMode
from inventory.network import Role
from protos import coordination_pb2 as pb

MOST_PEERS = 64


class OwnNode:
    """The node, started by the settings of its operator."""

    def __init__(self, settings: PartySettings, tools: Tools, holding: Holding) -> None:
        self.settings = settings
        self._nodes = tools.nodes
        self._holding = holding

    async def resume(self) -> None:
        """Starts the node with its last peers and the current settings. Raises what starting raises."""
        if not self._holding.manifest:
            return
        try:
            peers = self._nodes.record(self.settings.account).spec.peers
        except UnknownNode:
            return
        await self._start(peers)

    async def follow(self, peers: Sequence[str]) -> None:
        """Runs the node with these peers. Raises DutyError for invalid peers, and what starting raises."""
        others = checked(peers, MOST_PEERS, "peers")
        await self._start(tuple(peer for peer in others if peer != self.settings.p2p))

    async def set_peers(self, wanted: pb.SetPeers) -> None:
        """The same, as the task that a host's agent also has. Raises DutyError for any other node."""
        if wanted.name != self.settings.account:
            raise DutyError(f"refused: {wanted.name[:80]!r} is no node of this party")
        await self.follow(wanted.peers)

    async def _start(self, peers: tuple[str, ...]) -> None:
        network = self._holding.held()
        genesis = network.genesis.to_json().encode()
        await self._nodes.start(self._spec(peers), NodeMode.NORMAL, genesis, network.sealed.chain_id)

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
