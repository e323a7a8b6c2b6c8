"""What a party's agent does for a coordinator: little, on its own node, with its own account's keys, by its policy."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent import proposals
from agent.chores import Chore, carry_out
from agent.duties import Duties, Duty, chain_step
from agent.errors import DutyError
from agent.nodeos.spec import NodeSpec
from agent.nodeos.throwaway import free_ports
from agent.nodes.errors import UnknownNode
from agent.party import attesting, own, policy
from agent.party.proving import Proving
from agent.party.settings import PartySettings
from agent.party.summary import summary
from agent.pushes import Pushed
from agent.records import PushRecords
from agent.tasks import Report
from antelope import actions
from antelope.answers import Info
from antelope.errors import AntelopeError, BadName
from antelope.genesis import Genesis
from antelope.http import NodeClient
from antelope.keys import SigningKey
from antelope.names import check_name, name_to_int
from antelope.transaction import PermissionLevel
from boot import canary
from boot.audit import AuditError
from boot.blueprint import Blueprint
from boot.step import NodeMode, Push
from inventory.sealed import Sealed
from protos import coordination_pb2 as pb
from support.endpoint import dialable
from support.files import write_atomic

log = logging.getLogger(__name__)

STEPS = ("register", "canary-approve", "claim")
"""The steps of which a party's agent does its own account's part."""
MOST_PEERS = 64
FRESH_SECONDS = 15.0
"""A node whose head is not older is in sync: two producers in a row may be absent."""


class PartyDuties(Duties):
    """The duties of a party's agent. Whatever else a coordinator asks for is refused, in words."""

    def __init__(self, settings: PartySettings, data: Path, *tools: Any) -> None:
        """data: the agent's folder; tools: what Duties takes."""
        super().__init__(*tools)
        self.settings = settings
        self.proving = Proving(self._config.network, self.held)
        self.pending = proposals.Pending(data / "proposals")
        self.leaving = False
        """Whether its operator is ending it: it registers no more."""
        self._data = data

    @property
    def account(self) -> str:
        """The party's; its node has the same name."""
        return self.settings.account

    @property
    def node(self) -> NodeClient:
        """The party's own. Raises UnknownNode when it was never started."""
        return self._nodes.client(self.account)

    def duties(self, task: pb.Task, report: Report) -> Mapping[str, Duty]:
        """All that a party's agent does."""
        return {
            "hold": lambda: self._take(task.hold.sha256),
            "follow": lambda: self._follow(task.follow.peers),
            "set_peers": lambda: self._set_peers(task.set_peers),
            "producers": lambda: self._keep_producers(task.producers.endpoints),
            "enlist": lambda: self._enlist(report),
            "endorse": lambda: self._endorse(task.endorse, report),
            "attest": lambda: self._attest(task.attest),
            "run_step": lambda: self._own_step(task.run_step, report),
            "recount": lambda: self._recount(task.recount, report),
        }

    def unknown(self, kind: str) -> str:
        """Refusals say what was asked for."""
        return f"refused: {kind or 'an empty task'} is nothing that the agent of a party does ({self.account})"

    async def _take(self, manifest: str) -> None:
        pinned, held = self.settings.manifest, self.manifest
        if pinned and manifest != pinned:
            raise DutyError(
                f"refused: the coordinator's manifest is {manifest[:64]}, this party pinned {pinned}: nothing of it is "
                "taken; ask the network's operator which one is right"
            )
        await self._hold(manifest)
        if manifest != held:
            for line in summary((await self._held()).sealed):
                log.info("%s", line)

    def check_chain(self, chain_id: str) -> None:
        """As Duties; raises DutyError."""
        self.proving.check(chain_id)

    async def resume(self) -> None:
        """Starts the node again as it ran last, with the settings of now. Raises what starting raises."""
        if not self.manifest:
            return
        try:
            peers = self._nodes.record(self.account).spec.peers
        except UnknownNode:
            return
        await self._start(peers)

    async def _follow(self, peers: Sequence[str]) -> None:
        if len(peers) > MOST_PEERS:
            raise DutyError(f"refused: {len(peers)} peers, more than {MOST_PEERS}")
        for peer in peers:
            if not dialable(peer):
                raise DutyError(f"refused: the peer {peer[:80]!r} is not HOST:PORT")
        await self._start(tuple(peer for peer in dict.fromkeys(peers) if peer != self.settings.p2p))

    async def _start(self, peers: tuple[str, ...]) -> None:
        sealed = (await self._held()).sealed
        genesis = Genesis.from_json(json.dumps(dict(sealed.genesis))).to_json()
        await self._nodes.start(self._spec(peers), NodeMode.NORMAL, genesis.encode(), sealed.chain_id)

    def _spec(self, peers: tuple[str, ...]) -> NodeSpec:
        try:
            kept = self._nodes.record(self.account).spec.http_port
        except UnknownNode:
            kept = 0
        return own.node_spec(self.settings, self.settings.http_port or kept or free_ports(1)[0], peers)

    async def _set_peers(self, wanted: pb.SetPeers) -> None:
        if wanted.name != self.account:
            raise DutyError(f"refused: {wanted.name[:80]!r} is no node of this party")
        await self._follow(wanted.peers)

    async def _own_step(self, wanted: pb.RunStep, report: Report) -> None:
        if wanted.step not in STEPS:
            raise DutyError(f"refused: the step {wanted.step[:80]!r} is nothing that the agent of a party does")
        if set(wanted.keys) != {self.account} or wanted.node != self.account:
            raise DutyError(f"refused: a party's agent does a step for {self.account} alone, on its own node")
        blueprint = await self._held()
        work = (await self._work_of(chain_step(wanted.step), blueprint)).get(self.account)
        if not isinstance(work, Push):
            raise DutyError(f"{wanted.step}: {self.account} has no part in it, as this agent derives it")
        self._allow(work)
        if wanted.step == "canary-approve":
            self._decided(policy.decide(self.settings.policy, canary=True, codes=None, agreed=False))
        await self._run_step(wanted, report)

    async def _enlist(self, report: Report) -> None:
        if self.leaving:
            raise DutyError(f"refused: {self.account} is leaving")
        info = await self._synced()
        own.check_account(
            self.account, await self.node.find_account(self.account), self._keys.account_key(self.account)
        )
        key = self._keys.signer_key(self.account)
        row = await self.node.find_row("eosio", "eosio", "producers", name_to_int(self.account))
        if own.registered(row, key, self.settings.url):
            return
        action = actions.regproducer(self.account, key, self.settings.url, self.settings.location)
        (pushed,) = await self.sign(Chore("enlist"), (Push(self.account, (action,), self.account),), info)
        log.info("regproducer is in block %d: %s is registered (transaction %s)", pushed.block, self.account,
                 pushed.transaction)  # fmt: skip
        _told(report, pushed)

    async def _synced(self) -> Info:
        """The node's head, which is fresh. Raises DutyError when it is not in sync yet."""
        info = await self.node.get_info()
        if not self.in_sync(info):
            raise DutyError(f"{self.account}'s node is not in sync yet: block {info.head_block_num}", retryable=True)
        return info

    def in_sync(self, info: Info) -> bool:
        """Whether the node's head is as fresh as a running chain's."""
        return time.time() - info.head_block_time.timestamp() <= FRESH_SECONDS

    async def _endorse(self, wanted: pb.Endorse, report: Report) -> None:
        try:
            proposer, name = check_name(wanted.proposer), check_name(wanted.proposal)
        except BadName as error:
            raise DutyError(f"refused: {error}") from error
        proposal = await proposals.find(self.node, proposer, name)
        if proposal is None:
            raise DutyError(f"{proposer}/{name} is not on this party's node (yet)", retryable=True)
        if proposal.hash != wanted.hash:
            raise DutyError(
                f"refused: {proposal.title} has the hash {proposal.hash}, the coordinator asks for {wanted.hash[:64]!r}"
            )
        pushed = await self.approve(proposal)
        if pushed:
            _told(report, pushed)

    async def approve(self, proposal: proposals.Proposal) -> Pushed | None:
        """Approves it, as far as the policy lets; None when that was done before. Raises DutyError and others."""
        asked = await proposals.approvals(self.node, proposal.proposer, proposal.name)
        if self.account in asked.provided:
            self.pending.drop(proposal)
            return None
        if self.account not in asked.requested:
            raise DutyError(f"{proposal.title} does not ask {self.account} for an approval")
        derived = canary.packed(await self._held()).hex()
        is_canary = (proposal.proposer, proposal.name) == (canary.PROPOSER, canary.PROPOSAL)
        decision = policy.decide(
            self.settings.policy,
            canary=is_canary and proposal.packed == derived,
            codes=_codes(proposal),
            agreed=self.pending.agreed(proposal),
        )
        if decision.ask and self.pending.note(proposal):
            log.warning("%s asks for an approval: `agent proposals --data %s` shows it, `agent approve %s --data %s` "
                        "gives it", proposal.title, self._data, proposal.title, self._data)  # fmt: skip
        self._decided(decision)
        action = actions.approve(
            proposal.proposer, proposal.name, PermissionLevel(self.account), bytes.fromhex(proposal.hash)
        )
        info = await self._synced()
        push = Push(f"{proposal.title} {proposal.hash}", (action,), self.account)
        (pushed,) = await self.sign(Chore("endorse"), (push,), info)
        log.info("approved %s: %s (transaction %s)", proposal.title, decision.reason, pushed.transaction)
        self.pending.drop(proposal)
        return pushed

    def _decided(self, decision: policy.Decision) -> None:
        if not decision.approve:
            raise DutyError(f"not approved: {decision.reason}", retryable=decision.ask)

    async def _attest(self, wanted: pb.Attest) -> pb.Result:
        blueprint = await self._held()
        told = {(one.account, one.wasm, one.abi) for one in wanted.replaced}
        try:
            document = await attesting.document(self.node, blueprint, told)
        except AuditError as error:
            raise DutyError(str(error), retryable=True) from error
        key = self._keys.key(self.account)
        attestation = await asyncio.to_thread(attesting.sign, self.account, key, document)
        path = self._data / "attestations" / f"{json.loads(document)['block']['num']}.json"
        write_atomic(path, attesting.as_json(attestation))
        log.info("audited the chain on the own node: %s (%s)", attesting.verdict(document), path)
        return pb.Result(attestation=attestation)

    async def sign(self, chore: Chore, pushes: Sequence[Push], info: Info) -> tuple[Pushed, ...]:
        """Signs what the policy allows, and pushes it exactly once. Raises DutyError, PushError, NodeError.

        Whoever asks has looked: what came into a block before was undone since (another vote, an approval taken back),
        and need not be irreversible yet. All of these actions may be done twice.
        """
        for push in pushes:
            self._allow(push)
        sealed = (await self._held()).sealed
        records = PushRecords(self._journal, sealed.chain_id)
        for push in pushes:
            records.forget_placed(chore.name, push.key)
        return await carry_out(
            self.node, records, sealed.chain_id, self._signing(sealed), chore, pushes, info.head_block_num
        )

    def _allow(self, push: Push) -> None:
        key = str(self._keys.signer_key(self.account))
        reason = policy.objection(self.settings.policy, self.account, push.actions, key)
        if reason:
            raise DutyError(f"refused: {reason}")

    def _signing(self, sealed: Sealed) -> Callable[[str], SigningKey]:
        """Signs as the party's own account, and as nobody else."""

        def key(account: str) -> SigningKey:
            if account != self.account:
                raise KeyError(f"a party's agent signs as {self.account} alone")
            return self._keys.key(account)

        return key

    async def held(self) -> Blueprint | None:
        """The sealed network, once there is one."""
        return await self._held() if self.manifest else None


def _codes(proposal: proposals.Proposal) -> frozenset[str] | None:
    try:
        return proposals.contracts_set(proposal.transaction)
    except AntelopeError:
        return None


def _told(report: Report, pushed: Pushed) -> None:
    one = pb.Pushed(key=pushed.key, transaction=pushed.transaction, block=pushed.block)
    report(pb.Progress(done=1, total=1, pushed=[one]))
