"""The booted chain that the audit is tried on: the steps' own live test drives it there."""

from __future__ import annotations

from tests.live.boot.test_sequence import driver

__all__ = ["driver"]
