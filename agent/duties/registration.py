"""What a host's agent does with the producers whose keys it has: their block-signing keys, and their registration.

A coordinator cannot have a key registered without proof that somebody holds it, or for an account that is not a
producer. It cannot have a key removed that a schedule needs: the agent checks that on its own node.
"""

from __future__ import annotations

import asyncio

from agent.duties.holding import Holding
from agent.duties.tools import Tools, has_key, taking_node
from agent.errors import DutyError
from agent.nodeos.config import produces
from agent.pushes.pushing import Chore, Pushing
from agent.pushes.records import PushRecords
from agent.rekeying import look, needed
from agent.reports import ReportProgress
from antelope import actions
from antelope.errors import AntelopeError
from antelope.http import NodeClient
from antelope.keys import PublicKey, Signature
from antelope.names import check_name, name_to_int
from antelope.transaction import Action
from boot.reads import is_key
from boot.step import Finality, Push
from inventory.network import GENESIS_ACCOUNT
from protos import coordination_pb2 as pb
from protos.states import NodeState
from support.possession import Challenge

REGISTER, UNREGISTER = (Chore(name, Finality.IRREVERSIBLE) for name in ("register", "unregister"))
"""Both wait for irreversibility: a block that a fork drops must not make a key look unneeded."""


class Registration:
    """These duties of one host."""

    def __init__(self, tools: Tools, holding: Holding) -> None:
        self._nodes = tools.nodes
        self._keys = tools.keys
        self._journal = tools.journal
        self._holding = holding
        self._changing = asyncio.Lock()

    async def rekey(self, wanted: pb.Rekey) -> pb.Result:
        """Returns the account's block-signing keys with proofs, and the account if its own key is here. Makes the next
        block-signing key if asked to.
        """
        account = self._producer(wanted.account)
        if wanted.make:
            await asyncio.to_thread(self._keys.succeed, account)
        challenge = self._challenge(wanted.nonce)
        signers = [
            pb.Key(account=account, public_key=str(key), proof=self._keys.prove(key, account, challenge))
            for key in self._keys.signer_keys(account)
        ]
        own = [pb.Key(account=account)] if has_key(self._keys, account) else []
        return pb.Result(collected=pb.Collected(signers=signers, accounts=own))

    async def register(self, wanted: pb.Register, report: ReportProgress) -> pb.Result:
        """Registers the producer with a key that somebody holds, unless it already has that key."""
        account = self._producer(wanted.key.account)
        key = self._proved(wanted)
        if not has_key(self._keys, account):
            return pb.Result(absent=True)
        node = await taking_node(self._nodes)
        row = await node.find_row("eosio", "eosio", "producers", name_to_int(account))
        if row and row["is_active"] and is_key(row["producer_key"], key):
            return pb.Result()
        url, location = (str(row["url"]), int(row["location"])) if row else (wanted.url, wanted.location)
        action = actions.regproducer(account, key, url, location)
        await self._push(node, REGISTER, f"{account} {key}", action, report)
        return pb.Result()

    async def unregister(self, wanted: pb.Unregister, report: ReportProgress) -> pb.Result:
        """Takes the producer out of the next elections, unless it is already out."""
        account = self._producer(wanted.account)
        if not has_key(self._keys, account):
            return pb.Result(absent=True)
        node = await taking_node(self._nodes)
        row = await node.find_row("eosio", "eosio", "producers", name_to_int(account))
        if row and row["is_active"]:
            await self._push(node, UNREGISTER, account, actions.unregprod(account), report)
        return pb.Result()

    async def settle(self, wanted: pb.Settle) -> None:
        """Removes the other keys, and stops a node without any. Raises DutyError while a schedule needs one."""
        account = self._producer(wanted.account)
        key = PublicKey.parse(wanted.public_key) if wanted.public_key else None
        held = self._keys.signer_keys(account)
        kept = key if key in held else None
        if set(held) - {kept}:
            if why := needed(await look(await taking_node(self._nodes), account), account, key):
                raise DutyError(why, retryable=True)
            await asyncio.to_thread(self._keys.keep_signer, account, kept)
        if kept is None:
            await self._stop_signers(account)

    async def _stop_signers(self, account: str) -> None:
        for status in await self._nodes.status():
            record = self._nodes.record(status.name)
            signs = record.spec.account == account and produces(record.spec, record.mode)
            if signs and status.state is not NodeState.STOPPED:
                await self._nodes.stop(status.name)

    def _producer(self, name: str) -> str:
        """The account, if it is a producer to this agent: sealed, or added later. Raises DutyError, BadName."""
        account, blueprint = check_name(name), self._holding.held()
        sealed = {producer.account for producer in blueprint.sealed.producers}
        system = account in (GENESIS_ACCOUNT, *blueprint.sealed.system_accounts)
        if system or (account not in sealed and blueprint.rows.find(account)):
            raise DutyError(f"refused: {account} is not a producer of this network")
        return account

    def _proved(self, wanted: pb.Register) -> PublicKey:
        """The key, after checking that its sender holds it. Raises DutyError."""
        try:
            key = PublicKey.parse(wanted.key.public_key)
            digest = self._challenge(wanted.nonce).digest(wanted.key.account)
            if Signature.parse(wanted.key.proof).verify(digest, key):
                return key
        except AntelopeError as error:
            raise DutyError(f"refused: {error}") from error
        raise DutyError(f"refused: there is no proof of possession for {key}")

    def _challenge(self, nonce: bytes) -> Challenge:
        sealed = self._holding.held().sealed
        return Challenge(sealed.network, sealed.chain_id, nonce)

    async def _push(self, node: NodeClient, chore: Chore, key: str, action: Action, report: ReportProgress) -> None:
        """Signs it once for each time that the chain lacks it, and pushes that until its block is irreversible."""
        records = PushRecords(self._journal, self._holding.held().sealed.chain_id)
        (account,) = (level.actor for level in action.authorization)
        async with self._changing:
            seen = (await node.get_info()).head_block_num
            push = Push(key, (action,), account)
            await Pushing(records, self._keys.key).do(node, chore, (push,), report, seen)
