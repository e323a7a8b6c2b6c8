"""What a person could type instead of a step's work."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

from antelope.cleos import cleos_command
from antelope.layouts import SYSTEM, unpack_data
from antelope.transaction import Action
from boot.step import Push, Work


def cleos_lines(work: Work) -> list[str]:
    """Command lines, quoted for a POSIX shell, that have the work's effect one after another.

    The boot sends all actions of a Push in one transaction. A new account with its first RAM and stake has to be one:
    that is `cleos system newaccount`. Features that are scheduled have no cleos command, curl asks for them.
    """
    if isinstance(work, Push):
        return _lines(work.actions)
    body = json.dumps({"protocol_features_to_activate": list(work.digests)}, separators=(",", ":"))
    url = "http://127.0.0.1:8888/v1/producer/schedule_protocol_feature_activations"
    return [shlex.join(["curl", "--data", body, url])]


def _lines(actions: Sequence[Action]) -> list[str]:
    lines, position = [], 0
    while position < len(actions):
        if [action.name for action in actions[position : position + 3]] == ["newaccount", "buyram", "delegatebw"]:
            lines.append(_new_account(*actions[position : position + 3]))
            position += 3
        else:
            lines.append(cleos_command(actions[position]))
            position += 1
    return lines


def _new_account(account: Action, ram: Action, stake: Action) -> str:
    made, bought, staked = (unpack_data(SYSTEM, action.name, action.data) for action in (account, ram, stake))
    options = ["--buy-ram", bought["quant"]]
    options += ["--stake-net", staked["stake_net_quantity"], "--stake-cpu", staked["stake_cpu_quantity"], "--transfer"]
    keys = [made[name]["keys"][0]["key"] for name in ("owner", "active")]
    return shlex.join(["cleos", "system", "newaccount", *options, made["creator"], made["name"], *keys])
