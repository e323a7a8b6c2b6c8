"""Replaces a contract after the handover, when the producers govern.

The sponsor proposes it, each producer's own agent approves it, and it is executed once enough have approved. It is done
when the chain shows the new code.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from antelope.abi import Abi
from antelope.errors import AntelopeError, NodeError
from antelope.wasm import HEADER
from boot import canary
from boot.reads import Asking, Json, ask, row, run_reads
from boot.upgrade import LASTING, entry, upgrade_transaction
from coordinator.agents.link import LinkError
from coordinator.errors import OperationFailed, UsageProblem
from coordinator.parties.chain_view import asker
from coordinator.parties.open_network import OpenNetwork
from inventory.sealed import Sealed
from protos import coordination_pb2 as pb
from support.retry import DeadlineError, poll
from support.texts import plain

MSIG = "eosio.msig"
TASK_SECONDS = 60.0
AGAIN_SECONDS = 5.0
"""Seconds between two requests to agents that have not approved."""
EFFECT_SECONDS = 60.0
_NAME = "abcdefghijklmnopqrstuvwxyz12345"

Tell = Callable[[str], None]
T = TypeVar("T")


@dataclass(frozen=True)
class Contract:
    """The new contract of an account. Both files are in the artifact store."""

    account: str
    wasm: bytes
    abi: bytes

    @property
    def code_hash(self) -> str:
        """The code's sha256, as the chain shows it."""
        return hashlib.sha256(self.wasm).hexdigest()

    @property
    def abi_hash(self) -> str:
        """The ABI artifact's name."""
        return hashlib.sha256(self.abi).hexdigest()

    @property
    def packed_abi_hash(self) -> str:
        """The packed ABI's sha256, as the chain shows it. Raises AbiError."""
        return hashlib.sha256(Abi.parse(self.abi).packed()).hexdigest()

    @property
    def entry(self) -> str:
        """The upgrade, as a party's policy names it. Raises AbiError."""
        return entry(self.account, self.code_hash, self.packed_abi_hash)

    def proposal(self, number: int = 0) -> str:
        """The proposal's name: the same for the same files, so that a repeated command continues the same proposal.

        number: how many earlier proposals can no longer be executed.
        """
        again = f" {number}" if number else ""
        digest = hashlib.sha256(f"{self.account} {self.code_hash} {self.abi_hash}{again}".encode()).digest()
        return "up" + "".join(_NAME[byte % len(_NAME)] for byte in digest[:10])

    def packed(self, expiration: int) -> bytes:
        """The proposed transaction. Raises AntelopeError on an invalid ABI."""
        return upgrade_transaction(self.account, self.wasm, self.abi, expiration).packed


def check(contract: Contract) -> None:
    """Raises UsageProblem if it cannot be proposed."""
    if not contract.wasm.startswith(HEADER):
        raise UsageProblem("--wasm: not a WebAssembly module")
    try:
        contract.packed(0)
    except (AntelopeError, ValueError, KeyError) as error:
        raise UsageProblem(f"--abi: not a valid ABI ({error})") from error


def _check_governed(account: str, sealed: Sealed) -> None:
    """Raises UsageProblem for a contract that only its owner can replace."""
    if account != "eosio" and not account.startswith("eosio.") and account not in sealed.system_accounts:
        raise UsageProblem(f"{account}: the producers govern only eosio, eosio.* and the contracts of the boot")


async def upgrade(opened: OpenNetwork, contract: Contract, wait: float, tell: Tell) -> str:
    """Proposes, collects approvals and executes; continues an earlier run. Returns one line for the user.

    wait: seconds for the approvals.

    Raises OperationFailed; where approvals are missing, it names whose.
    """
    sealed = opened.sealed
    if sealed.sponsor is None:
        raise OperationFailed(f"{opened.network.name} has no sponsor that could propose; see parties.sponsor")
    _check_governed(contract.account, sealed)
    work = _Upgrade(opened, sealed, sealed.sponsor.account, contract, tell)
    try:
        if await work.done():
            return f"{contract.account} has this code already ({contract.code_hash})"
        await work.check_other_code()
        tell(f'parties approve it unasked whose policy says: approve = "code:{contract.entry}"')
        until = time.monotonic() + wait
        await work.propose()
        while not await work.collect(max(1.0, until - time.monotonic())):
            await work.propose()
        await work.execute()
    except (NodeError, LinkError, DeadlineError) as error:
        raise OperationFailed(f"{error}; run the same command again to continue") from error
    return f"{contract.account} has the new code: sha256 {contract.code_hash}"


