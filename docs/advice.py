"""What the page of messages says besides the messages: where to look, and what helps where a line is too short."""

from __future__ import annotations

from collections.abc import Mapping

INTRODUCTION = """\
# Troubleshooting

Every message by which `coord` and `agent` refuse or fail, what preflight finds, and what `coord status --check` calls
wrong, so that you can search this page for the one that you see.
`…` stands for a name, number, path or reason. The page is made from the code that has the messages.

First of all:

- `coord status INVENTORY` shows hosts, nodes, heads and steps; `--check` ends with 1 and says why if all is not well;
  `--why STEP` says what a step waits for.
- `coord logs INVENTORY` shows the logs of all nodes and agents, merged; with names (a node, agent@HOST) only theirs.
- `coord preflight INVENTORY` looks at every host and changes nothing.
- Every command can be run again: what is done is not done twice. Exit status 2 means that the input was wrong and
  nothing was changed, 1 that something failed.
- `internal error: …; please report it with debug.log` is a fault of ours; debug.log has its cause.
"""

ADVICE: Mapping[str, str] = {}
"""A line more for a message (its text with `…`), where there is more to say than fits into the message."""
