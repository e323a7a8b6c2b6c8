"""The blocks' limits while the accounts are created: raised before the first account, and restored after the last.

Both are pushes of the step `accounts`. The limits are restored even if other pushes of the step fail. The step's
evidence shows when an interrupted boot has left them raised.
"""

from __future__ import annotations

from collections.abc import Mapping

from antelope import actions
from boot.blueprint import Blueprint
from boot.reads import Asking, parameters, resigned
from boot.step import Push, Turn

RAISE, RESTORE = "raise-limits", "restore-limits"


def sealed_limits(blueprint: Blueprint) -> dict[str, int]:
    """The chain's parameters as the genesis sets them."""
    return dict(blueprint.genesis.initial_configuration)


def raised_limits(blueprint: Blueprint) -> dict[str, int]:
    """The same while the accounts are created: raised where that was sealed."""
    limits = blueprint.sealed.load
    return sealed_limits(blueprint) | (
        {"max_block_net_usage": limits.block_net, "max_block_cpu_usage": limits.block_cpu} if limits else {}
    )


def raising(blueprint: Blueprint) -> tuple[Push, ...]:
    """The push that raises them; none if they are not raised."""
    return (_push(RAISE, raised_limits(blueprint), Turn.FIRST),) if blueprint.sealed.load else ()


def restoring(blueprint: Blueprint) -> tuple[Push, ...]:
    """The push that restores them; none if they were not raised."""
    return (_push(RESTORE, sealed_limits(blueprint), Turn.LAST),) if blueprint.sealed.load else ()


def _push(key: str, values: Mapping[str, int], turn: Turn) -> Push:
    return Push(key, (actions.setparams(values),), "eosio", turn=turn)


def around(blueprint: Blueprint, missing: list[str]) -> Asking[list[str]]:
    """The missing keys, with the key that raises the limits first and the one that restores them last, if needed."""
    if blueprint.sealed.load is None:
        return missing
    now = yield from parameters()
    raised = all(now.get(name) == value for name, value in raised_limits(blueprint).items())
    if missing:
        return [*([] if raised else [RAISE]), *missing, RESTORE]
    if raised and not (yield from resigned()):  # afterwards the producers decide on the limits
        return [RESTORE]
    return []
