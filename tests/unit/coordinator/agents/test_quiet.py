"""What grpc prints by itself: a user sees no traceback."""

from __future__ import annotations

import pytest
from grpc._cython import cygrpc  # type: ignore[attr-defined] # a C extension without types

from coordinator.agents.server import Unprinted


def test_grpc_prints_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    """It looks `traceback` up by this name in its module; what else it asks of it still answers."""
    assert isinstance(cygrpc.traceback, Unprinted)
    cygrpc.traceback.print_exc()
    assert capfd.readouterr().err == ""
    assert cygrpc.traceback.format_exception_only(ValueError("x")) == ["ValueError: x\n"]
