"""Finds the log line that explains why a nodeos ended.

nodeos writes an exception as `NUMBER NAME_exception: TITLE`, then a line with the explanation, then values and places
in its code, and at the very end the title again. A script in its place, or the loader, writes plain lines.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

_PLACES = 20
"""Lines below an exception in which nodeos lists the places in its code that it passed."""
_MOST = 300
"""Maximum characters of an explanation."""

_SECRET = re.compile(r"5[HJK][1-9A-HJ-NP-Za-km-z]{49}|PVT_[A-Z0-9]+_[1-9A-HJ-NP-Za-km-z]+")
_LEVEL = re.compile(r"(debug|info|warn|error)  ?\d{4}-")
_JOURNAL = re.compile(r"^<\d>")
"""A line's level once more, below systemd."""
_ORIGIN = re.compile(r"^(?:debug|info|warn|error) +\S+ +\S+ +\S+ +\S+ +\] ")
"""Of a line: level, time, thread, file:line, function."""
_EXCEPTION = re.compile(r"\b\d+ (\w+_exception): (.*)")
_OF_OPTIONS = ("plugin_config_exception", "wasm_exception")
_STANDARD = re.compile(r"\] 13 N?St?\w+: (.*)|std::exception::what: (.*)|\] 13 \w+: (.*)")
_IDLE = ("net_plugin", "Not producing block because", "plugin_shutdown", "exit shutdown", "http_session")
"""Lines of errors that do not explain the end, such as those about peers that come and go."""
_ADVICE = re.compile(r",? please use (?:leap|spring)-util\b.*")
"""These programs need not be on the host."""


@dataclass(frozen=True)
class Said:
    """A nodeos' last words."""

    explanation: str
    """The line that says why it ended; empty if there is none."""
    refused: bool
    """Whether the line explains a configuration that nodeos rejects."""
    shut_down: bool
    """Whether it ended normally."""
    anything: bool

    @staticmethod
    def of(log: str) -> Said:
        """From the log of one run."""
        lines = [_JOURNAL.sub("", line.rstrip()) for line in log.splitlines() if line.strip()]
        explanation, refused = _exception(lines)
        if not explanation:
            explanation = _plain_words(lines) or _error(lines[-20:])
        shut_down = any("plugin_shutdown" in line for line in lines[-5:])
        return Said(redact(_ADVICE.sub("", explanation))[:_MOST], refused, shut_down, bool(lines))


def _exception(lines: list[str]) -> tuple[str, bool]:
    """The explanation of the last exception that ended it, and whether its configuration is the cause."""
    for number in range(len(lines) - 1, -1, -1):
        if lines[number][:1].isspace() or lines[number].startswith('{"'):
            continue
        if standard := _STANDARD.search(lines[number]):
            return next(filter(None, standard.groups()), ""), False
        found = _EXCEPTION.search(lines[number])
        initialising = "plugin_initialize" in lines[number]
        if found and (initialising or "net_plugin" not in lines[number]):
            below = lines[number + 1] if number + 1 < len(lines) else ""
            told = below if below and not below[0].isspace() and not _LEVEL.match(below) else found[2]
            place = lines[number] if initialising else _initialised(lines[number + 1 : number + _PLACES])
            return told, found[1] in _OF_OPTIONS or ("plugin_initialize" in place and "chain_plugin" not in place)
    return "", False


def _initialised(below: list[str]) -> str:
    """Spring reports an exception only at its end. Returns the place below it that shows a plugin's initialisation."""
    frames = itertools.takewhile(lambda line: not _LEVEL.match(line), below)
    return next((line for line in frames if line[:1].isspace() and line.endswith(" plugin_initialize")), "")


def _plain_words(lines: list[str]) -> str:
    """The last line, if a script in nodeos' place or the loader wrote it; else empty."""
    last = lines[-1] if lines else ""
    midst = _LEVEL.match(last) or any(_LEVEL.match(line) for line in lines[-40:])
    return "" if midst else last.strip()


def _error(lines: list[str]) -> str:
    errors = [line for line in lines if line.startswith("error") and not any(part in line for part in _IDLE)]
    return _ORIGIN.sub("", errors[-1]).strip() if errors else ""


def redact(text: str) -> str:
    """The text without private keys, which nodeos logs when it does not understand a signature-provider."""
    return _SECRET.sub("(private key)", text)
