"""The duties of a host's agent."""

from __future__ import annotations

import contextlib

from agent.duties.collecting import collect
from agent.duties.holding import Holding
from agent.duties.registration import Registration
from agent.duties.snapshots import HostSnapshots
from agent.duties.sponsorship import Sponsorship
from agent.duties.steps import StepWork
from agent.duties.table import Table, carry_out
from agent.duties.tools import Tools
from agent.duties.transfers import Transfers
from agent.errors import DutyError, UnknownNode
from agent.nodeos.spec import NodeSpec
from agent.producers import ProducerEndpoints
from agent.reports import ReportProgress
from antelope.keys import SigningKey
from boot.step import NodeMode
from inventory.network import GENESIS_ACCOUNT
from protos import coordination_pb2 as pb
from protos import modes


class HostDuties:
    """Carries out tasks with a host's nodes and keys."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._holding = Holding(tools)
        self._steps = StepWork(tools, self._holding)
        self._snapshots = HostSnapshots(tools)
        self.producers = ProducerEndpoints(tools.memory)
        sponsorship = Sponsorship(tools, self._holding)
        transfers = Transfers(tools, self._holding)
        registration = Registration(tools, self._holding)
        self.table: Table = {
            "collect": lambda task, _: collect(tools, task.collect),
            "hold": lambda task, _: self._holding.take(task.hold.sha256),
            "start_node": lambda task, _: self._start_node(task.start_node),
            "stop_node": lambda task, _: tools.nodes.stop(task.stop_node.name),
            "restart_node": lambda task, _: tools.nodes.restart(task.restart_node.name),
            "take_snapshot": lambda task, _: self._snapshots.take(task.take_snapshot),
            "produce": lambda task, _: self._produce(task.produce),
            "set_peers": lambda task, _: tools.nodes.set_peers(task.set_peers.name, task.set_peers.peers),
            "leases": lambda task, _: self._leases(task.leases),
            "producers": lambda task, _: self.producers.take(task.producers),
            "run_step": lambda task, report: self._steps.run(task.run_step, self._key_of, report),
            "recount": lambda task, report: self._steps.recount(task.recount, report),
            "sponsor": lambda task, report: sponsorship.sponsor(task.sponsor, report),
            "elect": lambda task, report: sponsorship.elect(task.elect, report),
            "propose": lambda task, report: sponsorship.propose(task.propose, report),
            "endorse": lambda task, report: sponsorship.endorse(task.endorse, report),
            "hand": lambda task, _: self._holding.hand(task.hand.sha256, task.hand.offset),
            "transfer": lambda task, report: transfers.transfer(task.transfer, report),
            "execute": lambda task, report: sponsorship.execute(task.execute, report),
            "rekey": lambda task, _: registration.rekey(task.rekey),
            "register": lambda task, report: registration.register(task.register, report),
            "unregister": lambda task, report: registration.unregister(task.unregister, report),
            "settle": lambda task, _: registration.settle(task.settle),
        }
        """Everything that a host's agent does for a coordinator."""

    @property
    def manifest(self) -> str:
        """The manifest of the sealed network that this agent holds; empty: it holds none yet."""
        return self._holding.manifest

    async def carry_out(self, task: pb.Task, report: ReportProgress) -> pb.Result:
        """Carries the task out. Raises nothing: a failure and its reason are in the result."""
        return await carry_out(self.table, task, report, _unknown)

    async def _start_node(self, wanted: pb.StartNode) -> pb.Result:
        spec, mode = NodeSpec.of(wanted.spec), _mode(wanted)
        network = self._holding.held()
        if wanted.HasField("lease"):
            self._tools.leases.given(str(spec.account), wanted.lease.number, look=wanted.lease.look)
        if mode is NodeMode.AUDIT:
            await self._check_relieved(spec)
        genesis, chain_id, source, note = network.genesis.to_json().encode(), network.sealed.chain_id, None, ""
        if wanted.snapshot.sha256:
            found = await self._snapshots.source(wanted.snapshot, chain_id)
            source, note = (None, found) if isinstance(found, str) else (found, "")
            if note and wanted.anew:
                raise DutyError(f"{spec.name} is left as it is: {note}")
        said = await self._tools.nodes.start(spec, mode, genesis, chain_id, source, anew=wanted.anew)
        return pb.Result(note=said or (f"{spec.name} syncs from its peers: {note}" if note else ""))

    async def _leases(self, told: pb.Leases) -> None:
        """Stores who may sign. A node that lost its lease stops soon (agent.nodes.signers)."""
        own = self._tools.config.name
        for lease in told.leases:
            if lease.host != own and self._signs_otherwise(lease):
                continue
            self._tools.leases.told(
                lease.account, lease.number, ours=lease.host == own, host=lease.host, look=lease.look
            )

    def _signs_otherwise(self, lease: pb.Lease) -> bool:
        """Whether this host has another key of a moving producer. The key is needed until no schedule has it."""
        held = map(str, self._tools.keys.signer_keys(lease.account))
        return bool(lease.key) and any(key != lease.key for key in held)

    async def _produce(self, wanted: pb.Produce) -> None:
        call = "pause" if wanted.paused else "resume"
        await self._tools.nodes.client(wanted.name).call(f"/v1/producer/{call}", {})

    async def _check_relieved(self, spec: NodeSpec) -> None:
        """Raises DutyError if the node signs for a scheduled producer; NodeError if it does not answer."""
        with contextlib.suppress(UnknownNode):
            active = (await self._tools.nodes.client(spec.name).get_producer_schedule()).active.names
            if spec.account in active:
                raise DutyError(f"node {spec.name}: {spec.account} signs the chain's blocks: it must go on")

    def _key_of(self, account: str) -> SigningKey:
        """The key of an account; the system's accounts share eosio's until they hand themselves over."""
        shared = account in self._holding.held().sealed.system_accounts
        return self._tools.keys.key(GENESIS_ACCOUNT if shared else account)


def _mode(wanted: pb.StartNode) -> NodeMode | None:
    """The requested mode of the node; None for the mode in which it ran last."""
    if wanted.mode == pb.MODE_RECORDED:
        return None
    try:
        return NodeMode(modes.name(wanted.mode))
    except ValueError as error:
        raise DutyError(f"node {wanted.spec.name}: this agent does not know mode {wanted.mode}") from error


def _unknown(_: str) -> DutyError:
    return DutyError("this agent does not know such a task: install the coordinator's version")
