"""cleos command lines that do what this library's actions do."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from antelope.codec import Reader
from antelope.layouts import LAYOUTS, SYSTEM, unpack_data
from antelope.transaction import Action

# cleos' JSON reader knows the escapes \\, \", \/, \t, \n and \r; of any other it keeps the letter.
_LOST_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\[bfu]")


def cleos_command(action: Action, data: Mapping[str, Any] | None = None) -> str:
    """One cleos command, quoted for a POSIX shell, that sends this action.

    data is the action's data as JSON, for contracts whose layout this library does not have; without it such an action
    becomes a `push transaction` with packed data, as does one with control characters, which cleos cannot read.
    Contract and ABI files are named by their sha256 (the bundled build's cleos fails at `set code` and `set abi`; its
    `set contract` works). Raises AbiError when the data does not fit the action's layout.
    """
    permissions = [part for level in action.authorization for part in ("-p", str(level))]
    if action.account == SYSTEM and action.name in ("setcode", "setabi"):
        return shlex.join([*_set_contract(action), *permissions])
    if data is None and action.name in LAYOUTS.get(action.account, {}):
        data = unpack_data(action.account, action.name, action.data)
    text = "" if data is None else _json(data)
    if not text or _LOST_ESCAPE.search(text):
        return shlex.join(["cleos", "push", "transaction", _json({"actions": [action.to_json()]})])
    return shlex.join(["cleos", "push", "action", action.account, action.name, text, *permissions])


def cleos_set_contract(code: Action, abi: Action, folder: str, names: Mapping[str, str]) -> str:
    """The command for a setcode and a setabi of the same account, from files in a folder.

    names: file names by the sha256 (hex) of the code and of the packed ABI. Raises KeyError when one is missing.
    """
    account = unpack_data(SYSTEM, code.name, code.data)["account"]
    files = [names[hashlib.sha256(_content(action)).hexdigest()] for action in (code, abi)]
    permissions = [part for level in code.authorization for part in ("-p", str(level))]
    return shlex.join(["cleos", "set", "contract", account, folder, *files, *permissions])


def _set_contract(action: Action) -> list[str]:
    what = action.name.removeprefix("set")
    data = unpack_data(SYSTEM, action.name, action.data)
    content = _content(action)
    if not content:
        return ["cleos", "set", what, "--clear", data["account"]]
    return ["cleos", "set", what, data["account"], hashlib.sha256(content).hexdigest()]


def _content(action: Action) -> bytes:
    """The code or packed ABI in the action: after the account and, for code, vmtype and vmversion."""
    reader = Reader(action.data)
    reader.take(10 if action.name == "setcode" else 8)
    return reader.bytes_()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
