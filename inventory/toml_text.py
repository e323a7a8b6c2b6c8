"""Reads TOML within bounds: inventories, an agent's configuration, a party's settings and policy."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from antelope.errors import BadJson
from antelope.strict_json import check_depth

LARGEST = 4 << 20
"""Maximum bytes. An inventory of hundreds of hosts is about 100 kB."""
DEPTH = 16
"""Maximum nesting of tables and arrays."""


class BadToml(ValueError):
    """Not TOML, or beyond bounds; the message continues the file's name: "is not TOML: …"."""


def read_toml(data: bytes) -> dict[str, Any]:
    """The values of a TOML file. Raises BadToml."""
    if len(data) > LARGEST:
        raise BadToml(f"is larger than {LARGEST >> 20} MiB")
    try:
        text = data.decode("utf-8-sig")  # some editors begin a file with a byte order mark
        found = tomllib.loads(text)
        check_depth(found, DEPTH)
    except UnicodeDecodeError as error:
        raise BadToml(f"is not UTF-8 (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise BadToml(f"is not TOML: {_lower(str(error))}") from error
    except (RecursionError, BadJson) as error:
        raise BadToml("is nested too deeply") from error
    except ValueError as error:  # Python limits the digits of a number
        raise BadToml("contains a number with thousands of digits") from error
    return found


def _lower(text: str) -> str:
    return re.sub(r"^[A-Z]", lambda match: match[0].lower(), text)
