"""The graph of steps: order, mistakes, and selections."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from boot.plan import PlanError, make_plan
from boot.step import NodeMode, NodeStep
from boot.steps import OPTIONAL, STEPS, producer_nodes, steps_of
from boot.steps.producer_nodes import FEW_ACCOUNTS, before_votes
from inventory.load import load
from inventory.network import Network, Ssh, UserSource


def step(name: str, *after: str) -> NodeStep:
    """A step of that name."""
    return NodeStep(name, name, after, lambda blueprint: (), NodeMode.NORMAL)


def names(plan_steps: object) -> list[str]:
    """Names of steps, in order."""
    return [one.name for one in plan_steps]  # type: ignore[attr-defined]


def test_the_boot_is_listed_in_an_order_that_its_needs_allow() -> None:
    """Planning the steps keeps the order in which they are listed."""
    assert make_plan((*STEPS, *OPTIONAL)).steps == (*STEPS, *OPTIONAL)


def test_what_must_not_happen_early() -> None:
    """eosio resigns after the executed canary, the system contract and every account; votes come after synced nodes."""
    plan = make_plan(STEPS)
    assert set(names(STEPS)) - plan.ancestors("resign") == {"resign", "retire", "standby-nodes"}
    assert {"synced", "register", "proxies", "producer-nodes"} <= plan.ancestors("votes")
    assert {"handover", "privileges"} <= plan.ancestors("canary-propose")
    assert {"turns", "canary-exec"} <= plan.ancestors("resign")
    assert {"currency", "system-accounts"} <= plan.ancestors("init")


TWO = """
[network]
name = "two"
[users]
count = 10
[producers]
count = 3
elected = 1
[topology]
kind = "%s"
"""


def network_of(folder: Path, kind: str) -> Network:
    """Three producers' nodes beside the genesis node, of which one is elected."""
    path = folder / "two.toml"
    path.write_text(TWO % kind)
    return load(path)


def test_on_one_host_the_nodes_start_when_all_are_registered(tmp_path: Path) -> None:
    """Registrations go through the genesis node there, and need no other; the steps and what else they need stay."""
    few = network_of(tmp_path, "mesh")
    network = replace(few, users=replace(few.users, count=FEW_ACCOUNTS + 1))
    plan = make_plan(steps_of(network))
    assert {"register", "proxies"} <= plan.ancestors("producer-nodes")
    assert "accounts" in plan.ancestors("register") & plan.ancestors("proxies")
    assert set(names(plan.steps)) == set(names(STEPS))
    assert "standby-nodes" not in plan.ancestors("votes") | plan.ancestors("resign")
    apart = replace(network, nodes=(replace(network.nodes[0], host="other"), *network.nodes[1:]))
    assert steps_of(apart) is STEPS
    assert plan.ancestors("votes") == make_plan(STEPS).ancestors("votes")


def test_a_few_nodes_start_beside_the_steps_before_the_vote(tmp_path: Path) -> None:
    """Where they have little to execute: as soon as the genesis node runs. Not where the users are many or unknown."""
    network = network_of(tmp_path, "mesh")
    plan = make_plan(steps_of(network))
    assert plan.ancestors("producer-nodes") == {"genesis"}
    assert {"producer-nodes", "accounts", "register", "proxies"} <= plan.ancestors("votes")
    unknown = replace(network, users=replace(network.users, source=UserSource.CSV))
    assert "register" in make_plan(steps_of(unknown)).ancestors("producer-nodes")
    assert producer_nodes.few(network, tuple("abcdefghij"))
    far = replace(network, hosts=tuple(replace(host, ssh=Ssh("root")) for host in network.hosts))
    assert producer_nodes.few(far, tuple("abcd"))
    assert not producer_nodes.few(far, tuple("abcde"))


def test_steps_that_do_not_need_each_other_share_a_block() -> None:
    """The token is created beside the system contract, and eosio.msig made privileged beside that, before accounts."""
    plan = make_plan(STEPS)
    assert "currency" not in plan.ancestors("system-contract") | plan.ancestors("privileges")
    assert {"init", "privileges", "currency", "system-contract"} <= plan.ancestors("accounts")


def test_the_elected_start_first_where_they_are_linked(tmp_path: Path) -> None:
    """If a node reaches the genesis node only over others, all nodes start."""
    network = network_of(tmp_path, "mesh")
    (elected,) = (node.name for node in network.nodes if node.account in network.elected)
    assert before_votes(network) == (elected,)
    cut = replace(network.genesis_node, peers=tuple(peer for peer in network.genesis_node.peers if peer != elected))
    nodes = tuple(cut if node.name == cut.name else node for node in network.nodes)
    assert len(before_votes(replace(network, nodes=nodes))) == 3


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
