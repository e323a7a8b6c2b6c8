"""A running chain: actions, transactions that are signed and pushed exactly once, contracts, table rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from antelope.abi import Abi
from antelope.actions import buyram, delegatebw, newaccount, setabi, setcode
from antelope.asset import Asset
from antelope.authority import Authority
from antelope.errors import Busy, DuplicateTransaction, UnknownTable, Unreachable
from antelope.http import NodeClient
from antelope.keys import PrivateKey
from antelope.transaction import Action, PermissionLevel, SignedTransaction, Transaction
from coordinator.errors import OperationFailed, UsageProblem
from support.retry import poll, retrying

LIFETIME = 60
"""Seconds from signing to expiration. A transaction that is not in a block by then never will be."""
SECONDS = 60.0
LOOK = 0.1
"""Seconds between two looks at the chain."""

Row = dict[str, Any]


class Until(StrEnum):
    """What a push waits for before it returns."""

    SENT = "sent"
    """A node has accepted it."""
    BLOCK = "block"
    """It is in a block."""
    IRREVERSIBLE = "irreversible"
    """It is in an irreversible block."""


@dataclass(frozen=True)
class Pushed:
    """A transaction that took effect."""

    id: str
    block: int
    """The block that contains it; 0 if the caller did not wait for one."""


class Chain:
    """A chain, used through one node that takes transactions. Made by `Network.chain`.

    Its connections are closed at the end of `async with` on it or on the network.
    """

    def __init__(self, client: NodeClient, chain_id: str, key_of: Callable[[str], PrivateKey]) -> None:
        """key_of: returns the private key of an account; raises CoordError if it is not here."""
        self.client = client
        """The node's HTTP API, for calls without a method of their own: `await chain.client.get_account("eosio")`."""
        self.chain_id = chain_id
        self._key_of = key_of
        self._own: dict[str, PrivateKey] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.close()

    def use(self, account: str, key: PrivateKey) -> None:
        """From now on signs for the account with this key, which is kept in memory only."""
        self._own[account] = key

    def key(self, account: str) -> PrivateKey:
        """The key that signs for an account. Raises UsageProblem if it is not here."""
        return self._own.get(account) or self._key_of(account)

    async def action(
        self, contract: str, name: str, data: Mapping[str, Any], *, actor: str, permission: str = "active"
    ) -> Action:
        """A call of a contract, packed by the contract's ABI on the chain. Raises NodeError, AbiError."""
        packed = (await self.client.get_raw_abi(contract)).abi
        if not packed:
            raise UsageProblem(f"{contract} has no ABI on this chain")
        abi = Abi.from_packed(packed)
        return Action(contract, name, (PermissionLevel(actor, permission),), abi.pack_action(name, dict(data)))

    async def push(self, *actions: Action, until: Until = Until.BLOCK, seconds: float = SECONDS) -> Pushed:
        """Signs these actions as one transaction, with the keys of the accounts that authorise them, and pushes it.

        Raises as `push_signed`, and UsageProblem if a key is not here.
        """
        return await self.push_signed(await self.sign(*actions), until=until, seconds=seconds)

    async def sign(self, *actions: Action) -> SignedTransaction:
        """These actions as one transaction, which expires in a minute. Raises UsageProblem, NodeError."""
        info = await self.client.get_info()
        expiration = int(max(info.head_block_time.timestamp(), time.time())) + LIFETIME
        transaction = Transaction(expiration, *Transaction.tapos_from(info.last_irreversible_block_id), actions=actions)
        keys = {self.key(level.actor).public: self.key(level.actor) for a in actions for level in a.authorization}
        return transaction.sign(self.chain_id, keys.values())

    async def push_signed(
        self, signed: SignedTransaction, *, until: Until = Until.BLOCK, seconds: float = SECONDS
    ) -> Pushed:
        """Pushes a transaction until its fate is known. If the node does not answer, the same bytes are sent again, so
        it takes effect once or not at all.

        Raises the NodeError with which it was refused; OperationFailed if it expired and is in no block; DeadlineError
        if it has not reached `until` after this many seconds.
        """

        async def send() -> None:
            try:
                await self.client.send_transaction(signed)
            except DuplicateTransaction:
                return  # an earlier try with the same bytes had arrived

        await retrying(send, on=(Unreachable, Busy), deadline=seconds)
        if until is Until.SENT:
            return Pushed(signed.id, 0)
        search = _Search(self.client, signed)
        block = await poll(
            lambda: search.found(until is Until.IRREVERSIBLE), what=f"{signed.id} to be {until}", deadline=seconds,
            every=LOOK,
        )  # fmt: skip
        return Pushed(signed.id, block)

    async def create_account(
        self, name: str, key: PrivateKey | None = None, *, creator: str = "eosio", ram: str = "", stake: str = ""
    ) -> PrivateKey:
        """Creates an account with one key, and signs for it from now on. Returns the key: a new one unless it is given.

        ram: what the creator spends on RAM. stake: what it stakes for CPU and for NET each. Both as in "10.0000 SYS".
        Raises as `push`.
        """
        made = key or PrivateKey.generate()
        own = Authority.key(made.public)
        actions = [newaccount(creator, name, own, own)]
        if ram:
            actions.append(buyram(creator, name, Asset.parse(ram)))
        if stake:
            actions.append(delegatebw(creator, name, Asset.parse(stake), Asset.parse(stake), True))
        await self.push(*actions)
        self.use(name, made)
        return made

    async def deploy(self, account: str, wasm: bytes | Path, abi: bytes | str | Path | Mapping[str, Any]) -> Pushed:
        """Puts a contract on an account, which pays for the RAM: about ten times the size of the code. abi: as JSON.

        Raises as `push`, AbiError.
        """
        code = wasm.read_bytes() if isinstance(wasm, Path) else wasm
        described = Abi.parse(abi.read_bytes() if isinstance(abi, Path) else abi)
        return await self.push(setcode(account, code), setabi(account, described.packed()))

    async def rows(self, contract: str, table: str, scope: str | None = None) -> list[Row]:
        """All rows of a table, decoded; none if the table does not exist yet. scope: by default the contract's name.

        Raises NodeError.
        """
        try:
            return [row async for row in self.client.iter_table_rows(contract, scope or contract, table)]
        except UnknownTable:
            return []

    async def wait_for_row(
        self, contract: str, table: str, matches: Callable[[Row], bool], *, scope: str | None = None,
        seconds: float = SECONDS,
    ) -> Row:  # fmt: skip
        """Waits for a row of a table that matches, and returns the first one. Raises DeadlineError, NodeError."""

        async def found() -> Row | None:
            return next((row for row in await self.rows(contract, table, scope) if matches(row)), None)

        return await poll(found, what=f"a row in {contract}'s {table}", deadline=seconds, every=LOOK)


