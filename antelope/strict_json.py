"""Reads a stranger's JSON within bounds of size, depth and numbers, or refuses it in one line.

Python's own reader accepts anything that fits into memory: brackets nested until the stack overflows, integers with
thousands of digits, NaN, lone surrogates. Each of these would make unrelated code fail later.
"""

from __future__ import annotations

import json
import re
from typing import Any

from antelope.errors import BadJson

DEPTH = 32
"""Maximum nesting depth. Our and nodeos' documents need at most a third of it."""
ANSWER_DEPTH = 256
"""The same for nodeos' answers: decoded actions (32 deep, as nodeos limits them) within traces within each other."""
SIZE = 64 << 20
"""Bytes."""
DIGITS = 64
"""Characters of a number: a uint128 has 39."""

_HALF = re.compile("[\ud800-\udfff]")


def read_json(source: bytes | str, *, size: int = SIZE, depth: int = DEPTH) -> Any:
    """The value of a JSON text. size: its longest, in bytes (characters of a str). Raises BadJson."""
    if len(source) > size:
        raise BadJson(f"longer than {size} bytes")
    try:
        text = source if isinstance(source, str) else source.decode("utf-8-sig")
        value = json.loads(text, parse_int=_integer, parse_float=_float, parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise BadJson(f"not JSON: byte {error.start} is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise BadJson(f"line {error.lineno}: not JSON ({error.msg})") from error
    except RecursionError as error:
        raise BadJson(f"nested deeper than {depth}") from error
    except MemoryError as error:
        raise BadJson("larger than this machine's memory") from error
    check_depth(value, depth)
    halves = not text.isascii() and _HALF.search(text)  # the search takes longer than the reading, and blocks are ASCII
    escaped = "\\" in text and "\\u" in text  # hex digits make the search for two characters slow
    if halves or (escaped and _HALF.search(json.dumps(value, ensure_ascii=False))):
        raise BadJson("not Unicode: a half of a surrogate pair stands alone")
    return value


def read_object(source: bytes | str, *, size: int = SIZE, depth: int = DEPTH) -> dict[str, Any]:
    """The same, for objects only: a list, a number or null is a BadJson, too."""
    value = read_json(source, size=size, depth=depth)
    if not isinstance(value, dict):
        raise BadJson("not a JSON object")
    return value


def check_depth(value: Any, depth: int = DEPTH) -> None:
    """Checks the nesting depth of objects and arrays without recursion. Raises BadJson."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(depth):
        if not level:
            return
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    if level:
        raise BadJson(f"nested deeper than {depth}")


def _integer(text: str) -> int:
    if len(text) > DIGITS:
        raise BadJson(f"a number of {len(text)} digits")
    return int(text)


def _float(text: str) -> float:
    if len(text) > DIGITS:
        raise BadJson(f"a number of {len(text)} characters")
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise BadJson(f"{text} is beyond any number")
    return number


def _constant(text: str) -> float:
    raise BadJson(f"{text} is not JSON")
