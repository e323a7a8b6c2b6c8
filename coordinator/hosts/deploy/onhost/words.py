"""Extracts a program's error message from its output: the lines that explain, without the noise."""

from __future__ import annotations

import re

MOST = 1500
"""Maximum number of characters that are shown."""
FEW = 6
"""Up to this many lines are all shown; of more, only those that mention an error."""

# Lines that do not explain the cause: pointers to logs, notices, tracebacks' locations, locale warnings.
_NOISE = re.compile(
    r"^\s*$"
    r"|^Traceback \(most recent call last\):|^  File \"|^    |^  \.\.\.|^\s+\^+\s*$"
    r"|^Current thread 0x|^  <no Python frame>|^Python runtime state: "
    r"|^The above exception was the direct cause|^During handling of the above exception"
    r"|^See .* for details\.$|^This incident (has been|will be) reported"
    r"|^Sorry, try again\.$|^sudo: (\d+ incorrect password attempts?|no password was provided)$"
    r"|^sudo: unable to resolve host "
    r"|^perl: warning:|^(\S*bash|\S*sh): (line \d+: )?warning: setlocale:"
    r"|^We trust you have received the usual lecture|^Administrator\. It usually boils down"
    r"|^For security reasons, the password you type|^\s+#\d\) |^Pseudo-terminal will not be allocated"
    r"|^(Starting|Started|Stopping|Stopped|Failed to start) .*\.(service)?( - .*)?(\.\.\.|\.)?$"
    r"|^\S+\.service: (Main process exited, code=exited|Failed with result|Scheduled restart job|Consumed )"
)
_ELSEWHERE = re.compile(r" See ['\"].*['\"] for details\.$")
_TELLING = re.compile(
    r"error|fail|denied|cannot|can't|could not|not found|no such|not permitted|refus|invalid|unable|must|exception"
    r"|expired|killed|fault|full|left on device|not allowed|required|sorry|unknown|unrecogni|missing|too ",
    re.IGNORECASE,
)
_PASSWORD = re.compile(r"^sudo: \d+ incorrect password attempts?$")


def last_words(output: bytes) -> str:
    """The lines that explain, joined by "; ", of everything that a program wrote; printable characters only."""
    lines = [_ELSEWHERE.sub("", line.rstrip()) for line in output.decode("utf-8", "replace").splitlines()]
    telling = [line for line in lines if not _NOISE.match(line)]
    if not telling:  # nothing else reports a wrong password
        telling = [line for line in lines if _PASSWORD.match(line)] or [line for line in lines if line.strip()][-1:]
    if len(telling) > FEW:
        telling = [line for line in telling if _TELLING.search(line)][-FEW:] or telling[-FEW:]
    return _printable("; ".join(dict.fromkeys(line.strip() for line in telling)))


def ended(status: int) -> str:
    """How a program without output ended."""
    names = {126: "it cannot be executed", 127: "it was not found", 137: "it was killed", 139: "it crashed"}
    return names.get(status if status >= 0 else 128 - status, f"it ended with status {status}")


def _printable(text: str) -> str:
    shown = "".join(character if character.isprintable() else " " for character in text)
    return shown if len(shown) <= MOST else shown[:MOST] + " …"
