"""Why an agent does not carry a task out."""

from __future__ import annotations


class DutyError(Exception):
    """The agent refuses, or cannot do it. One line: what, why, what to do."""

    def __init__(self, message: str, retryable: bool = False) -> None:
        """retryable: worth another try without anybody's help."""
        super().__init__(message)
        self.retryable = retryable
