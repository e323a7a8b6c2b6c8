"""Why a nodeos ended, read from what it wrote: its exit status says little and differs between versions."""

from __future__ import annotations

import re

from agent.errors import (
    BadConfiguration,
    DirtyDatabase,
    DiskFull,
    NodeFault,
    NotAnswering,
    OtherChain,
    PortTaken,
    Unfinished,
)

_PORT = re.compile(r"unable to listen on (\S+) .*Address already in use|failed to listen on (\S+?),|"
                   r"http service failed to start for (\S+?):")  # fmt: skip
_OPTION = re.compile(
    r"(Unknown option '[^']+'|unrecogni[sz]ed option '[^']+'|the argument .*for option '[^']+' is invalid)"
)
_SECRET = re.compile(r"5[HJK][1-9A-HJ-NP-Za-km-z]{49}|PVT_[A-Z0-9]+_[1-9A-HJ-NP-Za-km-z]+")
_LEVEL = re.compile(r"(debug|info|warn|error)  ?\d{4}-")
_ORIGIN = re.compile(r"^error +\S+ +\S+ +\S+ +\S+ +\] ")
"""Of a line: level, time, thread, file:line, function."""

_SIGNS: tuple[tuple[str, type[NodeFault], str], ...] = (
    ("does not match the existing genesis", OtherChain, "its data folder holds another chain (other genesis)"),
    ("database dirty flag set", DirtyDatabase, "its database is dirty: it was killed before"),
    ("code cache is dirty", DirtyDatabase, "its code cache is dirty: it was killed before"),
    ("database format not compatible", DirtyDatabase, "its database is damaged, or of another nodeos version"),
    ("exceeded file system configured threshold", DiskFull, "its disk is nearly full (nodeos' resource monitor)"),
    ("No space left on device", DiskFull, "its disk is full"),
    ("database_guard_exception", DiskFull, "its chain state database is full: raise chain-state-db-size-mb"),
    ("Action validate exception", BadConfiguration, "nodeos refuses the limits in genesis.json"),
)


def explain(name: str, log: str) -> NodeFault:
    """The fault of a nodeos that ended, from the log of its last run. Private keys are left out."""
    option = _OPTION.search(log)
    if option:
        return BadConfiguration(f"node {name}: its nodeos says: {option[1]}; change the inventory's options")
    port = _PORT.search(log)
    if port:
        return PortTaken(f"node {name}: {next(filter(None, port.groups()))} is taken: another program listens there")
    for sign, kind, text in _SIGNS:
        if sign.lower() in log.lower():
            return kind(f"node {name}: {text}")
    kind = NotAnswering if _errors(log) or not _in_midst(log) else Unfinished
    return kind(f"node {name}: {_last_words(log)}")


def _errors(log: str) -> list[str]:
    """Lines of errors; peers come and go."""
    return [line for line in log.splitlines() if line.startswith("error") and "net_plugin" not in line]


def _in_midst(log: str) -> bool:
    """Whether it ended while it logged as usual, and not with words of the system's or its own."""
    lines = [line for line in log.splitlines() if line.strip()]
    return not lines or bool(_LEVEL.match(lines[-1]))


def _last_words(log: str) -> str:
    last = [line for line in log.splitlines() if line.strip()][-5:]
    if (errors := _errors("\n".join(last))) or not _in_midst(log):
        line = _ORIGIN.sub("", (errors or last)[-1])
        return f"nodeos ended; its log ends: {redact(line)[:200]}"
    if any("plugin_shutdown" in line for line in last):
        return "nodeos ended after SIGTERM from somebody else, or by its own decision: see its log"
    return "nodeos was killed, or crashed" if last else "nodeos ended without a word"


def redact(text: str) -> str:
    """The text without private keys, which nodeos logs when it does not understand a signature-provider."""
    return _SECRET.sub("(private key)", text)
