"""How the chain was born: what its blocks must contain, in which order, and what must not be in them."""

from __future__ import annotations

import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from antelope import actions
from antelope.asset import Asset, Symbol
from antelope.authority import Authority
from antelope.codec import pack_varuint32
from antelope.keys import PublicKey
from antelope.transaction import PermissionLevel
from boot.audit import AuditError
from boot.audit.birth import Birth
from boot.audit.blocks import Early, read_blocks
from boot.audit.chain import Chain
from boot.audit.packed import receipts
from boot.blueprint import Blueprint
from inventory.names import user_name
from inventory.rows import AllocationRow, pack_allocation
from inventory.sealed import SealedLimits
from tests.unit.boot.audit.fake_chain import FakeChain, Json, newaccount, setcode
from tests.unit.boot.audit.history import HEAD, pushes, transaction
from tests.unit.boot.audit.planned import ROWS, SYSTEM, blueprint, key, sha

SYS = Symbol(4, "SYS")
STRANGER = Authority.key(PublicKey.parse(key("stranger")))
ONE = Asset(1, SYS)


async def failing(chain: FakeChain, plan: Blueprint) -> dict[str, str]:
    """What is wrong with the birth, by check."""
    blocks = await read_blocks(Chain(chain), plan, int(chain.info["head_block_num"]))
    return {check.name: check.detail for check in blocks.birth.checks(blocks.unread) if not check.ok}


async def test_as_planned(chain: FakeChain, plan: Blueprint) -> None:
    """The audit derives what the steps push, though they share no code; later actions are left out."""
    chain.blocks[HEAD + 1] = [transaction(actions.setpriv("useraaaaaaaa", True))]
    chain.info["head_block_num"] = HEAD + 1
    blocks = await read_blocks(Chain(chain), plan, HEAD + 1)
    checks = {check.name: check for check in blocks.birth.checks()}
    assert all(check.ok for check in checks.values()), checks
    assert checks["born: accounts"].detail == f"{len(ROWS)} rows, each once and byte for byte as sealed"
    assert checks["born: over"].detail.startswith(f"eosio resigned in block {HEAD};")


async def test_parts_in_transactions_of_their_own(chain: FakeChain, plan: Blueprint) -> None:
    """As somebody types them with cleos: each action of a row in its own transaction, in another order."""
    (batch,) = pushes(plan, "accounts")
    chain.blocks[7] = [transaction(action) for action in reversed(batch.actions)]
    assert await failing(chain, plan) == {}


Plant = Callable[[FakeChain, Blueprint], None]


def _drop(number: int, which: int = -1) -> Plant:
    return lambda chain, plan: chain.blocks[number].__delitem__(which)


def _add(number: int, *added: object) -> Plant:
    return lambda chain, plan: chain.blocks[number].insert(0, transaction(*added))  # type: ignore[arg-type]


def _row(**changes: int) -> Plant:
    """The first user's row, with other amounts."""

    def plant(chain: FakeChain, plan: Blueprint) -> None:
        made = [AllocationRow(**{**row.__dict__, **(changes if row is ROWS[5] else {})}) for row in ROWS]
        artifact = pack_allocation(made)
        other = Blueprint(
            plan.sealed.__class__(**{**plan.sealed.__dict__, "allocation": sha(artifact)}),
            lambda sha256: artifact if sha256 == sha(artifact) else plan.artifact(sha256),
        )
        chain.blocks[7] = [transaction(*push.actions) for push in pushes(other, "accounts")]

    return plant


def _move(source: int, target: int) -> Plant:
    def plant(chain: FakeChain, plan: Blueprint) -> None:
        chain.blocks[target] = chain.blocks[source] + chain.blocks[target]
        chain.blocks[source] = []

    return plant


def _status(number: int, status: str) -> Plant:
    return lambda chain, plan: chain.blocks[number][-1].update(status=status)


