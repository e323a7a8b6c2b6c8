"""The fast way to pack the allocation gives the bytes of the derived actions."""

from __future__ import annotations

import random

from antelope.asset import Symbol
from antelope.keys import PrivateKey, PublicKey
from antelope.transaction import Action, Transaction, pack_actions
from boot.blueprint import Blueprint
from boot.packed_rows import row_packer
from boot.step import ChainStep, Push
from boot.steps import STEPS
from boot.steps.accounts import MEMO, row_actions
from inventory.rows import Allocation, AllocationRow, pack_allocation

KEYS = [PrivateKey.generate().public for _ in range(3)]
OTHER_CURVE = PublicKey(b"\x03" + bytes(31) + b"\x07", kind=1)


def _rows(count: int) -> list[AllocationRow]:
    draw = random.Random(7)  # noqa: S311 (no secret)
    amounts = (0, 1, 4500, (1 << 62) - 1)
    return [
        AllocationRow(
            "".join(draw.choices("abcdefghijklmnopqrstuvwxyz12345", k=draw.randint(1, 12))),
            draw.choice([*KEYS, OTHER_CURVE]),
            *(draw.choice(amounts) for _ in range(4)),
        )
        for _ in range(count)
    ]


def test_packed_rows_are_the_rows_actions() -> None:
    """Of any amounts (zero ones make no action), and keys of any curve."""
    symbol = Symbol.parse("4,SYS")
    rows = Allocation(pack_allocation([*_rows(500), AllocationRow("alice", KEYS[0], 1, 2, 3, 4)]))
    made: list[Action] = [action for row in rows for action in row_actions(row, symbol)]
    packed = row_packer(symbol, MEMO)(rows.every())
    assert packed == pack_actions(made)
    assert Transaction(1, 2, 3, ()).packed_with(packed) == Transaction(1, 2, 3, tuple(made)).packed


def test_what_is_derived_when_asked_for_is_the_same_either_way(blueprint: Blueprint) -> None:
    """Of every push of every step: actions, packed actions, and whose keys sign."""
    for step in STEPS:
        for work in step.work(blueprint) if isinstance(step, ChainStep) else ():
            if isinstance(work, Push):
                assert work.packed == pack_actions(work.actions)
                assert set(work.actors) == {level.actor for one in work.actions for level in one.authorization}
