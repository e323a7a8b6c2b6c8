"""Exit statuses of `agent`."""

FAILED = 1
"""The operation failed."""
WRONG = 2
"""The input or usage is wrong."""
ENDED = 3
"""A party's access was ended, so that starting its agent again would not help (its unit knows that number)."""
