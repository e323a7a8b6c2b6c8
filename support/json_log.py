"""Log lines as JSON: one object per line, with its subject beside the message."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from support.texts import plain

LINE_LIMIT = 4000
"""Maximum characters of a message."""
_about: ContextVar[Mapping[str, str]] = ContextVar("about", default={})  # noqa: B039 (never written to)


def subject() -> Mapping[str, str]:
    """The subjects of everything that is logged now."""
    return _about.get()


@contextmanager
def about(**more: str) -> Iterator[None]:
    """Adds subjects, such as step="accounts", to whatever this block and the tasks that it starts log."""
    token = _about.set({**_about.get(), **more})
    try:
        yield
    finally:
        _about.reset(token)


class JsonLines(logging.Formatter):
    """One JSON object per line: time (UTC), level, subjects, message, and the traceback of a fault."""

    def __init__(self, about: Mapping[str, str]) -> None:
        """about: subjects of every line, such as network and host."""
        super().__init__()
        self._always = dict(about)

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z",
            "level": record.levelname.lower(),
            **self._always,
            **_about.get(),
            "message": plain(record.getMessage(), LINE_LIMIT),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
