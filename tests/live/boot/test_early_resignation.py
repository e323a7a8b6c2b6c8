"""eosio has resigned by hand, too early: what the chain does not prove is not done, and the chain goes on."""

from __future__ import annotations

import pytest

from boot.plan import make_plan
from boot.reads import run_reads
from boot.step import ChainStep, NodeStep
from boot.steps import STEPS, resign, retire
from tests.live.boot.test_sequence import Driver, driver

__all__ = ["driver"]  # a fixture


async def resign_by_hand(driver: Driver) -> None:
    """Resigns, as somebody does who types the printed commands without waiting."""
    (by_hand, *_) = resign.work(driver.blueprint)
    await driver.in_block(await driver.push("resign", by_hand))


@pytest.mark.parametrize("until", ["register", "votes"])
async def test_the_chain_gets_to_its_producers_all_the_same(driver: Driver, until: str) -> None:
    """Before and after the votes: eosio keeps signing until the elected do; a producer proposes the canary."""
    plan = make_plan(STEPS)
    for step in plan.until(until).steps:
        await driver.carry_out(step)
    await resign_by_hand(driver)
    assert not (await driver.verdict(plan.by_name["turns"])).done  # type: ignore[arg-type]
    assert not (await run_reads(retire.condition(driver.blueprint), driver.call)).done
    for step in plan.steps:
        if isinstance(step, NodeStep) and step.name in ("genesis", until):
            continue
        if step.name == "retire":
            assert (await run_reads(retire.condition(driver.blueprint), driver.call)).done
        await driver.carry_out(step, seconds=90)
    assert driver.sent["canary-propose"] == driver.sent["canary-exec"] == 1
    assert driver.sent["resign"] == 1
    for step in plan.steps:
        if not isinstance(step, NodeStep):
            await driver.until_done(step, 30)  # the genesis node shows irreversible state since `retire`


async def test_what_only_eosio_could_do_is_lost(driver: Driver) -> None:
    """If eosio resigned before eosio.msig was privileged, the boot says so and tries nothing."""
    plan = make_plan(STEPS)
    for step in plan.until("init").steps:
        await driver.carry_out(step)
    await resign_by_hand(driver)
    privileges = plan.by_name["privileges"]
    assert isinstance(privileges, ChainStep)
    verdict = await driver.verdict(privileges)
    assert (verdict.missing, verdict.impossible) == (("eosio.msig",), True)
    assert "eosio resigned before this was done, and nobody else can do it" in verdict.detail
