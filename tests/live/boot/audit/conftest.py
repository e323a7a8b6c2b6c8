"""The booted chain on which the audit is tested; the driver of the steps' live test boots it."""

from __future__ import annotations

from tests.live.boot.test_sequence import driver

__all__ = ["driver"]
