"""Lines of several logs, put in the order of their times, with nodeos' chatter about connections folded. Pure.

nodeos writes `LEVEL TIME THREAD FILE:LINE FUNCTION ] TEXT`, an agent `TIME LEVEL TEXT`, both in UTC. A line of another
form belongs to the one before it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum


class Level(IntEnum):
    """How serious a line is."""

    DEBUG = 0
    INFO = 1
    WARN = 2
    ERROR = 3


_LEVELS = {
    "debug": Level.DEBUG,
    "info": Level.INFO,
    "warn": Level.WARN,
    "warning": Level.WARN,
    "error": Level.ERROR,
    "critical": Level.ERROR,
}
_TIME = r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})"
_NODEOS = re.compile(rf"(?:<\d>)?(?P<level>debug|info|warn|error) +{_TIME} ")
_AGENT = re.compile(rf"{_TIME}Z (?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL) ")
_START = re.compile(rf"---- bootcoord starts nodeos {_TIME}")

_CHATTER = re.compile(
    r"net_plugin\.cpp:\d+ .*\] "
    r"(?:.*closing$|.*Closing connection|.*Peer closed connection|Accepted new connection|.*Sending handshake"
    r"|.*handshake lib |p2p client connections|.*reason = duplicate|created connection|.*Local network version"
    r"|.*sending handshakes to everyone|old state )"
)
"""Lines about connections. In a mesh two nodes dial each other, and one of the two connections is closed every few
seconds.
"""


@dataclass(frozen=True, order=True)
class LogLine:
    """A line of one log."""

    time: str
    """UTC, ISO 8601 with milliseconds; of the line before it, if it has none itself; empty before the first."""
    source: str
    number: int
    """Of the line within what was read of its log."""
    level: Level = field(compare=False)
    text: str = field(compare=False)

    @property
    def chatter(self) -> bool:
        """Whether it only says that connections to peers were opened or closed."""
        return bool(_CHATTER.search(self.text))


class LineReader:
    """Cuts one log, which arrives in pieces, into lines."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._rest = b""
        self._time, self._level, self._number = "", Level.INFO, 0

    def feed(self, data: bytes) -> list[LogLine]:
        """The lines that are complete now."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [self._line(line) for line in lines]

    def end(self) -> list[LogLine]:
        """The last line, if no line break ends it."""
        rest, self._rest = self._rest, b""
        return [self._line(rest)] if rest else []

    def _line(self, raw: bytes) -> LogLine:
        text = raw.decode(errors="replace").rstrip("\r")
        if found := _NODEOS.match(text) or _AGENT.match(text):
            self._time, self._level = found["time"], _LEVELS[found["level"].lower()]
        elif found := _START.match(text):
            self._time, self._level = found["time"], Level.INFO
        self._number += 1
        return LogLine(self._time, self._source, self._number, self._level, text)


@dataclass(frozen=True)
class Folded:
    """A run of lines about connections, of one log or several."""

    counts: tuple[tuple[str, int], ...]
    """Log and number of lines, by name."""

    @property
    def total(self) -> int:
        """Number of lines."""
        return sum(count for _, count in self.counts)

    @property
    def text(self) -> str:
        """For a terminal."""
        parts = ", ".join(f"{source} {count}" for source, count in self.counts)
        of = f" ({parts})" if len(self.counts) > 1 else ""
        return f"... {self.total} line{'s' if self.total != 1 else ''} about connections to peers{of}"


def fold(lines: Iterable[LogLine]) -> Iterator[LogLine | Folded]:
    """The lines, with each run of chatter as one."""
    run: Counter[str] = Counter()
    for line in lines:
        if line.chatter:
            run[line.source] += 1
            continue
        if run:
            yield Folded(tuple(sorted(run.items())))
            run.clear()
        yield line
    if run:
        yield Folded(tuple(sorted(run.items())))


def last(items: Sequence[LogLine | Folded], count: int) -> Sequence[LogLine | Folded]:
    """The last of these."""
    return items[-count:] if count else ()


class InOrder:
    """Holds lines of logs that grow for a moment, so that those of a slower log still get their place."""

    def __init__(self, sources: Iterable[str], hold: float) -> None:
        """hold: seconds, from a line's arrival until it is released."""
        self._hold = hold
        self._silent = set(sources)
        self._held: list[tuple[float, LogLine]] = []

    def add(self, lines: Iterable[LogLine], now: float) -> None:
        """Lines that arrived now (seconds of any clock that only rises)."""
        for line in lines:
            self._silent.discard(line.source)
            self._held.append((now, line))

    def ended(self, source: str) -> None:
        """Records that this log has no more lines."""
        self._silent.discard(source)

    @property
    def waiting(self) -> bool:
        """Whether some log has had no lines yet."""
        return bool(self._silent)

    def release(self, now: float) -> list[LogLine]:
        """The lines that were held long enough, in order."""
        ready = sorted(line for arrived, line in self._held if now - arrived >= self._hold)
        self._held = [(arrived, line) for arrived, line in self._held if now - arrived < self._hold]
        return ready

    def drain(self) -> list[LogLine]:
        """All lines that are still held, in order."""
        return self.release(float("inf"))
