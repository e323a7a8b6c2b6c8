"""The few duties of a party's agent: on its own node, for its own account, and within its policy."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

from agent import snapshots
from agent.duties.holding import Holding
from agent.duties.steps import StepWork
from agent.duties.table import Table, carry_out
from agent.duties.tools import Tools
from agent.errors import DutyError
from agent.party import attesting
from agent.party.account import OwnAccount
from agent.party.approving import Approving
from agent.party.enlisting import enlist
from agent.party.node import OwnNode
from agent.party.proving import Proving
from agent.party.sealed_check import OWN_STEPS
from agent.party.settings import PartySettings
from agent.party.summary import summary
from agent.party.vetting import vet
from agent.party.vouching import Vouching
from agent.producers import ProducerEndpoints
from agent.reports import ReportProgress
from boot.errors import AuditError
from boot.step import Push
from boot.steps import canary_approve
from protos import coordination_pb2 as pb
from support.files import write_atomic

log = logging.getLogger(__name__)


class PartyDuties:
    """Carries out a coordinator's tasks. Whatever is not in its table is refused."""

    def __init__(self, settings: PartySettings, data: Path, tools: Tools) -> None:
        """data: the agent's folder."""
        self.settings = settings
        self.producers = ProducerEndpoints(tools.memory)
        self.proving = Proving(tools.config.network, lambda: self.holding.network)
        self.holding = Holding(tools, self.proving.check, vet)
        self.own = OwnAccount(settings, tools, self.holding)
        self.node = OwnNode(settings, tools, self.holding)
        self.vouching = Vouching(settings, tools, self.own)
        self.approving = Approving(settings.policy, self.own, self.holding, data)
        self.leaving = False
        """Whether its operator is ending the membership. If so, it does not register again."""
        self._steps = StepWork(tools, self.holding)
        self._data = data
        self.table: Table = {
            "hold": lambda task, _: self._take(task.hold.sha256),
            "follow": lambda task, _: self.node.follow(task.follow.peers, task.follow),
            "vouch": lambda task, _: self.vouching.vouch(task.vouch, self.holding.held()),
            "set_peers": lambda task, _: self.node.set_peers(task.set_peers),
            "producers": lambda task, _: self._keep_producers(task.producers),
            "enlist": lambda _, report: self._enlist(report),
            "endorse": lambda task, report: self.approving.endorse(task.endorse, report),
            "attest": lambda task, _: self._attest(task.attest),
            "run_step": lambda task, report: self._own_step(task.run_step, report),
            "recount": lambda task, report: self._steps.recount(task.recount, report),
        }
        """Everything that a party's agent does for a coordinator. All that it signs passes OwnAccount.check."""

    @property
    def manifest(self) -> str:
        """The manifest of the sealed network that this agent holds; empty: it holds none yet."""
        return self.holding.manifest

    async def carry_out(self, task: pb.Task, report: ReportProgress) -> pb.Result:
        """Carries the task out. Raises nothing: a failure and its reason are in the result."""
        return await carry_out(self.table, task, report, self._unknown)

    def _unknown(self, kind: str) -> DutyError:
        what = kind or "an empty task"
        return DutyError(f"refused: {what} is not a duty of a party's agent ({self.own.name})")

    async def _take(self, manifest: str) -> None:
        pinned, held = self.settings.manifest, self.manifest
        if pinned and manifest != pinned:
            raise DutyError(
                f"refused: the coordinator's manifest is {manifest[:64]}, this party pinned {pinned}: it is not "
                "taken; ask the network's operator which one is right"
            )
        await self.holding.take(manifest)
        if manifest != held:
            for line in summary(self.holding.held().sealed):
                log.info("%s", line)

    async def _keep_producers(self, told: pb.Producers) -> None:
        await self.producers.take(await self.node.producers(told))

    async def _enlist(self, report: ReportProgress) -> None:
        if self.leaving:
            raise DutyError(f"refused: {self.own.name} is leaving")
        await enlist(self.own, self.settings, report)

    async def _own_step(self, wanted: pb.RunStep, report: ReportProgress) -> None:
        own = self.own.name
        if wanted.step not in OWN_STEPS:
            raise DutyError(f"refused: the step {wanted.step[:80]!r} is not a duty of a party's agent")
        parts = (own, own + canary_approve.ANEW)
        if len(wanted.keys) != 1 or wanted.keys[0] not in parts or wanted.node != own:
            raise DutyError(f"refused: a party's agent does a step for {own} alone, on its own node")
        work = (await self._steps.derived(wanted.step)).get(wanted.keys[0])
        if not isinstance(work, Push):
            raise DutyError(f"{wanted.step}: {own} has no part in it, as this agent derives it")
        self.own.check(work)
        if wanted.step == "canary-approve":
            self.approving.check_canary()
        await self._steps.run(wanted, self.own.key_of, report)

    async def _attest(self, wanted: pb.Attest) -> pb.Result:
        told = {(one.account, one.wasm, one.abi) for one in wanted.replaced}
        try:
            url = self.own.node.base_url
            document = await attesting.document(self.own.node, self.holding.held(), told, lambda: snapshots.taken(url))
        except AuditError as error:
            raise DutyError(str(error), retryable=True) from error
        key = self.own.key_of(self.own.name)
        attestation = await asyncio.to_thread(attesting.sign, self.own.name, key, document)
        path = self._data / "attestations" / f"{json.loads(document)['block']['num']}.json"
        write_atomic(path, attesting.as_json(attestation))
        log.info("audited the chain on this party's node: %s (%s)", attesting.verdict(document), path)
        return pb.Result(attestation=attestation)
