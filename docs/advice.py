"""The text of the page of messages besides the messages themselves: where to look first, and additional advice."""

from __future__ import annotations

from collections.abc import Mapping

INTRODUCTION = """\
# Troubleshooting

Search this page for the message that you see. It has every message with which `coord` and `agent` refuse or fail,
what preflight finds, and what `coord status --check` calls wrong. `…` stands for a name, number, path or reason.
The page is generated from the code.

First of all:

- `coord status INVENTORY` shows hosts, nodes, heads and steps. `--check` ends with status 1, and says why, if something
  is wrong; `--why STEP` says what a step waits for.
- `coord logs INVENTORY` shows the logs of all nodes and agents, merged; with names (a node, agent@HOST) only theirs.
- `coord preflight INVENTORY` looks at every host and changes nothing.
- Every command can be run again: what is done is not done twice. Exit status 2 means that the input was wrong and
  nothing was changed, 1 that something failed.
- `internal error: …; please report it with debug.log` is a fault of ours; debug.log has its cause.
"""

ADVICE: Mapping[str, str] = {}
"""Additional advice by message (its text with `…`), for what does not fit into the message."""
