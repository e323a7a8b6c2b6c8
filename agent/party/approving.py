"""Decides whether to approve a proposal: the agent reads it from its own node, and follows policy and operator."""

from __future__ import annotations

import logging
from pathlib import Path

from agent import proposals
from agent.advising import typed_agent
from agent.duties.holding import Holding
from agent.errors import DutyError
from agent.party import policy
from agent.party.account import OwnAccount
from agent.party.policy import Policy
from agent.proposals import Proposal
from agent.pushes.pushing import Chore
from agent.reports import Pushed, ReportProgress, silent
from antelope.errors import AntelopeError
from boot import canary
from boot.step import Push
from boot.upgrade import Replacement, replacement
from protos import coordination_pb2 as pb

log = logging.getLogger(__name__)


class Approving:
    """Approvals of one party, and the proposals that wait for its operator."""

    def __init__(self, rules: Policy, own: OwnAccount, holding: Holding, data: Path) -> None:
        """data: the agent's folder."""
        self.pending = proposals.Pending(data / "proposals")
        self._policy = rules
        self._own = own
        self._holding = holding
        self._data = data

    async def endorse(self, wanted: pb.Endorse, report: ReportProgress) -> None:
        """Approves what a coordinator asks for. Raises DutyError and others."""
        await self.approve(await proposals.asked_for(self._own.node, wanted), report)

    async def approve(self, proposal: Proposal, report: ReportProgress = silent) -> Pushed | None:
        """Approves it if the policy allows. Returns None if it was approved before. Raises DutyError and others."""
        asked = await proposals.approvals(self._own.node, proposal.proposer, proposal.name)
        if self._own.name in asked.provided:
            self.pending.drop(proposal)
            return None
        if self._own.name not in asked.requested:
            raise DutyError(f"{proposal.title} does not ask {self._own.name} for an approval")
        decision = self._decide(proposal)
        if decision.ask and self.pending.note(proposal):
            shows, gives = typed_agent("proposals", self._data), typed_agent("approve", self._data, proposal.title)
            log.warning("%s asks for an approval: `%s` shows it, `%s` gives it", proposal.title, shows, gives)
        _require(decision)
        info = await self._own.synced()
        action = proposals.approval(proposal, self._own.name)
        push = Push(f"{proposal.title} {proposal.hash}", (action,), self._own.name)
        (pushed,) = await self._own.sign(Chore("endorse"), (push,), info, report)
        log.info("approved %s: %s (transaction %s)", proposal.title, decision.reason, pushed.transaction)
        self.pending.drop(proposal)
        return pushed

    def check_canary(self) -> None:
        """Raises DutyError if the policy does not approve the canary."""
        _require(policy.decide(self._policy, canary=True, sets=None, agreed=False))

    def _decide(self, proposal: Proposal) -> policy.Decision:
        blueprint = self._holding.held()
        named = proposal.name == canary.PROPOSAL and proposal.proposer in (canary.PROPOSER, canary.deputy(blueprint))
        return policy.decide(
            self._policy,
            canary=named and proposal.packed == canary.packed(blueprint).hex(),
            sets=_sets(proposal),
            agreed=self.pending.agreed(proposal),
        )


def _require(decision: policy.Decision) -> None:
    if not decision.approve:
        raise DutyError(f"not approved: {decision.reason}", retryable=decision.ask)


def _sets(proposal: Proposal) -> Replacement | None:
    try:
        return replacement(proposal.transaction)
    except AntelopeError:
        return None
