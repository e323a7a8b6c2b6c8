"""The audit of a real chain, booted by the steps: as planned it passes, and what is planted afterwards is found."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent import snapshots
from antelope import actions
from antelope.asset import Asset, Symbol
from antelope.authority import Authority
from antelope.http import NodeClient
from antelope.keys import PrivateKey
from antelope.transaction import Action, PermissionLevel, Transaction
from boot.audit import AuditReport, audit
from boot.audit.blocks import Early
from boot.audit.by_snapshot import survey_of
from boot.audit.chain import Chain
from boot.audit.seen import planned_accounts
from boot.audit.survey import ask_for_all
from boot.step import NodeStep
from boot.steps import STEPS
from support.retry import poll

if TYPE_CHECKING:
    from tests.live.boot.conftest import LiveNode
    from tests.live.boot.test_sequence import Driver

SYS = Symbol(4, "SYS")
EOSIO = PermissionLevel("eosio")
STRANGER = PrivateKey.generate()
USER, OTHER, THIRD, FOURTH = "useraaaaaaha", "useraaaaaahb", "useraaaaaahc", "useraaaaaahd"
"""Users that neither vote nor are proxies."""
PRODUCER = "produceraaaa"
"""Behind eosio's authority, once it has resigned, are the producers: here the key of the only elected one."""


@dataclass(frozen=True)
class Plant:
    """A change of the chain, the account whose key signs it, and the audit's findings, by check."""

    name: str
    actions: tuple[Action, ...]
    signer: str
    found: Mapping[str, str]


def _plants(wasm: bytes) -> tuple[Plant, ...]:
    stranger = Authority.key(STRANGER.public)
    one = Asset(1, SYS)
    newcomer = (
        actions.newaccount(USER, "eviltwinaaaa", stranger, stranger),
        actions.buyrambytes(USER, "eviltwinaaaa", 4000),
        actions.delegatebw(USER, "eviltwinaaaa", one, one, True),
    )
    token = actions.create("eosio", Asset(10, Symbol(4, "EVIL")), auth=PermissionLevel("eosio.token"))
    code = actions.setcode("eosio.vpay", wasm)
    return (
        Plant("transfer", (actions.transfer(USER, OTHER, one, "gift"),), USER, {"planned accounts": "2 of 122 differ"}),
        Plant("account", newcomer, USER, {"no other accounts": "1 unplanned accounts: eviltwinaaaa"}),
        Plant(
            "permission",
            (actions.updateauth(THIRD, "pay", "active", stranger),),
            THIRD,
            {"planned accounts": THIRD},
        ),
        Plant("key", (actions.updateauth(FOURTH, "owner", "", stranger),), FOURTH, {"planned accounts": FOURTH}),
        Plant("privilege", (actions.setpriv(USER, True, EOSIO),), PRODUCER, {"privileges": f"{USER} is privileged"}),
        Plant(
            "authority",
            (actions.updateauth("eosio.ram", "active", "owner", stranger),),
            PRODUCER,
            {"system accounts": f"eosio.ram: active is {STRANGER.public}, planned eosio@active"},
        ),
        Plant("token", (token,), PRODUCER, {"token supply": "eosio.token has further tokens: EVIL"}),
        Plant("code", (code,), PRODUCER, {"no other code": "eosio.vpay has, or had, code"}),
        Plant(
            "producer",
            (actions.regproducer(OTHER, STRANGER.public, "https://evil.example", 1),),
            OTHER,
            {"producers": f"registered, but not planned: {OTHER}"},
        ),
        Plant("proxy", (actions.regproxy(OTHER, True),), OTHER, {"proxies": f"{OTHER} is a proxy, but not planned"}),
        Plant(
            "vote", (actions.voteproducer(OTHER, "", [OTHER]),), OTHER, {"votes": f"voted, but not planned: {OTHER}"}
        ),
        Plant(
            "approval",
            (
                actions.propose(PRODUCER, "back", (EOSIO,), _taking_back(stranger)),
                actions.approve(PRODUCER, "back", EOSIO),
            ),
            PRODUCER,
            {"no old approvals": f"{PRODUCER}/back can be executed by an approval of eosio"},
        ),
        Plant(
            "eosio",
            (actions.updateauth("eosio", "back", "active", stranger),),
            PRODUCER,
            {"eosio resigned": "eosio: has a further permission back"},
        ),
    )


def _taking_back(stranger: Authority) -> Transaction:
    return Transaction(int(time.time()) + 3600, 0, 0, (actions.updateauth("eosio", "active", "owner", stranger),))


async def _boot(driver: Driver, until: str = "") -> None:
    """Does all steps in order, or those up to and including that one."""
    for step in STEPS:
        await driver.carry_out(step)
        if step.name == until:
            return
    resign = next(step for step in STEPS if step.name == "resign")
    assert not isinstance(resign, NodeStep)
    await driver.until_done(resign, 30)  # the genesis node shows irreversible state by now


