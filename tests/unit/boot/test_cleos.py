"""The cleos commands for the boot's actions."""

from __future__ import annotations

import json
import shlex

from boot.blueprint import Blueprint
from boot.cleos import cleos_lines
from boot.step import ChainStep
from boot.steps import STEPS
from tests.unit.boot.conftest import KEY


def test_every_work_can_be_typed(blueprint: Blueprint) -> None:
    """Each action of each step is a cleos command whose data is JSON, the preactivation a call of the producer API."""
    for step in STEPS:
        if not isinstance(step, ChainStep):
            continue
        for work in step.work(blueprint):
            lines = [shlex.split(line) for line in cleos_lines(work)]
            assert lines
            for words in lines:
                assert words[0] == ("curl" if step.name == "preactivate" else "cleos")
                if words[1] == "push":
                    json.loads(words[5])
                    assert words[6] == "-p"


def test_a_staked_account_is_one_command(blueprint: Blueprint) -> None:
    """Alone, newaccount fails for lack of RAM: cleos has a command that buys RAM and stakes in the same transaction."""
    accounts = next(step for step in STEPS if step.name == "accounts")
    assert isinstance(accounts, ChainStep)
    lines = cleos_lines(accounts.work(blueprint)[0])
    assert len(lines) == len(blueprint.rows)
    assert lines[0] == (
        "cleos system newaccount --buy-ram '0.1000 SYS' --stake-net '50000000.0000 SYS' --stake-cpu '50000000.0000 SYS'"
        f" --transfer eosio userrich {KEY} {KEY}"
    )
