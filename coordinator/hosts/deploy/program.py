"""Our Python programs that run on hosts without being installed: their source goes to `python3 -` on standard input."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

COMMAND = ("python3", "-I", "-B", "-")
"""-I: ignore the user's environment. -B: write no byte code beside the host's own modules."""

_LOADER = """\
import sys, types
for _name, _source in {modules!r}:
    _module = sys.modules[_name] = types.ModuleType(_name)
    exec(compile(_source, _name, "exec"), _module.__dict__)
_module.main({request!r})
"""


def source(modules: Sequence[str], request: object) -> bytes:
    """A program of these modules (each after those that it imports), which hands the request to the last one's `main`.

    The request is passed as JSON in a Python literal: it is never executed as code, and no shell sees it.
    """
    texts = [(name, (ROOT / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8")) for name in modules]
    return _LOADER.format(modules=texts, request=json.dumps(request)).encode()
