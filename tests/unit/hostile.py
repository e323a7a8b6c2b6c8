"""Documents that strangers change: hypothesis puts something else into the place of one of their parts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")
_MARK = "the part that is exchanged"

RAW = (
    "[" * 5_000 + "]" * 5_000,
    '{"a":' * 600 + "1" + "}" * 600,
    "1" + "0" * 400,
    "-1" + "0" * 5000,
    "1" + "0" * 30,
    "1e400",
    "1e308",
    "0.5",
    "-1",
    "NaN",
    "-Infinity",
    '"\\ud800"',
    '"' + "a" * 2000 + '"',
    '"' + "9" * 5000 + '"',
    '"9999-12-31T23:59:59.999"',
    '"\\u0000"',
    "null",
    "true",
    "[]",
    "{}",
)
"""Texts that stand where a value is expected."""

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def mutated(draw: st.DrawFn, document: Any) -> str:
    """The JSON of a document with one part of it, anywhere, exchanged or left out."""
    found = json.loads(json.dumps(document))
    place = found
    while True:
        key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        inner = place[key]
        if isinstance(inner, dict | list) and inner and draw(st.booleans()):
            place = inner
            continue
        if draw(st.integers(0, 9)) == 0:
            del place[key]
            return json.dumps(found)
        place[key] = _MARK
        text = draw(st.sampled_from(RAW) | VALUES.map(json.dumps))
        return json.dumps(found).replace(f'"{_MARK}"', text)


def outcome(work: Callable[[], T], *refusals: type[Exception]) -> T | None:
    """What it returns; None when it refuses with one of these errors, in a line that is not long. Others pass."""
    try:
        return work()
    except refusals as error:
        said = str(error)
    assert len(said) < 1000
    return None
