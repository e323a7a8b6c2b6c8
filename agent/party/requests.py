"""What a party's operator may ask the running agent for; `agent.party.control` carries it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent import proposals
from agent.chores import Chore
from agent.party.control import Answerer, ControlError, Say
from agent.party.duties import PartyDuties
from agent.proposals import Proposal
from antelope import actions
from antelope.names import check_name
from antelope.transaction import Action, PermissionLevel
from boot.step import Push


class Requests:
    """Proposals, votes, rewards: always of the party's own account, and as its policy says."""

    def __init__(self, duties: PartyDuties) -> None:
        self._duties = duties

    @property
    def answerers(self) -> Mapping[str, Answerer]:
        """By what is asked."""
        return {
            "proposals": self._proposals,
            "describe": self._describe,
            "approve": self._approve,
            "unapprove": self._unapprove,
            "vote": self._vote,
            "claim": self._claim,
        }

    async def _proposals(self, request: Mapping[str, Any], say: Say) -> None:
        """Those that wait for the operator; the chain has dropped the others."""
        waiting = [one for one in self._duties.pending.all() if not one.agreed]
        for proposal in waiting:
            if await proposals.find(self._duties.node, proposal.proposer, proposal.name) != proposal:
                self._duties.pending.drop(proposal)
                continue
            for line in await proposals.describe(self._duties.node, proposal):
                say(line)
        if not any(not one.agreed for one in self._duties.pending.all()):
            say("no proposal waits for you")

    async def _describe(self, request: Mapping[str, Any], say: Say) -> None:
        for line in await proposals.describe(self._duties.node, await self._find(request)):
            say(line)

    async def _approve(self, request: Mapping[str, Any], say: Say) -> None:
        proposal = await self._find(request)
        if request["hash"] != proposal.hash:
            raise ControlError(f"{proposal.title} is another one now ({proposal.hash}): look at it again")
        self._duties.pending.agree(proposal)
        pushed = await self._duties.approve(proposal)
        say(f"approved {proposal.title}" + (f" (transaction {pushed.transaction})" if pushed else " before"))

    async def _unapprove(self, request: Mapping[str, Any], say: Say) -> None:
        proposal = await self._find(request)
        own = PermissionLevel(self._duties.account)
        self._duties.pending.drop(proposal)
        await self._sign(f"unapprove {proposal.title}", actions.unapprove(proposal.proposer, proposal.name, own), say)

    async def _vote(self, request: Mapping[str, Any], say: Say) -> None:
        producers = [check_name(str(name)) for name in request["producers"]]
        action = actions.voteproducer(self._duties.account, "", producers)
        await self._sign(f"vote {','.join(sorted(producers))}", action, say)

    async def _claim(self, request: Mapping[str, Any], say: Say) -> None:
        await self._sign("claim", actions.claimrewards(self._duties.account), say)

    async def _sign(self, key: str, action: Action, say: Say) -> None:
        info = await self._duties.node.get_info()
        push = Push(key, (action,), self._duties.account)
        (pushed,) = await self._duties.sign(Chore("operator"), (push,), info)
        say(f"{action.name} is in block {pushed.block} (transaction {pushed.transaction})")

    async def _find(self, request: Mapping[str, Any]) -> Proposal:
        proposer, _, name = str(request["proposal"]).partition("/")
        found = await proposals.find(self._duties.node, check_name(proposer), check_name(name))
        if found is None:
            raise ControlError(f"there is no proposal {proposer}/{name} on this party's node")
        return found