class _Upgrade:
    def __init__(self, opened: OpenNetwork, sealed: Sealed, sponsor: str, contract: Contract, tell: Tell) -> None:
        self._opened = opened
        self._sealed = sealed
        self._sponsor = sponsor
        self._contract = contract
        self._tell = tell
        self._proposal = contract.proposal()
        self._hash = ""
        self._said: dict[str, str] = {}

    async def done(self) -> bool:
        """Whether the chain has the new code and ABI."""
        return await self._deployed() == (self._contract.code_hash, self._contract.packed_abi_hash)

    async def check_other_code(self) -> None:
        """Raises OperationFailed if the chain has this code with another ABI.

        nodeos refuses a setcode of the code that an account has already, so the proposal could never be executed.
        """
        code, _ = await self._deployed()
        if code == self._contract.code_hash:
            account = self._contract.account
            raise OperationFailed(
                f"{account} has this code already ({code}), with another ABI: the chain refuses to set the same code "
                "again, so nothing was proposed. For the ABI alone, with both files in DIR, "
                f"`cleos set contract {account} DIR -p {account}@active -s -j -d` prints a transaction, "
                "and `cleos multisig propose_trx` proposes it"
            )

    async def propose(self) -> None:
        """Proposes, and checks that the proposal on the chain is exactly what this coordinator would propose.

        A proposal that can no longer be executed is replaced by another.
        """
        number = 0
        while (found := await self._proposed()) is not None and (spent := await self._spent(bytes.fromhex(found))):
            self._tell(f"{self._title} {spent}: another one is proposed")
            number += 1
            self._proposal = self._contract.proposal(number)
        if found is None:
            schedule = await self._read(ask("/v1/chain/get_producer_schedule"))
            requested = sorted(_scheduled(schedule))
            body = pb.Propose(
                proposal=self._proposal, account=self._contract.account, wasm=self._contract.code_hash,
                abi=self._contract.abi_hash, requested=requested, expiration=int(time.time()) + LASTING,
            )  # fmt: skip
            await self._task(self._opened.network.genesis_node.host, body)
            await poll(self._proposed, what="the proposal to be in a block", deadline=EFFECT_SECONDS)
        packed = bytes.fromhex(str(await self._proposed()))
        if packed != self._contract.packed(int.from_bytes(packed[:4], "little")):
            raise OperationFailed(f"{self._title} on the chain proposes something else: it is not approved")
        self._hash = hashlib.sha256(packed).hexdigest()
        self._tell(f"{self._title} is proposed: sha256 {self._hash}")

    async def collect(self, wait: float) -> bool:
        """Waits until enough current producers have approved. Returns False if the schedule has changed so that this
        proposal can no longer be executed. Raises OperationFailed with the names of those who have not approved.
        """
        asked = 0.0

        async def settled() -> str:
            nonlocal asked
            needed, given, missing = await self._approvals()
            if len(given) >= needed:
                self._tell(f"{len(given)} approvals, {needed} needed: {', '.join(sorted(given))}")
                return "approved"
            if await self._spent(bytes.fromhex(str(await self._proposed()))):
                return "spent"
            if time.monotonic() - asked >= AGAIN_SECONDS:
                await self._ask(missing)
                asked = time.monotonic()
            return ""

        try:
            return await poll(settled, what="approvals", deadline=wait) == "approved"
        except DeadlineError:
            needed, given, missing = await self._approvals()
            said = "; ".join(f"{name}: {self._said.get(name, 'has not approved')}" for name in missing)
            raise OperationFailed(
                f"{len(given)} approvals after {wait:g} s, {needed} are needed; missing: {said}. "
                "Run the same command again to continue"
            ) from None

    async def execute(self) -> None:
        """Executes it, and waits until the chain has the code: exec's own receipt proves nothing.

        The upgrade is recorded beforehand, so that the audit never reports it.
        """
        self._opened.parties.upgraded(self._contract.account, self._contract.code_hash, self._contract.packed_abi_hash)
        await self._task(self._opened.network.genesis_node.host, pb.Execute(proposal=self._proposal))
        await poll(self.done, what=f"{self._contract.account} to have the new code", deadline=EFFECT_SECONDS)

    @property
    def _title(self) -> str:
        return f"{self._sponsor}/{self._proposal}"

    async def _deployed(self) -> tuple[str, str]:
        """sha256 of the code and of the packed ABI that the chain has."""
        found = await self._read(ask("/v1/chain/get_raw_abi", {"account_name": self._contract.account}))
        return found["code_hash"], found["abi_hash"]

    async def _proposed(self) -> str | None:
        found = await self._read(row(MSIG, self._sponsor, "proposal", self._proposal))
        return str(found["packed_transaction"]) if found else None

    async def _spent(self, packed: bytes) -> str:
        """Why this proposal on the chain can no longer be executed; empty if it can."""
        if int.from_bytes(packed[:4], "little") <= time.time():
            return "has expired"
        needed, given, missing = await self._approvals()
        schedule = await self._read(ask("/v1/chain/get_producer_schedule"))
        if len(_scheduled(schedule) & {*given, *missing}) < needed:
            return "asks too few of the current producers"
        return ""

    async def _approvals(self) -> tuple[int, set[str], list[str]]:
        """How many approvals are needed, which members of eosio.prods have approved, and who was asked and has not.

        An approval by an account that is no longer in eosio.prods does not count when the proposal is executed.
        """
        needed, members = await self._read(canary.threshold()), await self._read(canary.members())
        entry = await self._read(row(MSIG, self._sponsor, "approvals2", self._proposal)) or {}
        given = {str(one["level"]["actor"]) for one in entry.get("provided_approvals", ())} & members
        open_ = sorted(str(one["level"]["actor"]) for one in entry.get("requested_approvals", ()))
        return needed, given, [name for name in open_ if name not in given]

    async def _ask(self, missing: Sequence[str]) -> None:
        """Asks the agents of those who are missing, concurrently, and keeps each one's answer."""
        hosts = self._hosts(missing)
        body = pb.Endorse(proposer=self._sponsor, proposal=self._proposal, hash=self._hash)

        async def one(host: str, names: Sequence[str]) -> None:
            try:
                link = self._opened.access.link(host)
                if not link.connected:
                    said = "its agent is away"
                else:
                    result = await link.task(body, deadline=TASK_SECONDS)
                    said = "" if result.ok else plain(result.error)
            except (LinkError, NodeError, DeadlineError) as error:
                said = str(error)
            for name in names:
                if said and self._said.get(name) != said:
                    self._tell(f"{name}: {said}")
                self._said[name] = said or "its agent says that it has approved"

        await asyncio.gather(*(one(host, names) for host, names in hosts.items()))

    def _hosts(self, missing: Sequence[str]) -> Mapping[str, list[str]]:
        parties = {party.account: party.name for party in self._opened.parties.parties()}
        hosts: dict[str, list[str]] = {}
        for name in missing:
            hosts.setdefault(parties.get(name) or self._opened.network.holder(name), []).append(name)
        return hosts

    async def _task(self, host: str, body: pb.Propose | pb.Execute) -> None:
        result = await self._opened.access.link(host).task(body, deadline=TASK_SECONDS)
        if not result.ok:
            raise OperationFailed(f"{host}: {result.error}")

    async def _read(self, reads: Asking[T]) -> T:
        return await run_reads(reads, asker(self._opened.access))


def _scheduled(answer: Json) -> set[str]:
    """Producers of the active, pending and proposed schedules: it may change while approvals come in."""
    stages = [answer.get(stage) for stage in ("active", "pending", "proposed")]
    return {str(entry["producer_name"]) for stage in stages if stage for entry in stage["producers"]}


def read_contract(account_: str, wasm: bytes, abi: bytes) -> Contract:
    """The contract, checked. Raises UsageProblem."""
    contract = Contract(account_, wasm, abi)
    check(contract)
    return contract


def from_request(request: Mapping[str, object], artifact: Callable[[str], bytes]) -> Contract:
    """The contract that another terminal's command requests, from the artifacts that it stored. Raises UsageProblem."""
    try:
        wasm, abi = artifact(str(request["wasm"])), artifact(str(request["abi"]))
    except (KeyError, ValueError) as error:
        raise UsageProblem(f"the files are not in the artifact store: {error}") from error
    return read_contract(str(request["account"]), wasm, abi)
