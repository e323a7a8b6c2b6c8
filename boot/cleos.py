"""The cleos commands that do the same as a step's work."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from antelope.cleos import cleos_command, cleos_set_contract
from antelope.layouts import SYSTEM, unpack_data
from antelope.transaction import Action
from boot.step import Push, Work

DEFAULT_URL = "http://127.0.0.1:8888"
"""The URL that cleos uses by default."""


@dataclass(frozen=True)
class Files:
    """The folder with the contracts' files, on the machine of the person who runs the commands."""

    folder: str
    names: Mapping[str, str]
    """The file's name by the sha256 (hex) of code or packed ABI."""


def cleos_lines(work: Work, url: str = DEFAULT_URL, files: Files | None = None) -> list[str]:
    """Command lines, quoted for a POSIX shell. Typed in this order, they do the work on the node at that url.
    Without files, contracts are named by their hashes only.

    The boot sends all actions of a Push in one transaction. Only a new account with its first RAM and stake must be one
    transaction here too; `cleos system newaccount` makes it. cleos cannot schedule features, so curl does.
    """
    if isinstance(work, Push):
        lines = _lines(work.actions, files)
        return lines if url == DEFAULT_URL else [f"cleos -u {url} {line.removeprefix('cleos ')}" for line in lines]
    body = json.dumps({"protocol_features_to_activate": list(work.digests)}, separators=(",", ":"))
    return [shlex.join(["curl", "--data", body, f"{url}/v1/producer/schedule_protocol_feature_activations"])]


def _lines(actions: Sequence[Action], files: Files | None) -> list[str]:
    lines, position = [], 0
    while position < len(actions):
        names = [action.name for action in actions[position : position + 3]]
        if names == ["newaccount", "buyram", "delegatebw"]:
            lines.append(_new_account(*actions[position : position + 3]))
            position += 3
        elif files and names[:2] == ["setcode", "setabi"]:
            lines.append(cleos_set_contract(actions[position], actions[position + 1], files.folder, files.names))
            position += 2
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
