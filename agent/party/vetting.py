"""Whether a party's agent can use a sealed network: all of it is read, in a cage, before any of it is kept.

An accepted network is kept for good, and it comes from a coordinator that the party has no reason to trust. So one that
cannot work, or that would cost the agent memory and time from then on, must be refused beforehand.
"""

from __future__ import annotations

from pathlib import Path

from agent.errors import DutyError
from agent.party.sealed_check import check
from support.cage import Budget, CageError, caged


def budget(size: int) -> Budget:
    """The budget for documents of this size in bytes: thirty times the memory, and a second of CPU for each 256 KiB."""
    seconds = 20 + size // (256 << 10)
    return Budget(memory=min((128 << 20) + 30 * size, 2 << 30), cpu=seconds, seconds=3.0 * seconds)


async def vet(folder: Path, manifest: str, whole: bool) -> None:
    """Reads the sealed document in an agent's folder of artifacts; whole: the artifacts that it names as well.

    Raises DutyError where it cannot be worked with.
    """
    size = sum(path.stat().st_size for path in folder.glob("*")) if whole else (folder / manifest).stat().st_size
    try:
        await caged(check, {"folder": str(folder), "manifest": manifest, "whole": whole}, budget(size))
    except CageError as error:
        raise DutyError(f"refused: the sealed network {manifest[:16]}… cannot be used: {error}") from error
