"""Python programs of ours that hosts run without having them: their source goes to `python3 -` on standard input."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

COMMAND = ("python3", "-I", "-B", "-")
"""-I: nothing of the user's own environment takes part. -B: nothing is written beside the host's own modules."""

_LOADER = """\
import sys, types
for _name, _source in {modules!r}:
    _module = sys.modules[_name] = types.ModuleType(_name)
    exec(compile(_source, _name, "exec"), _module.__dict__)
_module.main({request!r})
"""


def source(modules: Sequence[str], request: object) -> bytes:
    """A program of these modules (each after those that it imports), which hands the request to the last one's `main`.

    The request travels as JSON inside a Python literal: no byte of it is ever code, or seen by a shell.
    """
    texts = [(name, (ROOT / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8")) for name in modules]
    return _LOADER.format(modules=texts, request=json.dumps(request)).encode()
