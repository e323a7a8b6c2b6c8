"""The graph of steps: order, faults, and selections of it."""

from __future__ import annotations

import pytest

from boot.plan import PlanError, make_plan
from boot.step import NodeMode, NodeStep
from boot.steps import OPTIONAL, STEPS, steps_of


def step(name: str, *after: str) -> NodeStep:
    """A step of that name."""
    return NodeStep(name, name, after, lambda blueprint: (), NodeMode.NORMAL)


def names(plan_steps: object) -> list[str]:
    """Names of steps, in order."""
    return [one.name for one in plan_steps]  # type: ignore[attr-defined]


def test_the_boot_is_listed_in_an_order_that_its_needs_allow() -> None:
    """Planning the listed steps changes nothing about their order."""
    assert make_plan((*STEPS, *OPTIONAL)).steps == (*STEPS, *OPTIONAL)


def test_what_must_not_happen_early() -> None:
    """eosio resigns after the executed canary, the system contract and every account; votes come after synced nodes."""
    plan = make_plan(STEPS)
    assert set(names(STEPS)) - plan.ancestors("resign") == {"resign", "retire"}
    assert {"synced", "register", "proxies", "producer-nodes"} <= plan.ancestors("votes")
    assert {"handover", "privileges"} <= plan.ancestors("canary-propose")
    assert {"turns", "canary-exec"} <= plan.ancestors("resign")
    assert {"currency", "system-accounts"} <= plan.ancestors("init")


def test_on_one_host_the_nodes_start_when_all_are_registered() -> None:
    """Registrations go through the genesis node there, and need no other; the steps and what else they need stay."""
    plan = make_plan(steps_of(one_host=True))
    assert {"register", "proxies"} <= plan.ancestors("producer-nodes")
    assert "accounts" in plan.ancestors("register") & plan.ancestors("proxies")
    assert set(names(plan.steps)) == set(names(STEPS))
    assert plan.ancestors("votes") == make_plan(steps_of(one_host=False)).ancestors("votes")


def test_a_step_listed_too_early_is_moved_behind_its_needs() -> None:
    """The order is the given one as far as the needs allow."""
    assert names(make_plan([step("c", "b"), step("a"), step("b", "a"), step("d")]).steps) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ([step("a", "b")], "step 'a' comes after 'b', which is not a step"),
        ([step("a"), step("a")], "two steps are named 'a'"),
        ([step("a", "b"), step("b", "a")], "in a circle: "),
    ],
)
def test_faults_are_named(steps: list[NodeStep], text: str) -> None:
    """Unknown needs, equal names and circles are errors that name the step."""
    with pytest.raises(PlanError, match=text):
        make_plan(steps)


def test_selections() -> None:
    """`until` takes a step with all it needs, `only` takes it alone and says what it assumes."""
    plan = make_plan([step("a"), step("b", "a"), step("x"), step("c", "b"), step("d", "c")])
    assert names(plan.until("c").steps) == ["a", "b", "c"]
    assert plan.until("c").assumed == frozenset()
    assert names(plan.only("c").steps) == ["c"]
    assert plan.only("c").assumed == {"a", "b"}
    with pytest.raises(PlanError, match="no step 'e'; the steps are a, b, x, c, d"):
        plan.until("e")