async def _surveys_agree(driver: Driver, node: LiveNode) -> None:
    """A snapshot says the same about every account as nodeos' API does."""
    plan, url = driver.blueprint, f"http://127.0.0.1:{node.http_port}"
    async with NodeClient(url) as client:
        asked = await ask_for_all(Chain(client), plan, Early(frozenset(), 1), planned_accounts(plan))
        async with snapshots.taken(url) as path:
            read = survey_of(path, plan)
            assert path.stat().st_size > 0
    assert not path.exists()
    for column in ("there", "liquid", "net", "cpu", "own_net", "own_cpu", "net_force", "cpu_force", "ram", "quota"):
        assert getattr(read.users, column) == getattr(asked.users, column), column
    assert read.users.authorities == asked.users.authorities
    assert (read.users.holding, read.balances, read.holders) == (asked.users.holding, asked.balances, asked.holders)
    assert sorted(read.several) == sorted(asked.several)
    assert {text.partition(" has,")[0] for text in read.coded} == {text.partition(" has,")[0] for text in asked.coded}
    assert (read.privileged, read.total) == (asked.privileged, asked.total)
    assert asked.named <= read.named <= asked.named | planned_accounts(plan)


async def _push(driver: Driver, node: LiveNode, plant: Plant) -> None:
    """Puts the change into a block of that node."""
    async with NodeClient(f"http://127.0.0.1:{node.http_port}") as client:
        key = driver.keys[plant.signer]
        info = await client.get_info()
        transaction = Transaction(int(time.time()) + 60, *Transaction.tapos_from(info.head_block_id), plant.actions)
        receipt = await client.send_transaction(transaction.sign(info.chain_id, [key]))
    await _reaches(node, receipt.block_num)


async def _next_block(node: LiveNode) -> None:
    """Waits for the node's head to move on."""
    await _reaches(node, await _head(node) + 1)


async def _head(node: LiveNode) -> int:
    return int((await node.call("/v1/chain/get_info", {}))["head_block_num"])


async def _reaches(node: LiveNode, block: int) -> None:
    async def there() -> bool:
        return await _head(node) >= block

    await poll(there, what=f"block {block} on {node.name}", deadline=20, every=0.05)


async def _audit(driver: Driver, node: LiveNode) -> AuditReport:
    async with NodeClient(f"http://127.0.0.1:{node.http_port}") as client:
        return await audit(client, driver.blueprint)


def _failed(report: AuditReport) -> dict[str, str]:
    return {check.name: check.detail for check in report.checks if not check.ok}


async def test_booted_chain_and_what_is_planted_into_it(driver: Driver) -> None:
    """A chain that the steps booted is as planned, also by irreversible state; each later change is found."""
    await _boot(driver)
    await _surveys_agree(driver, driver.nodes["genesis"])
    for name in ("genesis", "alpha"):
        report = await _audit(driver, driver.nodes[name])
        assert _failed(report) == {}, name
        assert (report.accounts.matched, report.accounts.planned) == (122, 122)
    known: set[str] = set()
    for plant in _plants(driver.blueprint.verified(driver.blueprint.sealed.boot_contract.wasm)):
        await _push(driver, driver.nodes["alpha"], plant)
        report = await _audit(driver, driver.nodes["alpha"])
        failed = _failed(report)
        assert report.born, plant.name
        for check, part in plant.found.items():
            assert part in failed[check], plant.name
        known |= plant.found.keys() | _side_effects(plant)
        assert failed.keys() <= known, plant.name
    await _surveys_agree(driver, driver.nodes["alpha"])
    wrong = {one.account: one.differences for one in report.accounts.wrong}
    assert set(wrong) == {USER, OTHER, THIRD, FOURTH}
    assert wrong[THIRD] == ("has a further permission pay",)
    assert wrong[FOURTH][0].startswith(f"owner is {STRANGER.public}, planned EOS")


def _side_effects(plant: Plant) -> set[str]:
    """A new account's stake and RAM come out of its maker's tokens; its stake lies with eosio.stake."""
    return {"balances", "planned accounts"} if plant.name == "account" else set()


async def test_boot_that_is_not_over(driver: Driver) -> None:
    """In the middle of a boot the audit reports what is missing, and finds an account hidden before the system
    contract.
    """
    await _boot(driver, "system-accounts")
    ghost = Authority.key(STRANGER.public)
    node = driver.nodes["genesis"]
    await _push(
        driver,
        node,
        Plant("ghost", (actions.newaccount("eosio", "ghost", ghost, ghost),), "eosio", {}),
    )
    await _boot(driver, "accounts")
    await _next_block(node)  # tables show what is not in a block yet
    report = await _audit(driver, node)
    failed = _failed(report)
    assert not report.born
    assert failed.pop("born: over") == "eosio has not resigned yet: the boot is not over"
    assert "eosio's active handed over" in failed.pop("born: actions")
    assert "eosio::newaccount in the name of eosio" in failed.pop("born: nothing else")
    assert failed["no other accounts"] == "1 unplanned accounts: ghost"
    unready = {
        "producers",
        "proxies",
        "votes",
        "schedule",
        "signing keys",
        "system accounts",
        "eosio resigned",
        "canary",
    }
    assert failed.keys() == unready | {"no other accounts"}
    assert report.accounts.matched == report.accounts.planned
    assert report.block_num == int(report.block_id[:8], 16)