WRONG: dict[str, tuple[Plant, dict[str, str]]] = {
    "an account for a stranger": (
        _add(7, actions.newaccount("eosio", "evil", STRANGER, STRANGER)),
        {"born: nothing else": "block 7: eosio::newaccount in the name of eosio"},
    ),
    "a second issue": (
        _add(8, actions.issue("eosio", ONE, "more")),
        {"born: nothing else": "eosio.token::issue in the name of eosio"},
    ),
    "the same issue again": (
        _add(6, actions.issue("eosio", Asset(10**13, SYS), "initial supply")),
        {"born: actions": "issue of 1000000000.0000 SYS again, in block 6"},
    ),
    "a gift": (
        _add(8, actions.transfer("eosio", "useraaaaaaaa", ONE, "allocation")),
        {"born: nothing else": "eosio.token::transfer in the name of eosio"},
    ),
    "a privilege": (_add(8, actions.setpriv("useraaaaaaaa", True)), {"born: nothing else": "eosio::setpriv"}),
    "other code for a while": (
        _add(5, setcode("eosio.token", b"evil")),
        {"born: nothing else": "eosio::setcode in the name of eosio.token"},
    ),
    "a system account's own act": (
        _add(8, actions.updateauth("eosio.ram", "back", "active", STRANGER)),
        {"born: nothing else": "eosio::updateauth in the name of eosio.ram"},
    ),
    "an approval by eosio": (
        _add(8, actions.approve("proda", "back", PermissionLevel("eosio"))),
        {"born: nothing else": "eosio.msig::approve in the name of eosio"},
    ),
    "a row is missing": (
        _drop(7),
        {"born: accounts": "8 of 8 lack something: proda (creation and purchase of RAM and stake and transfer)"},
    ),
    "a row with other amounts": (
        _row(liquid=90_001),
        {
            "born: accounts": "1 of 8 lack something: useraaaaaaaa (transfer)",
            "born: nothing else": "eosio.token::transfer in the name of eosio",
        },
    ),
    "rows twice": (
        lambda chain, plan: chain.blocks[8].extend(chain.blocks[7]),
        {"born: accounts": "proda: creation and purchase of RAM and stake and transfer again"},
    ),
    "a vote is missing": (_drop(8), {"born: actions": "1 are missing: vote of proda"}),
    "no token contract": (
        lambda chain, plan: chain.blocks.update({5: chain.blocks[5][1:]}),
        {"born: actions": "2 are missing: ABI of the contract of eosio.token, code of the contract of eosio.token"},
    ),
    "no resignation": (
        _drop(9),
        {"born: actions": "eosio's active handed over", "born: over": "eosio has not resigned yet"},
    ),
    "a transaction that failed": (_status(9, "hard_fail"), {"born: over": "", "born: actions": ""}),
    "accounts before init": (_move(7, 5), {"born: order": "'accounts' began before 'init' was complete"}),
    "no canary": (
        lambda chain, plan: chain.blocks.update({9: chain.blocks[9][-1:]}),
        {"born: actions": "execution of the canary", "born: order": "eosio resigned without a canary"},
    ),
}


@pytest.mark.parametrize("case", sorted(WRONG))
async def test_what_differs(case: str, chain: FakeChain, plan: Blueprint) -> None:
    """Each is reported by its own check, and by no other."""
    plant, expected = WRONG[case]
    plant(chain, plan)
    found = await failing(chain, plan)
    assert found.keys() == expected.keys()
    assert all(part in found[name] for name, part in expected.items()), found


async def test_the_system_contract_comes_beside_the_token(chain: FakeChain, plan: Blueprint) -> None:
    """In either order, but after the other contracts."""
    count, contracts = len(pushes(plan, "system-contract")), len(pushes(plan, "contracts"))
    system, chain.blocks[6] = chain.blocks[6][:count], chain.blocks[6][count:]
    chain.blocks[5][contracts:contracts] = system
    assert not await failing(chain, plan)
    del chain.blocks[5][contracts : contracts + count]
    chain.blocks[4] += system
    found = await failing(chain, plan)
    assert found == {"born: order": "'system contract' began before 'contracts' was complete"}


async def test_a_delay_is_no_hiding_place(chain: FakeChain, plan: Blueprint) -> None:
    """A delayed transaction of eosio's is reported, even if the plan has the same action."""
    chain.blocks[8].append(transaction(actions.setpriv("eosio.msig", True)) | {"status": "delayed"})
    found = await failing(chain, plan)
    said = "1 unplanned actions: block 8: eosio::setpriv with a delay in the name of eosio"
    assert found == {"born: nothing else": said}


async def test_what_people_do_in_their_own_names_is_theirs(chain: FakeChain, plan: Blueprint) -> None:
    """Also before the resignation: holders vote and transfer, producers register with another url."""
    chain.blocks[8].append(transaction(actions.transfer("useraaaaaaaa", "useraaaaaaab", ONE)))
    chain.blocks[8].append(transaction(actions.voteproducer("useraaaaaaac", "", ("proda",))))
    registered = actions.regproducer("proda", PublicKey.parse(key("proda signs")), "https://new.example", 7)
    chain.blocks[8][1:1] = [transaction(registered)]
    blocks = await read_blocks(Chain(chain), plan, HEAD)
    checks = {check.name: check for check in blocks.birth.checks()}
    assert all(check.ok for check in checks.values())
    assert "(2 of other accounts in their own names)" in checks["born: nothing else"].detail


async def test_contracts_elsewhere_are_governed_as_well(plan: Blueprint) -> None:
    """A contract on any account acts by eosio's key until the resignation, and then only as planned."""
    contracts = (*plan.sealed.contracts, replace(plan.sealed.contracts[0], account="alice"))
    wider = Blueprint(replace(plan.sealed, contracts=contracts), plan.artifact)
    chain = FakeChain(wider)
    assert await failing(chain, wider) == {}
    chain.blocks[8].append(transaction(actions.transfer("alice", "useraaaaaaaa", ONE)))
    assert "in the name of alice" in (await failing(chain, wider))["born: nothing else"]


