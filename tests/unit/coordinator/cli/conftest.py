"""A home for commands, and their output."""

from __future__ import annotations

import pytest

from tests.unit.coordinator.home import home

__all__ = ["home"]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    """What is printed."""
    return capsys
