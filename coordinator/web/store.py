"""What viewers are sent: sections that are replaced, and logs that grow. Each has the number of its last change.

A viewer sends the number that it has, and gets everything newer in one message. So there are no queues: a viewer that
reads slowly, or comes back after a while, gets the newest state and the missing part of the logs. If its number is from
another coordinator, or older than the logs, it gets the whole state.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import dropwhile

from coordinator.web.model import PublicEvent, PublicLag, PublicView, plain

EVENTS = 200
"""Events that are kept."""
LAGS = 900
"""Points of the lag that are kept: a quarter of an hour at one a second."""


@dataclass(frozen=True)
class Message:
    """What one viewer is sent."""

    id: str
    data: str
    """JSON: `whole` (whether it replaces everything), `sections` by name, and what is new in `events` and `lag`."""


class Store:
    """The state of the page."""

    def __init__(self) -> None:
        self._epoch = secrets.token_hex(4)
        self._number = 0
        self._view: PublicView | None = None
        self._sections: dict[str, tuple[int, str]] = {}
        """By name: the number of its last change, and its JSON."""
        self._events: deque[tuple[int, str]] = deque(maxlen=EVENTS)
        self._lags: deque[tuple[int, str]] = deque(maxlen=LAGS)
        self._news = asyncio.Event()

    @property
    def view(self) -> PublicView | None:
        """The latest view; None before the first."""
        return self._view

    @property
    def id(self) -> str:
        """The latest message's."""
        return f"{self._epoch}-{self._number}"

    def update(self, view: PublicView, events: Iterable[PublicEvent] = (), lag: PublicLag | None = None) -> None:
        """Stores a new view, and the events since the last one."""
        self._number += 1
        before: Mapping[str, object] = self._view.sections if self._view else {}
        for name, section in view.sections.items():
            if name not in self._sections or before[name] != section:
                self._sections[name] = (self._number, _json(section))
        self._events.extend((self._number, _json(event)) for event in events)
        if lag:
            self._lags.append((self._number, _json(lag)))
        self._view = view
        self._news.set()
        self._news = asyncio.Event()

    async def news(self) -> None:
        """Waits for the next update."""
        await self._news.wait()

    def since(self, known: str) -> Message | None:
        """What is newer than the message with this id, or everything; None if there is nothing yet, or nothing new."""
        if not self._number or known == self.id:
            return None
        number = self._read(known)
        sections = ",".join(f'"{name}":{text}' for name, (at, text) in self._sections.items() if at > number)
        events, lags = (_newer(log, number) for log in (self._events, self._lags))
        whole = "false" if number else "true"
        return Message(self.id, f'{{"whole":{whole},"sections":{{{sections}}},"events":[{events}],"lag":[{lags}]}}')

    def _read(self, known: str) -> int:
        """The number in an id; 0 if it is not one that can be continued from."""
        epoch, _, number = known.partition("-")
        if epoch != self._epoch or not (number.isascii() and number.isdigit()) or len(number) > 12:
            return 0
        logs = (self._events, self._lags)
        oldest = max((log[0][0] for log in logs if len(log) == log.maxlen), default=1)
        return int(number) if oldest <= int(number) < self._number else 0


def _json(value: object) -> str:
    return json.dumps(plain(value), separators=(",", ":"))


def _newer(log: Iterable[tuple[int, str]], number: int) -> str:
    return ",".join(text for _, text in dropwhile(lambda entry: entry[0] <= number, log))
