"""Tells whether work that takes seconds runs on the event loop, where everything else would have to wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def recording(work: Callable[P, T], on_loop: list[bool]) -> Callable[P, T]:
    """The same work, which first notes whether it was called on an event loop's thread."""

    def noting(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            asyncio.get_running_loop()
            on_loop.append(True)
        except RuntimeError:
            on_loop.append(False)
        return work(*args, **kwargs)

    return noting
