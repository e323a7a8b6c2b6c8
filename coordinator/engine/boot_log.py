"""The command log: every action of the boot as a cleos command, with its transaction id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path


class BootLog:
    """`.coord/NETWORK/boot.log`, appended to during the boot."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def commands(self, step: str, lines: Sequence[str]) -> None:
        """Writes commands that are not transactions."""
        self.transactions(step, [(lines, "", 0)])

    def transactions(self, step: str, made: Iterable[tuple[Sequence[str], str, int]]) -> None:
        """Writes (commands, id, block) of transactions; the id is empty for an API call, which has no transaction."""
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with self._path.open("a", encoding="utf-8") as log:
            for lines, transaction, block in made:
                where = f" transaction={transaction} block={block}" if transaction else ""
                log.write("\n".join((f"# {stamp} step={step}{where}", *lines, "")))
