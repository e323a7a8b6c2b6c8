"""What a node serves to other people, and what stays with its agent: config.ini and command line by role."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import SpecError
from agent.nodeos.config import command_line, config_ini
from agent.nodeos.spec import NodeSpec
from agent.nodes.rehearsal import kinds
from boot.roles import NEEDED
from boot.step import NodeMode
from inventory.network import Role

KNOWN = frozenset(
    {*NEEDED, "enable-account-queries", "max-clients", "access-control-allow-origin", "http-max-response-time-ms"}
)
API = NodeSpec("door", Role.API, None, "0.0.0.0:9876", "a.example:9876", 8888, api="0.0.0.0:80")
HISTORY = replace(API, role=Role.HISTORY, api="", history="10.0.0.1:8080")
SEED = replace(API, role=Role.SEED, api="")


def lines(spec: NodeSpec, known: frozenset[str] = KNOWN) -> list[str]:
    """Of its config.ini."""
    return config_ini(spec, NodeMode.NORMAL, known).splitlines()


@pytest.mark.parametrize("spec", [API, replace(HISTORY, api="0.0.0.0:80")])
def test_the_public_address_has_nothing_that_rules_the_node(spec: NodeSpec) -> None:
    """Only what answers about the chain and takes transactions; everything else is on loopback."""
    categories = [line.partition(" = ")[2].split(",") for line in lines(spec) if line.startswith("http-category")]
    public = {category for category, at in categories if at == "0.0.0.0:80"}
    assert public == {"chain_ro", "chain_rw"} | ({"trace_api"} if spec.role is Role.HISTORY else set())
    assert {at for _, at in categories} == {"0.0.0.0:80", "127.0.0.1:8888"}
    assert {category for category, at in categories if at == "127.0.0.1:8888"} > public | {"net_rw", "producer_rw"}
    assert "http-server-address = http-category-address" in lines(spec)
    assert "access-control-allow-origin = *" in lines(spec)
    assert "http-validate-host = false" in lines(spec)


def test_an_origin_of_ones_own_takes_the_place_of_any() -> None:
    """The inventory's option counts."""
    own = replace(API, options={"access-control-allow-origin": "https://dapp.example"})
    found = [line for line in lines(own) if line.startswith("access-control")]
    assert found == ["access-control-allow-origin = https://dapp.example"]


def test_without_a_public_address_hosts_are_checked() -> None:
    """A history or a seed that only its own host asks stays as every other node is."""
    for spec in (HISTORY, SEED):
        assert "http-server-address = 127.0.0.1:8888" in lines(spec)
        assert not [line for line in lines(spec) if line.startswith(("access-control", "http-validate", "http-cat"))]


def test_a_history_keeps_all_and_is_started_for_it() -> None:
    """Both logs, the traces' API, and the flag that state_history_plugin asks for, on the command line alone."""
    found = lines(HISTORY)
    for line in (
        "plugin = eosio::state_history_plugin", "plugin = eosio::trace_api_plugin", "trace-history = true",
        "chain-state-history = true", "state-history-endpoint = 10.0.0.1:8080", "trace-no-abis = true",
    ):  # fmt: skip
        assert line in found
    assert "--disable-replay-opts" in command_line(("nodeos",), Path("/d"), Role.HISTORY, NodeMode.NORMAL)
    assert "--disable-replay-opts" not in command_line(("nodeos",), Path("/d"), Role.API, NodeMode.NORMAL)


def test_a_seed_takes_no_transactions_and_many_peers() -> None:
    """Over HTTP, even from its own host."""
    assert {"api-accept-transactions = false", "max-clients = 1000"} <= set(lines(SEED))


@pytest.mark.parametrize(
    ("spec", "option"),
    [(API, "http-category-address"), (HISTORY, "state-history-endpoint"), (SEED, "api-accept-transactions")],
)
def test_a_nodeos_that_cannot_is_named_before_it_starts(spec: NodeSpec, option: str) -> None:
    """Otherwise an API without the option would be served whole, or not at all."""
    with pytest.raises(SpecError, match=f"its nodeos has no option {option}"):
        lines(spec, KNOWN - {option})


@pytest.mark.parametrize(
    "wrong",
    [
        {"api": ""}, {"api": "0.0.0.0:8888"}, {"api": "a:1\nplugin = x"}, {"history": "a:1"}, {"account": "alice"},
        {"role": Role.SEED}, {"role": Role.FULL}, {"options": {"state-history-stride": "1"}},
    ],
)  # fmt: skip
def test_an_agent_takes_no_address_that_does_not_fit(wrong: dict[str, object]) -> None:
    """The agent checks what its coordinator says: no other role has such an address, and none is the agent's own."""
    with pytest.raises(SpecError):
        replace(API, **wrong)  # type: ignore[arg-type] # what is wrong is the point


def test_each_role_is_rehearsed(tmp_path: Path) -> None:
    """Nodes that differ in the address's host start differently; those that differ in its port do not."""
    same = replace(API, name="door2", api="0.0.0.0:81")
    other = replace(API, name="door3", api="127.0.0.1:80")
    assert len(kinds([API, same, other, HISTORY, replace(HISTORY, api="0.0.0.0:80"), SEED])) == 5
