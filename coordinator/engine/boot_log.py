"""The command log: every action of the boot as a cleos command, with its transaction id."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path


class BootLog:
    """`.coord/NETWORK/boot.log`, appended to as things happen."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def commands(self, step: str, lines: Sequence[str], transaction: str = "", block: int = 0) -> None:
        """Writes the commands of one transaction or call. block: the number of the block that has it; 0: none."""
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        where = f" transaction={transaction} block={block}" if transaction else ""
        with self._path.open("a", encoding="utf-8") as log:
            log.write(f"# {stamp} step={step}{where}\n")
            log.writelines(line + "\n" for line in lines)
