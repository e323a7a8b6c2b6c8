"""Makes text from elsewhere safe for a log or a terminal."""

from __future__ import annotations


def plain(text: str, most: int = 300) -> str:
    """One line without control characters, so that it can neither fake a log line nor control a terminal."""
    return "".join(character if character.isprintable() else " " for character in text[:most])
