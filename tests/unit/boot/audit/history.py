"""The blocks of a boot that went as planned: what the steps themselves derive, as nodeos stores it."""

from __future__ import annotations

from typing import Any

from antelope.transaction import Action, Transaction
from boot.blueprint import Blueprint
from boot.step import ChainStep, Push
from boot.steps import STEPS

Json = dict[str, Any]

BLOCKS = {
    "boot-contract": 3,
    "features": 3,
    "system-accounts": 4,
    "contracts": 5,
    "currency": 5,
    "system-contract": 6,
    "init": 6,
    "privileges": 6,
    "accounts": 7,
    "proxies": 8,
    "register": 8,
    "votes": 8,
    "canary-propose": 9,
    "canary-approve": 9,
    "canary-exec": 9,
    "resign": 9,
}
HEAD = 9


def transaction(*actions: Action) -> Json:
    """An executed transaction of a raw block."""
    packed = Transaction(0, 0, 0, actions).packed.hex()
    return {"status": "executed", "trx": [1, {"compression": "none", "packed_trx": packed}]}


def pushes(blueprint: Blueprint, step: str) -> list[Push]:
    """What a step pushes in an ordinary boot."""
    found = next(one for one in STEPS if one.name == step)
    assert isinstance(found, ChainStep)
    return [one for one in found.work(blueprint) if isinstance(one, Push) and not one.spare]


def history(blueprint: Blueprint) -> dict[int, list[Json]]:
    """The transactions of each block, by its number."""
    blocks: dict[int, list[Json]] = {number: [] for number in range(1, HEAD + 1)}
    for step, number in BLOCKS.items():
        blocks[number] += [transaction(*push.actions) for push in pushes(blueprint, step)]
    return blocks
