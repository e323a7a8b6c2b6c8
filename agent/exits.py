"""Exit statuses of `agent`."""

FAILED = 1
"""The operation failed."""
WRONG = 2
"""The input or usage is wrong."""
ENDED = 3
"""A party's access was ended. Its systemd unit does not restart the agent after this status."""
