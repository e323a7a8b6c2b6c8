"""Turns the result of a nodeos trial into text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from support.nodewords import Said

OWN = 'correct the options of these nodes, install another nodeos there, or write nodeos = "bundled"'
OPTIONS = "correct the options in the inventory (nodeos.options, or the role's or the node's own)"
NOEXEC = (
    'mount it with exec, name a folder elsewhere (hosts.data), or write eos-vm-oc-enable = "none" in nodeos.options'
)
OPT = "mount it with exec, and let root write there: agent and bundled nodeos lie in /opt/bootcoord"
SLOW = "give this again when the machine has less to do; if it always says so, see what is wrong with that nodeos"
WRAPPER = "it is a script that starts nodeos beside itself: signals that others send to it do not reach nodeos"
EXEC = "let it start nodeos with exec, as its last line"


def told(looked: Mapping[str, Any]) -> str:
    """Why it cannot be used, with the line of nodeos that explains it."""
    said = Said.of(str(looked["log"])).explanation
    whose = f"as {looked['nodes']} would run: " if looked["nodes"] and said else ""
    where = ", on a file system that is mounted noexec" if looked["noexec"] else ""
    return f"{whose}{looked['error']}{where}{f': {said}' if said else ''}"
