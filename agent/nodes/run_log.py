"""What nodeos logs, run by run: the agent marks in the log where each run begins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent.nodes.witness import last_stamp

_BEGIN = "---- bootcoord starts nodeos "
RUN_BYTES = 1 << 20
"""Bytes of a run's log that are read at most: the last ones."""
END_BYTES = 1 << 18
"""Bytes at the end of the log in which times are looked for."""


@dataclass(frozen=True)
class RunLog:
    """The log of one node (log/nodeos.log)."""

    path: Path

    def begin(self, command: Sequence[str]) -> None:
        """Marks where a run begins, and by which command (which holds no secret). Raises OSError."""
        self.path.parent.mkdir(exist_ok=True)
        with self.path.open("a") as file:
            file.write(f"{_BEGIN}{datetime.now(UTC).isoformat(timespec='milliseconds')} {' '.join(command)}\n")

    def last_run(self) -> str:
        """What the node logged in its last run, the last bytes only."""
        _before, mark, run = self._end(RUN_BYTES).rpartition(_BEGIN)
        return run.partition("\n")[2] if mark else run

    @property
    def began(self) -> float | None:
        """When the last run began, in Unix seconds; None if the log does not reach back that far."""
        marks = re.findall(re.escape(_BEGIN) + r"(\S+)", self._end(END_BYTES))
        try:
            return datetime.fromisoformat(marks[-1]).timestamp() if marks else None
        except ValueError:
            return None

    @property
    def last_words_at(self) -> float | None:
        """When nodeos wrote the last line, in Unix seconds; None if there is none."""
        return last_stamp(self._end(END_BYTES))

    def _end(self, most: int) -> str:
        try:
            with self.path.open("rb") as file:
                file.seek(max(0, self.path.stat().st_size - most))
                return file.read(most).decode("utf-8", "replace")
        except FileNotFoundError:
            return ""
