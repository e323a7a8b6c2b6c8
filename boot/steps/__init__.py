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
    standby_nodes,
    synced,
    system_accounts,
    system_contract,
    turns,
    votes,
)
from inventory.network import Network

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
    standby_nodes.STEP,
    handover.STEP,
    canary_propose.STEP,
    canary_approve.STEP,
    canary_exec.STEP,
    turns.STEP,
    resign.STEP,
    retire.STEP,
)

OPTIONAL: tuple[Step, ...] = (claim.STEP,)
"""Steps outside the boot, run only by name."""


def steps_of(network: Network) -> tuple[Step, ...]:
    """The boot's steps, with their dependencies in this network.

    Where every node runs on the genesis node's host, producers and proxies register through that node, whose agent has
    their keys, before their own nodes start: thirty starting nodes would take all cores while thirty transactions are
    pushed. Only nodes of elected producers start before the votes; if there are few accounts, they start while the
    earlier steps run. On another host a producer registers through its own node, whose start costs the genesis node's
    host nothing.

    A network where eosio stays the only producer is complete with its accounts, and with other nodes if it has any.
    """
    if network.solo:
        last = producer_nodes.STEP if len(network.nodes) > 1 else accounts.STEP
        return STEPS[: STEPS.index(last) + 1]
    if not network.one_host:
        return STEPS
    early = producer_nodes.before_votes(network)
    beside = producer_nodes.few(network, early)
    first = (genesis.STEP.name,) if beside else (register.STEP.name, proxies.STEP.name)
    start = replace(producer_nodes.STEP, after=first, nodes=lambda _: early)
    changed: dict[str, Step] = {start.name: start}
    changed |= {step.name: replace(step, after=producer_nodes.STEP.after) for step in (register.STEP, proxies.STEP)}
    return tuple(changed.get(step.name, step) for step in STEPS)
