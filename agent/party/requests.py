"""The requests of a party's operator to the running agent. `agent.party.control` transports them."""

from __future__ import annotations

from collections.abc import Mapping

from agent import proposals
from agent.errors import ControlError, InputError
from agent.party.account import OwnAccount
from agent.party.approving import Approving
from agent.party.control import Answer, Answerer, Request, Say
from agent.proposals import Proposal
from agent.pushes.pushing import Chore
from antelope import actions
from antelope.errors import BadName
from antelope.names import check_name
from antelope.transaction import Action, PermissionLevel
from boot.step import Push


class Requests:
    """Proposals, votes and rewards, always of the party's own account and as its policy allows."""

    def __init__(self, own: OwnAccount, approving: Approving) -> None:
        self._own = own
        self._approving = approving

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

    async def _proposals(self, request: Request, say: Say) -> Answer:
        """Shows the proposals that wait for the operator, and forgets those that are no longer on the chain."""
        waiting = [one for one in self._approving.pending.all() if not one.agreed]
        for proposal in waiting:
            if await proposals.find(self._own.node, proposal.proposer, proposal.name) != proposal:
                self._approving.pending.drop(proposal)
                continue
            for line in await proposals.describe(self._own.node, proposal):
                say(line)
        if not any(not one.agreed for one in self._approving.pending.all()):
            say("no proposal waits for you")
        return Answer()

    async def _describe(self, request: Request, say: Say) -> Answer:
        proposal = await self._find(request)
        for line in await proposals.describe(self._own.node, proposal):
            say(line)
        return Answer(hash=proposal.hash)

    async def _approve(self, request: Request, say: Say) -> Answer:
        proposal = await self._find(request)
        if request.hash != proposal.hash:
            raise ControlError(f"{proposal.title} has changed ({proposal.hash}): look at it again")
        self._approving.pending.agree(proposal)
        pushed = await self._approving.approve(proposal)
        say(f"approved {proposal.title}" + (f" (transaction {pushed.transaction})" if pushed else " before"))
        return Answer()

    async def _unapprove(self, request: Request, say: Say) -> Answer:
        proposal = await self._find(request)
        own = PermissionLevel(self._own.name)
        self._approving.pending.drop(proposal)
        action = actions.unapprove(proposal.proposer, proposal.name, own)
        return await self._sign(f"unapprove {proposal.title}", action, say)

    async def _vote(self, request: Request, say: Say) -> Answer:
        producers = [_name(name) for name in request.producers]
        action = actions.voteproducer(self._own.name, "", producers)
        return await self._sign(f"vote {','.join(sorted(producers))}", action, say)

    async def _claim(self, request: Request, say: Say) -> Answer:
        return await self._sign("claim", actions.claimrewards(self._own.name), say)

    async def _sign(self, key: str, action: Action, say: Say) -> Answer:
        info = await self._own.node.get_info()
        push = Push(key, (action,), self._own.name)
        (pushed,) = await self._own.sign(Chore("operator"), (push,), info)
        say(f"{action.name} is in block {pushed.block} (transaction {pushed.transaction})")
        return Answer()

    async def _find(self, request: Request) -> Proposal:
        proposer, _, name = request.proposal.partition("/")
        found = await proposals.find(self._own.node, _name(proposer), _name(name))
        if found is None:
            raise ControlError(f"there is no proposal {proposer}/{name} on this party's node")
        return found


def _name(text: str) -> str:
    try:
        return check_name(text)
    except BadName as error:
        raise InputError(str(error)) from error
