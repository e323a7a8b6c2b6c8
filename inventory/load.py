"""Reads an inventory file."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from inventory.errors import InventoryError, Problem, Problems
from inventory.network import Network
from inventory.parse import MISSING, structure
from inventory.proof import prove
from inventory.resolve import resolve

_LARGEST = 4 << 20
"""Bytes; an inventory of hundreds of hosts is about 100 kB."""


def load(path: str | Path) -> Network:
    """The network that an inventory file describes. Raises InventoryError with everything that is wrong with it.

    Apart from the file itself it reads only the users.csv that the file names. A plan that cannot work is a mistake as
    well: see `prove`.
    """
    shown, document = str(path), _read(Path(path))
    problems = Problems()
    inventory, found = structure(document)
    problems.extend(found)
    if inventory is None:
        raise InventoryError(shown, problems.found)
    problems.told([problem.path for problem in found if problem.message == MISSING])
    network = resolve(inventory, Path(path).absolute(), problems)
    problems.check(shown)
    problems.extend(prove(network).problems)
    problems.check(shown)
    return network


def _read(path: Path) -> dict[str, Any]:
    def refuse(message: str, hint: str = "") -> InventoryError:
        return InventoryError(path, [Problem("", message, hint)])

    try:
        if path.stat().st_size > _LARGEST:
            raise refuse(f"is larger than {_LARGEST >> 20} MiB", "is this an inventory?")
        data = path.read_bytes()
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror}") from error
    try:
        return tomllib.loads(data.decode("utf-8-sig"))  # some editors begin a file with a byte order mark
    except UnicodeDecodeError as error:
        raise refuse(f"is not UTF-8 (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise refuse(f"is not TOML: {_lower(str(error))}") from error
    except ValueError as error:  # Python limits the digits of a number
        raise refuse("contains a number with thousands of digits") from error
    except RecursionError as error:
        raise refuse("is nested too deeply") from error


def _lower(text: str) -> str:
    return re.sub(r"^[A-Z]", lambda match: match[0].lower(), text)
