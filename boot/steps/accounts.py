"""The allocation: every staked account with its RAM, its stake and its liquid tokens, all of a row in one transaction.

A transaction holds many rows and applies all or nothing, so one account of it proves them all. This is the bulk of the
boot, so if there are many, blocks may be larger meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence

from antelope import actions
from antelope.asset import Asset, Symbol
from antelope.authority import Authority
from antelope.transaction import Action
from boot.blueprint import Blueprint
from boot.limits import around, raising, restoring
from boot.packed_rows import row_packer
from boot.reads import account, by_eosio, scopes, verdict
from boot.step import Bulk, ChainStep, Derived, Finality, Push, Reads, Verdict
from inventory.rows import AllocationRow

ROWS_PER_PUSH = 50
"""Rows in one transaction at most. More gains nothing; 200 exceed nodeos' 30 ms on a node that has not compiled the
contract yet.
"""
ROW_BYTES = 370
"""Bytes of a packed row: newaccount 136, buyram 66, delegatebw 83 and transfer 77."""
OVERHEAD_BYTES = 1024
"""Bytes reserved for a transaction's header and signatures, including nodeos' leeway of 500, which is not used."""
FEW_PUSHES = 16
"""Up to this many pushes, asking for one account of each is faster than listing all accounts, a thousand per call."""
GLANCES = 8
"""How many accounts are asked for if all of them were seen before, in irreversible blocks. A chain that has lost blocks
lacks the last accounts first.
"""
MEMO = "allocation"


def batches(blueprint: Blueprint) -> Sequence[range]:
    """Which rows each push has, by their numbers in the order of application."""
    size, count = rows_per_push(blueprint), len(blueprint.rows)
    return tuple(range(start, min(start + size, count)) for start in range(0, count, size))


def rows_per_push(blueprint: Blueprint) -> int:
    """As many as the genesis' limit on a transaction's size permits, and at most ROWS_PER_PUSH."""
    limit = int(blueprint.sealed.genesis["initial_configuration"]["max_transaction_net_usage"])
    return max(1, min(ROWS_PER_PUSH, (limit - OVERHEAD_BYTES) // ROW_BYTES))


def key(number: int) -> str:
    """A batch's key."""
    return f"{number:04}"


def row_actions(row: AllocationRow, symbol: Symbol) -> tuple[Action, ...]:
    """All actions for a row, in the order that the contract requires. Zero amounts are left out."""
    own = Authority.key(row.key)
    made = [actions.newaccount("eosio", row.account, own, own)]
    if row.ram:
        made.append(actions.buyram("eosio", row.account, Asset(row.ram, symbol)))
    if row.net or row.cpu:
        made.append(actions.delegatebw("eosio", row.account, Asset(row.net, symbol), Asset(row.cpu, symbol), True))
    if row.liquid:
        made.append(actions.transfer("eosio", row.account, Asset(row.liquid, symbol), MEMO))
    return tuple(made)


def work(blueprint: Blueprint) -> Derived:
    """One push per batch, derived on access, between the pushes that raise and restore the block limits."""
    parts, rows, symbol = batches(blueprint), blueprint.rows, blueprint.symbol
    packed = row_packer(symbol, MEMO)

    def derive(number: int) -> Push:
        part = parts[number]

        def made() -> tuple[Action, ...]:
            return tuple(action for index in part for action in row_actions(rows[index], symbol))

        return Push(key(number), Bulk(("eosio",), made, lambda: packed(rows.every(part.start, part.stop))), "eosio")

    before, after = raising(blueprint), restoring(blueprint)
    count = len(parts)

    def push(place: int) -> Push:
        if place < len(before):
            return before[place]
        number = place - len(before)
        return derive(number) if number < count else after[number - count]

    keys = (*(one.key for one in before), *map(key, range(count)), *(one.key for one in after))
    return Derived(keys, "eosio", push)


@by_eosio
def evidence(blueprint: Blueprint) -> Reads:
    """One account of every batch exists, and limits are the genesis'. Many batches are looked up by listing the scopes
    of eosio's `userres`. If a few are missing there, these accounts are asked for singly, because a user who gives up
    all resources loses that row.
    """
    proofs = [blueprint.rows.account(part[-1]) for part in batches(blueprint)]
    present: set[str] = set()
    if len(proofs) > FEW_PUSHES:
        present = yield from scopes("eosio", "userres")
    absent = [name for name in proofs if name not in present]
    if len(absent) <= FEW_PUSHES:
        for name in absent:
            if (yield from account(name)) is not None:
                present.add(name)
    missing = [key(number) for number, name in enumerate(proofs) if name not in present]
    accounts = f"{len(blueprint.rows)} accounts"
    keys = yield from around(blueprint, missing)
    if missing:
        return Verdict(tuple(keys), verdict(missing, len(proofs), f"batches of {accounts}").detail)
    return Verdict(tuple(keys), f"{accounts}; the limits of blocks are still raised" if keys else accounts)


@by_eosio
def glance(blueprint: Blueprint) -> Reads:
    """A few accounts from the first to the last exist, and limits are the genesis'; otherwise the whole evidence."""
    parts = batches(blueprint)
    chosen = {round(place * (len(parts) - 1) / (GLANCES - 1)) for place in range(GLANCES)} if parts else set[int]()
    for number in sorted(chosen):
        if (yield from account(blueprint.rows.account(parts[number][-1]))) is None:
            return (yield from evidence(blueprint))
    keys = yield from around(blueprint, [])
    accounts = f"{len(blueprint.rows)} accounts"
    return Verdict(tuple(keys), f"{accounts}; the limits of blocks are still raised" if keys else accounts)


STEP = ChainStep(
    "accounts",
    "create the staked accounts",
    ("init", "privileges"),
    work,
    evidence,
    finality=Finality.IRREVERSIBLE,
    parallel=True,
    glance=glance,
)
