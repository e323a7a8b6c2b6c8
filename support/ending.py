"""Why an agent ended by itself, for the command that started it.

A JSON object in the agent's data folder, beside the record of its process. The file does not exist while the agent
runs, nor after a signal or a crash ended it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from support.files import write_atomic

FILE = "ended.json"
"""The file's name in an agent's data folder."""
MOST = 4096
"""Maximum bytes of such a file that are read."""


@dataclass(frozen=True)
class Ending:
    """The end of an agent."""

    reason: str
    """One line for a person."""

    def write(self, data: Path) -> None:
        """Writes it into an agent's data folder. Raises OSError."""
        text = json.dumps({"reason": self.reason[: MOST // 8]})  # an escaped character takes at most 6 bytes
        write_atomic(data / FILE, text.encode())

    @staticmethod
    def read(data: Path) -> Ending | None:
        """Reads it from the agent's data folder; None if there is nothing readable."""
        try:
            with (data / FILE).open("rb") as file:
                document = json.loads(file.read(MOST))
        except (OSError, ValueError, RecursionError):
            return None
        reason = document.get("reason") if isinstance(document, dict) else None
        return Ending(reason) if isinstance(reason, str) and reason else None

    @staticmethod
    def forget(data: Path) -> None:
        """Removes it, because the agent is started again. Raises OSError."""
        (data / FILE).unlink(missing_ok=True)
