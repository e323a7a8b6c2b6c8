"""The steps of the boot, in order. A new step is a file of its own and a line here."""

from __future__ import annotations

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
    resign.STEP,
    retire.STEP,
)

OPTIONAL: tuple[Step, ...] = (claim.STEP,)
"""No part of the boot; run when asked for by name."""
