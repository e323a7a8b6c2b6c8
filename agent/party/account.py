"""A party's own account. Its agent signs with the account's key what the policy allows, and pushes to its own node."""

from __future__ import annotations

import time
from collections.abc import Sequence

from agent.duties.holding import Holding
from agent.duties.tools import Tools
from agent.errors import DutyError
from agent.keys.keosd import KeosdKey
from agent.party import policy
from agent.party.settings import PartySettings
from agent.pushes.pushing import Chore, Pushing
from agent.pushes.records import PushRecords
from agent.reports import Pushed, ReportProgress, silent
from antelope.answers import Info
from antelope.http import NodeClient
from antelope.keys import PublicKey, SigningKey
from antelope.names import name_to_int
from boot.reads import is_key
from boot.step import Push

FRESH_SECONDS = 15.0
"""A node with a head this fresh is in sync. It leaves room for two absent producers in a row."""


class OwnAccount:
    """The account, its keys and its node, which has the account's name."""

    def __init__(self, settings: PartySettings, tools: Tools, holding: Holding) -> None:
        self.name = settings.account
        self._policy = settings.policy
        self._nodes = tools.nodes
        self._keys = tools.keys
        self._journal = tools.journal
        self._holding = holding

    @property
    def node(self) -> NodeClient:
        """The party's own. Raises UnknownNode when it was never started."""
        return self._nodes.client(self.name)

    @property
    def account_key(self) -> PublicKey:
        """The public half of the account's key."""
        return self._keys.account_key(self.name)

    @property
    def signer_key(self) -> PublicKey:
        """The public half of the key that signs blocks."""
        return self._keys.signer_key(self.name)

    @property
    def signer_keys(self) -> tuple[PublicKey, ...]:
        """Of the key that signs blocks, and of its successor while there is one."""
        return self._keys.signer_keys(self.name)

    def has_signer(self, text: object) -> bool:
        """Whether the chain shows one of these keys."""
        return any(is_key(text, key) for key in self.signer_keys)

    async def registered_key(self) -> PublicKey | None:
        """The one of these that the chain knows; None if it knows another or none. Raises UnknownNode, NodeError."""
        row = await self.node.find_row("eosio", "eosio", "producers", name_to_int(self.name))
        if row is None or not row["is_active"]:
            return None
        return next((key for key in self.signer_keys if is_key(row["producer_key"], key)), None)

    def succeed(self, given: KeosdKey | None) -> PublicKey:
        """The successor of the key that signs blocks: see KeyStore.succeed."""
        return self._keys.succeed(self.name, given)

    def keep_signer(self, key: PublicKey) -> None:
        """Removes all block-signing keys except this one."""
        self._keys.keep_signer(self.name, key)

    def in_sync(self, info: Info) -> bool:
        """Whether the node's head is as fresh as a running chain's."""
        return time.time() - info.head_block_time.timestamp() <= FRESH_SECONDS

    async def synced(self) -> Info:
        """The node's head, which is fresh. Raises DutyError when it is not in sync yet."""
        info = await self.node.get_info()
        if not self.in_sync(info):
            raise DutyError(f"{self.name}'s node is not in sync yet: block {info.head_block_num}", retryable=True)
        return info

    def check(self, push: Push) -> None:
        """Raises DutyError for a transaction that the policy does not let this agent sign."""
        reason = policy.objection(self._policy, self.name, push.actions, frozenset(map(str, self.signer_keys)))
        if reason:
            raise DutyError(f"refused: {reason}")

    def key_of(self, account: str) -> SigningKey:
        """The key of the party's own account. Raises KeyError for any other account, even if its key is here."""
        if account != self.name:
            raise KeyError(f"a party's agent signs as {self.name} alone")
        return self._keys.key(account)

    async def sign(
        self, chore: Chore, pushes: Sequence[Push], info: Info, report: ReportProgress = silent
    ) -> tuple[Pushed, ...]:
        """Signs what the policy allows, and pushes it exactly once. Raises DutyError, PushError, NodeError.

        info: the chain's state in which the caller found these actions missing. An earlier transaction that is in a
        block by then was undone since (another vote, a withdrawn approval), so it is signed anew, even if its block is
        not irreversible yet. Doing any of these actions twice is harmless.
        """
        for push in pushes:
            self.check(push)
        records = PushRecords(self._journal, self._holding.held().sealed.chain_id)
        for push in pushes:
            records.forget_placed(chore.name, push.key)
        return await Pushing(records, self.key_of).do(self.node, chore, pushes, report, info.head_block_num)
