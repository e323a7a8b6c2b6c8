"""Block limits are raised for the accounts if it pays, if the contract can, and as the inventory says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from antelope.abi import Abi
from antelope.genesis import CONFIGURATION
from inventory.errors import Problems
from inventory.load_limits import load_limits
from inventory.sealed import SealedLimits
from tests.unit.inventory.material import Load

RAISED = SealedLimits(4 << 20, 2_000_000)


def _system(**sizes: int) -> Abi:
    """A system contract whose parameters have these sizes in bytes where they differ from nodeos'."""
    fields = [{"name": name, "type": f"uint{8 * sizes.get(name, size)}"} for name, size, _ in CONFIGURATION]
    definition: dict[str, Any] = {
        "version": "eosio::abi/1.2",
        "structs": [
            {"name": "parameters", "base": "", "fields": fields},
            {"name": "setparams", "base": "", "fields": [{"name": "params", "type": "parameters"}]},
        ],
        "actions": [{"name": "setparams", "type": "setparams", "ricardian_contract": ""}],
    }
    return Abi.parse(json.dumps(definition))


WITHOUT = Abi.parse('{"version": "eosio::abi/1.2"}')


@pytest.mark.parametrize(
    ("text", "accounts", "expected"),
    [
        ("", 4_999, None),
        ("", 5_000, RAISED),
        ("[genesis]\nraise_limits = true", 1, RAISED),
        ("[genesis]\nraise_limits = false", 1_000_000, None),
        ("[genesis.configuration]\nmax_block_net_usage = 8388608", 10_000, SealedLimits(8 << 20, 2_000_000)),
        ("[genesis.configuration]\nmax_block_net_usage = 8388608\nmax_block_cpu_usage = 3000000", 10_000, None),
    ],
)
def test_limits_are_raised_when_they_should_be(
    network: Load, text: str, accounts: int, expected: SealedLimits | None
) -> None:
    """The number of accounts decides, unless the inventory does. Limits are never lowered."""
    problems = Problems()
    assert load_limits(network(text), accounts, _system(), problems) == expected
    assert not problems.found


def test_a_contract_that_cannot_leaves_them(network: Load) -> None:
    """No setparams, or one that takes other parameters: where that was asked for, it is an error."""
    for system in (WITHOUT, _system(max_block_net_usage=4)):
        problems = Problems()
        assert load_limits(network(""), 20_000, system, problems) is None
        assert not problems.found
        assert load_limits(network("[genesis]\nraise_limits = true"), 20_000, system, problems) is None
        assert "genesis.raise_limits" in str(problems.found[0])
