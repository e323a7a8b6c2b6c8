"""What the operator's agents do for parties: pay for accounts, vote for parties, propose contracts for approval.

The sealed network limits all of it: whose funds, how much, how often, whose votes. A coordinator cannot exceed that.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from agent.duties.holding import Holding
from agent.duties.tools import Tools, has_key, taking_node
from agent.errors import DutyError
from agent.proposals import Proposal, approval, approvals, asked_for, find
from agent.pushes.pushing import Chore, Pushing
from agent.pushes.records import PushRecords
from agent.reports import ReportProgress
from antelope import actions
from antelope.asset import Asset
from antelope.authority import Authority
from antelope.elections import MAX_VOTED_PRODUCERS
from antelope.errors import BadName
from antelope.http import NodeClient
from antelope.keys import PublicKey
from antelope.names import check_name, name_to_int
from antelope.transaction import Action, PermissionLevel
from boot.blueprint import Blueprint
from boot.step import Push
from boot.upgrade import replacement, upgrade_transaction
from boot.voting import CHOICES_PER_PUSH
from inventory.sealed import SealedSponsor
from protos import coordination_pb2 as pb

_PARTY = re.compile(r"[a-z1-5]{12}", re.ASCII)
LONGEST_PROPOSAL = 30 * 86_400
"""Seconds until a proposal expires, at most."""
SPONSOR, ELECT, PROPOSE, ENDORSE, EXECUTE = (
    Chore(name) for name in ("sponsor", "elect", "propose", "endorse", "execute")
)


class Sponsorship:
    """These duties of one host, with its keys and on its own nodes."""

    def __init__(self, tools: Tools, holding: Holding) -> None:
        self._nodes = tools.nodes
        self._keys = tools.keys
        self._journal = tools.journal
        self._holding = holding
        self._under_way: set[str] = set()
        self._votes = asyncio.Lock()

    async def sponsor(self, wanted: pb.Sponsor, report: ReportProgress) -> None:
        """Creates a party's account, once, within the sealed budget. Does nothing if it exists with that key."""
        blueprint = self._holding.held()
        terms = _terms(blueprint)
        key = PublicKey.parse(wanted.public_key)
        self._check_party(blueprint, wanted.account)
        node = await taking_node(self._nodes)
        found = await node.find_account(wanted.account)
        if found:
            if found.permissions["active"].authority != Authority.key(key):
                raise DutyError(f"account {wanted.account} exists already, with other keys than {key}")
            return
        async with self._one_at_a_time(wanted.account):
            self._check_budget(terms, wanted.account)
            push = Push(wanted.account, account_actions(blueprint, terms, wanted.account, key), terms.account)
            await self._push(node, SPONSOR, (push,), report)

    def _check_party(self, blueprint: Blueprint, account: str) -> None:
        if not _PARTY.fullmatch(account):
            raise DutyError(f"refused: an account of a party has 12 of a-z and 1-5, not {account[:40]!r}")
        if blueprint.rows.find(account):
            raise DutyError(f"refused: {account} is an account of the allocation")

    @contextlib.asynccontextmanager
    async def _one_at_a_time(self, account: str) -> AsyncIterator[None]:
        if account in self._under_way:
            raise DutyError(f"account {account} is being created", retryable=True)
        self._under_way.add(account)
        try:
            yield
        finally:
            self._under_way.discard(account)

    def _check_budget(self, terms: SealedSponsor, account: str) -> None:
        """Counts accounts in progress, and signed transactions that may still get into a block."""
        records = self._records().of_step(SPONSOR.name)
        paid = {one.key for one in records if one.block or one.expiration >= time.time()} | self._under_way
        if len(paid - {account}) >= terms.parties:
            raise DutyError(f"refused: {terms.account} pays for {terms.parties} accounts, as sealed, and has done so")

    async def elect(self, wanted: pb.Elect, report: ReportProgress) -> None:
        """Casts the votes of the sealed voters whose keys are here. Voters that already vote so are skipped."""
        blueprint, producers = self._holding.held(), _names(wanted.producers, MAX_VOTED_PRODUCERS)
        node = await taking_node(self._nodes)
        for name in producers:
            row = await node.find_row("eosio", "eosio", "producers", name_to_int(name))
            if row is None or not row["is_active"]:
                raise DutyError(f"{name} is not registered as a producer: it cannot be voted for", retryable=True)
        async with self._votes:
            late = [voter for voter in self._voters(blueprint) if not await _votes_so(node, voter, producers)]
            size = max(1, CHOICES_PER_PUSH // len(producers))
            shares = [late[start : start + size] for start in range(0, len(late), size)]
            pushes = [_ballots(share, producers) for share in shares]
            await self._push(node, ELECT, pushes, report)

    def _voters(self, blueprint: Blueprint) -> tuple[str, ...]:
        """The sealed network's voters whose keys are here."""
        voters = [vote.voter for vote in blueprint.sealed.votes if not vote.proxy]
        here = tuple(name for name in voters if has_key(self._keys, name))
        if not here:
            raise DutyError("this host has no key of any voter of the sealed network")
        return here

    async def propose(self, wanted: pb.Propose, report: ReportProgress) -> None:
        """Proposes another contract for an account, from verified artifacts; the sponsor pays."""
        blueprint = self._holding.held()
        terms = _terms(blueprint)
        name, account = _name(wanted.proposal), _name(wanted.account)
        requested = _names(wanted.requested, MAX_VOTED_PRODUCERS)
        if not time.time() < wanted.expiration <= time.time() + LONGEST_PROPOSAL:
            raise DutyError(f"refused: a proposal expires within {LONGEST_PROPOSAL // 86_400} days")
        for sha256 in (wanted.wasm, wanted.abi):
            await self._holding.ensure(sha256)
        wasm, abi = blueprint.verified(wanted.wasm), blueprint.verified(wanted.abi)
        proposed = upgrade_transaction(account, wasm, abi, wanted.expiration)
        node = await taking_node(self._nodes)
        there = await find(node, terms.account, name)
        if there:
            if there != Proposal(terms.account, name, proposed.packed.hex()):
                raise DutyError(f"{there.title} is another proposal already: choose another name")
            return
        levels = tuple(PermissionLevel(producer) for producer in requested)
        action = actions.propose(terms.account, name, levels, proposed)
        push = Push(f"{name} {hashlib.sha256(proposed.packed).hexdigest()}", (action,), terms.account)
        await self._push(node, PROPOSE, (push,), report)

    async def endorse(self, wanted: pb.Endorse, report: ReportProgress) -> None:
        """Approves the sponsor's proposal for the producers whose keys are here, if it only sets a contract."""
        blueprint = self._holding.held()
        terms = _terms(blueprint)
        if wanted.proposer != terms.account:
            raise DutyError(f"refused: this agent approves proposals of {terms.account} alone")
        node = await taking_node(self._nodes)
        proposal = await asked_for(node, wanted)
        if replacement(proposal.transaction) is None:
            raise DutyError(f"refused: {proposal.title} does more than to set contracts")
        asked = await approvals(node, proposal.proposer, proposal.name)
        own = [one.account for one in blueprint.sealed.producers if has_key(self._keys, one.account)]
        pushes = [
            Push(f"{proposal.title} {proposal.hash} {account}", (approval(proposal, account),), account)
            for account in own
            if account in asked.requested - asked.provided
        ]
        await self._push(node, ENDORSE, pushes, report)

    async def execute(self, wanted: pb.Execute, report: ReportProgress) -> None:
        """Executes a proposal of the sponsor's. The chain shows whether it took effect."""
        terms, name = _terms(self._holding.held()), _name(wanted.proposal)
        node = await taking_node(self._nodes)
        there = await find(node, terms.account, name)
        if there is None:
            raise DutyError(f"there is no proposal {terms.account}/{name} now: it was executed or withdrawn")
        push = Push(f"{name} {there.hash}", (actions.exec(terms.account, name, terms.account),), terms.account)
        await self._push(node, EXECUTE, (push,), report)

    async def _push(self, node: NodeClient, chore: Chore, pushes: Sequence[Push], report: ReportProgress) -> None:
        if not pushes:
            return
        seen = (await node.get_info()).head_block_num
        await Pushing(self._records(), self._keys.private).do(node, chore, pushes, report, seen)

    def _records(self) -> PushRecords:
        return PushRecords(self._journal, self._holding.held().sealed.chain_id)


def account_actions(blueprint: Blueprint, terms: SealedSponsor, account: str, key: PublicKey) -> tuple[Action, ...]:
    """Everything that a party gets, in one transaction: the account exists complete or not at all."""
    own, symbol = Authority.key(key), blueprint.symbol
    made = [actions.newaccount(terms.account, account, own, own)]
    made.append(actions.buyram(terms.account, account, Asset(terms.ram, symbol)))
    if terms.net or terms.cpu:
        stake = Asset(terms.net, symbol), Asset(terms.cpu, symbol)
        made.append(actions.delegatebw(terms.account, account, *stake, True))
    if terms.liquid:
        made.append(actions.transfer(terms.account, account, Asset(terms.liquid, symbol), "party"))
    return tuple(made)


def _ballots(voters: Sequence[str], producers: Sequence[str]) -> Push:
    digest = hashlib.sha256(" ".join((*voters, "for", *sorted(producers))).encode()).hexdigest()
    return Push(digest, tuple(actions.voteproducer(voter, "", producers) for voter in voters), voters[0])


async def _votes_so(node: NodeClient, voter: str, producers: Sequence[str]) -> bool:
    row: Mapping[str, object] | None = await node.find_row("eosio", "eosio", "voters", name_to_int(voter))
    return row is not None and not row["proxy"] and row["producers"] == sorted(producers, key=name_to_int)


def _terms(blueprint: Blueprint) -> SealedSponsor:
    if blueprint.sealed.sponsor is None:
        raise DutyError("refused: the sealed network has no sponsor (parties.sponsor)")
    return blueprint.sealed.sponsor


def _name(text: str) -> str:
    try:
        return check_name(text)
    except BadName as error:
        raise DutyError(f"refused: {error}") from error


def _names(texts: Iterable[str], most: int) -> tuple[str, ...]:
    names = tuple(_name(text) for text in texts)
    if not 0 < len(names) <= most or len(set(names)) != len(names):
        raise DutyError(f"refused: 1 to {most} different producers are expected")
    return names
