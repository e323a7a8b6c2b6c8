"""Names: up to 12 characters of [a-z1-5.] in 60 bits, and a 13th, one of 16 characters, in the last 4 bits.

Format: libraries/chain/include/eosio/chain/name.hpp of AntelopeIO/leap.
"""

from __future__ import annotations

import re
from functools import lru_cache

from antelope.errors import BadName

_CHARACTERS = ".12345abcdefghijklmnopqrstuvwxyz"
_VALUES = {character: value for value, character in enumerate(_CHARACTERS)}
_LAST_VALUES = 16
_ACCOUNT_NAME = re.compile(r"[a-z1-5.]{0,11}[a-z1-5]", re.ASCII)


@lru_cache(maxsize=1 << 16)
def name_to_int(text: str) -> int:
    """The 64-bit value of a name of up to 13 characters; the empty name is 0. Raises BadName."""
    if len(text) > 13:
        raise BadName(f"name {text[:40]!r} has more than 13 characters")
    value = 0
    for position, character in enumerate(text):
        bits = _VALUES.get(character)
        if bits is None:
            raise BadName(f"name {text!r} contains {character!r}; only a-z, 1-5 and '.' are allowed")
        if position < 12:
            value |= bits << (59 - 5 * position)
        elif bits >= _LAST_VALUES:
            raise BadName(f"name {text!r}: the 13th character may only be one of {_CHARACTERS[:_LAST_VALUES]}")
        else:
            value |= bits
    if text.endswith("."):
        raise BadName(f"name {text!r} ends with a dot")
    return value


@lru_cache(maxsize=1 << 16)
def pack_name(text: str) -> bytes:
    """A name as 8 bytes. Raises BadName."""
    return name_to_int(text).to_bytes(8, "little")


@lru_cache(maxsize=1 << 16)
def int_to_name(value: int) -> str:
    """The text of a 64-bit name value. Raises BadName when it is not 64 bits."""
    if not 0 <= value < 1 << 64:
        raise BadName(f"{value} is not a 64-bit name value")
    text = "".join(_CHARACTERS[(value >> (59 - 5 * position)) & 31] for position in range(12))
    return (text + _CHARACTERS[value & 15]).rstrip(".")


def is_name(text: str) -> bool:
    """Whether it is a valid account name: 1 to 12 of [a-z1-5.], not ending with a dot."""
    return _ACCOUNT_NAME.fullmatch(text) is not None


def check_name(text: str) -> str:
    """The text itself if it is a valid account name. Raises BadName with the reason otherwise."""
    if is_name(text):
        return text
    if not text:
        raise BadName("a name cannot be empty")
    if len(text) > 12:
        raise BadName(f"name {text[:40]!r} has more than 12 characters")
    name_to_int(text)
    raise BadName(f"{text!r} is not a name")
