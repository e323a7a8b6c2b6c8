"""The steps of the boot, in order. A new step is a new file and a line here."""

from __future__ import annotations

from dataclasses import replace

from boot.step import Step
from boot.steps import (
    accounts,
    boot_contract,
    canary_approve,
    canary_exec,
    canary_propose,
    claim,
    contracts,
    currency,
    features,
    genesis,
    handover,
    init,
    preactivate,
    privileges,
    producer_nodes,
    proxies,
    register,
    resign,
    retire,
    synced,
    system_accounts,
    system_contract,
    turns,
    votes,
)

STEPS: tuple[Step, ...] = (
    genesis.STEP,
    preactivate.STEP,
    boot_contract.STEP,
    features.STEP,
    system_accounts.STEP,
    contracts.STEP,
    currency.STEP,
    system_contract.STEP,
    init.STEP,
    privileges.STEP,
    accounts.STEP,
    producer_nodes.STEP,
    register.STEP,
    proxies.STEP,
    synced.STEP,
    votes.STEP,
    handover.STEP,
    canary_propose.STEP,
    canary_approve.STEP,
    canary_exec.STEP,
    turns.STEP,
    resign.STEP,
    retire.STEP,
)

OPTIONAL: tuple[Step, ...] = (claim.STEP,)
"""No part of the boot; run when asked for by name."""


def steps_of(*, one_host: bool) -> tuple[Step, ...]:
    """The boot's steps, as they need each other. one_host: every node runs on the genesis node's host.

    There, producers and proxies register through the genesis node, whose agent has their keys, before their own nodes
    start: thirty nodes that start take all cores of a machine from thirty transactions. On another host a producer
    registers through its own node, whose start costs the genesis node's host nothing.
    """
    if not one_host:
        return STEPS
    first = (register.STEP.name, proxies.STEP.name)
    needs = dict.fromkeys(first, producer_nodes.STEP.after) | {producer_nodes.STEP.name: first}
    return tuple(replace(step, after=needs.get(step.name, step.after)) for step in STEPS)
