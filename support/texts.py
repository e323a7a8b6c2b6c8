"""Words of others, made fit for a log or a terminal."""

from __future__ import annotations


def plain(text: str, most: int = 300) -> str:
    """One line without control characters: its writer can neither fake a line nor steer a terminal."""
    return "".join(character if character.isprintable() else " " for character in text[:most])
