"""Reads small records that were written as JSON: flat dataclasses of text, numbers and truth values."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from typing import Any, TypeVar, get_type_hints

T = TypeVar("T")
LARGEST = 1 << 63
"""Greater than every number in a record."""


def record_of(kind: type[T], data: bytes) -> T:
    """The dataclass of this JSON, each field of its own type. Raises ValueError."""
    try:
        values = json.loads(data)
        hints = get_type_hints(kind)
        if not all(_fits(values[field.name], hints[field.name]) for field in fields(kind) if field.name in values):  # type: ignore[arg-type]
            raise ValueError(f"a field of {kind.__name__} is of another type")
        return kind(**values)
    except (TypeError, RecursionError) as error:
        raise ValueError(f"not a record of {kind.__name__}") from error


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value is of that type, can be printed, and is not larger than any that is written."""
    if kind is str:
        return isinstance(value, str) and value.isprintable()
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and abs(value) < LARGEST
    return isinstance(value, int | float) and abs(value) < LARGEST and math.isfinite(value)