class _Search:
    """Looks for a transaction in blocks, beginning with the block that it refers to."""

    def __init__(self, client: NodeClient, signed: SignedTransaction) -> None:
        self._client = client
        self._signed = signed
        self._block = 0
        """The block that contains it; 0 if none was found yet."""
        self._looked = 0
        """The last irreversible block that was searched: no block up to it contains the transaction."""

    async def found(self, irreversible: bool) -> int | None:
        """The block that contains it. Raises OperationFailed if no block ever will, and NodeError."""
        info = await self._client.get_info()
        head, lib = info.head_block_num, info.last_irreversible_block_num
        transaction = self._signed.transaction
        self._looked = self._looked or head - ((head - transaction.ref_block_num) & 0xFFFF)
        if self._block and not await self._has(self._block):  # another fork has won
            self._block = 0
        if not self._block:
            self._block = await self._search(head)
        if self._block:
            return self._block if not irreversible or lib >= self._block else None
        self._looked = max(self._looked, lib)
        if info.last_irreversible_block_time and info.last_irreversible_block_time.timestamp() > transaction.expiration:
            raise OperationFailed(f"transaction {self._signed.id} has expired, and no block has it")
        return None

    async def _search(self, head: int) -> int:
        for number in range(self._looked + 1, head + 1):
            if await self._has(number):
                return number
        return 0

    async def _has(self, number: int) -> bool:
        block = await self._client.get_block(number)
        return any(_id(entry) == self._signed.id for entry in block.get("transactions", ()))


def _id(entry: Mapping[str, Any]) -> str:
    transaction = entry.get("trx")
    return str(transaction["id"] if isinstance(transaction, Mapping) else transaction)
