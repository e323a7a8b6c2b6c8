"""What a trial of a nodeos came to, for a person."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from coordinator.hosts.deploy.onhost.words import last_words

OWN = 'correct the options of these nodes, install another nodeos there, or write nodeos = "bundled"'
OPTIONS = "correct the options in the inventory (nodeos.options, or the role's or the node's own)"
NOEXEC = (
    'mount it with exec, name a folder elsewhere (hosts.data), or write eos-vm-oc-enable = "none" in nodeos.options'
)
OPT = "mount it with exec, and let root write there: agent and bundled nodeos lie in /opt/bootcoord"
WRAPPER = "it is a script that starts nodeos beside itself, where SIGTERM does not reach it"
EXEC = "let it start nodeos with exec, as its last line"


_EXCEPTION = re.compile(r"\] \d+ \w+_exception: (.*)")
_STANDARD = re.compile(r"std::exception::what: (.*)|\] 13 N?St?\w+: (.*)")
_LOGGED = re.compile(r"(debug|info|warn|error) +\d{4}-")


def explanation(log: str) -> str:
    """The line in which a nodeos explains its end: below an exception's title, or its own words, or the loader's."""
    lines = log.splitlines()
    for number in range(len(lines) - 1, -1, -1):
        if found := _EXCEPTION.search(lines[number]):
            below = lines[number + 1] if number + 1 < len(lines) else ""
            return found[1] if not below or below[0].isspace() or _LOGGED.match(below) else below
        if standard := _STANDARD.search(lines[number]):
            return next(filter(None, standard.groups()), "")
    unlogged = "\n".join(line for line in lines if not _LOGGED.match(line))
    return last_words((unlogged or "\n".join(lines[-3:])).encode())


def told(looked: Mapping[str, Any]) -> str:
    """Why it cannot be used, with the line in which nodeos explains it."""
    said = explanation(str(looked["log"]))
    whose = f"as {looked['nodes']} would run: " if looked["nodes"] and said else ""
    where = ", on a file system that is mounted noexec" if looked["noexec"] else ""
    return f"{whose}{looked['error']}{where}{f': {said}' if said else ''}"
