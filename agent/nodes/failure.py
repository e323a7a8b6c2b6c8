"""Why a nodeos ended, read from its log: its exit status says little and differs between versions."""

from __future__ import annotations

import re
import signal

from agent.errors import BadConfiguration, Crashed, NodeFault, NotAnswering, Unfinished
from agent.nodes.signs import OPTIONS, SIGNS
from support.nodewords import Said, redact

LINES = 300
"""Number of last lines of a run's log, in which nodeos says why it ends."""
_A_PEERS = re.compile(r" net_plugin\.cpp:\d++ ++(?!plugin_|operator\(\) ++\] net_plugin::plugin_startup )")
"""Lines that quote what others sent."""
_FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_HINTS = {
    signal.SIGBUS: "; most often its disk is full",
    signal.SIGXFSZ: ": it may not write files so large (ulimit -f)",
    signal.SIGILL: ": this machine's processor lacks what it was built for",
    signal.SIGFPE: "; most often an option is 0 that may not be",
}


def explain(name: str, log: str, ended: int | None = None) -> NodeFault:
    """The fault of a nodeos that ended, from the log of its last run. Private keys are left out.

    ended: its exit status, or minus a signal's number, where it is known.
    """
    said, own = Said.of(log), "\n".join(line for line in log.splitlines()[-LINES:] if not _A_PEERS.search(line))
    for sign in SIGNS:
        if found := re.search(sign.words, own, re.IGNORECASE):
            groups = [group or "" for group in (found[0], *found.groups())]
            text = sign.text.format(*(group.strip() for group in groups), said=said.explanation)
            return sign.kind(f"node {name}: {redact(text)}")
    kind, text = _without_a_sign(said, ended)
    return kind(f"node {name}: {text}")


def _without_a_sign(said: Said, ended: int | None) -> tuple[type[NodeFault], str]:
    if said.refused:
        return BadConfiguration, f"its nodeos says: {said.explanation}; {OPTIONS}"
    if said.explanation:
        return NotAnswering, f"nodeos ended; it says: {said.explanation}"
    if ended is not None and ended < 0:
        name = signal.Signals(-ended).name
        if -ended in _FROM_OUTSIDE:
            memory = " (by hand, or by the system for want of memory)" if -ended == signal.SIGKILL else ""
            return Unfinished, f"nodeos was killed by {name}{memory}"
        return Crashed, f"nodeos crashed ({name}{_HINTS.get(signal.Signals(-ended), '')}): see its log"
    if said.shut_down:
        return Unfinished, "nodeos shut down after a SIGTERM that the agent did not send, or by itself: see its log"
    if ended:
        return NotAnswering, f"nodeos ended with status {ended} and without a reason: see its log"
    return Unfinished, "nodeos was killed, or crashed" if said.anything else "nodeos ended and logged nothing"