async def test_limits_that_are_raised_for_the_accounts(plan: Blueprint) -> None:
    """If sealed, they may be raised and restored any number of times; limits that stay raised are reported."""
    loaded = Blueprint(replace(plan.sealed, load=SealedLimits(4 << 20, 2_000_000)), plan.artifact)
    chain = FakeChain(loaded)
    raised, *_, restored = chain.blocks[7]
    assert await failing(chain, loaded) == {}
    chain.blocks[7] = [raised, *chain.blocks[7]]
    assert await failing(chain, loaded) == {}
    chain.blocks[7].remove(restored)
    said = "blocks' limits were raised for the accounts and never restored"
    assert await failing(chain, loaded) == {"born: actions": said}
    chain.blocks[7].append(restored)
    assert "eosio::setparams in the name of eosio" in (await failing(chain, plan))["born: nothing else"]


async def test_a_node_without_the_first_blocks(chain: FakeChain, plan: Blueprint) -> None:
    """A node that began with a snapshot cannot prove the birth, and the report says so."""
    del chain.blocks[3]
    found = await failing(chain, plan)
    assert found["born: over"] == (
        "blocks are missing, so the birth cannot be audited: the node has no block 3: ask one that has them all"
    )


EXPECTED = frozenset(f"eosio.{name}" for name in SYSTEM)


async def _early(*transactions: Json) -> Early:
    plan = blueprint()
    chain = FakeChain(plan)
    chain.blocks[5] += transactions
    return (await read_blocks(Chain(chain), plan, HEAD)).early


async def test_accounts_from_before_the_system_contract() -> None:
    """They are recorded up to the block that sets it, however their transaction is packed; failed ones are ignored."""
    ghost = transaction(newaccount("ghost"))
    squeezed = transaction(newaccount("squeezed"))
    packed = squeezed["trx"][1]
    packed |= {"compression": "zlib", "packed_trx": zlib.compress(bytes.fromhex(packed["packed_trx"])).hex()}
    failed = transaction(newaccount("failed")) | {"status": "hard_fail"}
    found = await _early(ghost, squeezed, failed, {"status": "executed", "trx": [0, "ab" * 32]})
    assert found == Early(EXPECTED | {"ghost", "squeezed"}, 6)


async def test_behind_context_free_actions() -> None:
    """A transaction with context-free actions, which we never send ourselves, is read as well."""
    free, ghost = setcode("free", b"").pack(), newaccount("ghost").pack()
    packed = bytes(10) + bytes(3) + pack_varuint32(1) + free + pack_varuint32(1) + ghost + b"\0"
    made: Json = {"status": "executed", "trx": [1, {"compression": "none", "packed_trx": packed.hex()}]}
    assert (await _early(made)).accounts == EXPECTED | {"ghost"}


@pytest.mark.parametrize("packed", ["zz", "00", "ff" * 40, "00" * 14 + "05", ("00" * 13) + "01" + "ff" * 30])
async def test_unreadable_block(packed: str) -> None:
    """A block that cannot be read ends the audit with one line that names it."""
    with pytest.raises(AuditError, match="block 5 could not be read, so nothing was judged"):
        await _early({"status": "executed", "trx": [1, {"compression": "none", "packed_trx": packed}]})


async def test_a_bomb_is_not_inflated() -> None:
    """A compressed transaction that is larger than nodeos accepts is refused before it fills the memory."""
    bomb = zlib.compress(bytes(64 << 20)).hex()
    with pytest.raises(AuditError, match="more than 8388608 bytes"):
        await _early({"status": "executed", "trx": [1, {"compression": "zlib", "packed_trx": bomb}]})


def test_memory_and_speed_of_many_rows() -> None:
    """50,000 rows are compared in less than 2 MiB beside the artifact, and each is seen."""
    base = blueprint()
    public = PublicKey.parse(key("anybody"))
    artifact = pack_allocation(AllocationRow(user_name(number), public, 1000, 2, 3, 4) for number in range(50_000))
    sealed = base.sealed.__class__(**{**base.sealed.__dict__, "allocation": sha(artifact), "accounts": 50_000})
    plan = Blueprint(sealed, lambda sha256: artifact if sha256 == sha(artifact) else base.artifact(sha256))
    step = pushes(plan, "accounts")
    blocks = [list(receipts({"transactions": [transaction(*push.actions)]})) for push in step]
    birth = Birth(plan)
    tracemalloc.start()
    try:
        for number, block in enumerate(blocks, 2):
            birth.take(number, block)
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()
    assert list(birth.rows.lacking()) == []
    assert birth.extras == birth.own == 0
