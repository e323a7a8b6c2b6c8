"""Finds inventories by what is in them, for completion."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from click.shell_completion import CompletionItem

_INVENTORY = re.compile(rb"^\s*\[?\s*network\s*[].=]", re.MULTILINE)
_LOOKED = 64 << 10
"""Bytes of a file in which its [network] is looked for."""


def inventories(incomplete: str) -> list[CompletionItem]:
    """The inventories whose path begins so, here and one folder below; where there is none, the shell offers files."""
    before = incomplete[: incomplete.rfind("/") + 1]
    folder = Path(before or ".")
    found: list[str] = []
    with suppress(OSError):
        paths = [*folder.glob("*.toml"), *folder.glob("*/*.toml")]
        texts = {path: before + str(path.relative_to(folder)) for path in paths}
        found = sorted(text for path, text in texts.items() if text.startswith(incomplete) and is_inventory(path))
    return [CompletionItem(text) for text in found] or [CompletionItem(incomplete, type="file")]


def is_inventory(path: Path) -> bool:
    """Whether a file begins as an inventory does."""
    try:
        with path.open("rb") as file:
            return bool(_INVENTORY.search(file.read(_LOOKED)))
    except OSError:
        return False
