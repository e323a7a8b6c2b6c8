"""The kernel cannot give the port that a coordinator keeps to somebody else while the coordinator is away."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from coordinator.agents import ports
from coordinator.agents.ports import lasting_port


def test_the_port_lies_below_those_of_outgoing_connections(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It can be listened on; a range without room for one leaves the choice to the kernel."""
    first = int(ports.LOCAL_RANGE.read_text().split()[0])
    port = lasting_port("127.0.0.1")
    assert ports.LEAST <= port < first
    with socket.create_server(("127.0.0.1", port)):
        assert not ports._free("127.0.0.1", port)
    monkeypatch.setattr(ports, "LOCAL_RANGE", tmp_path / "range")
    assert lasting_port("127.0.0.1") < ports.USUAL_FIRST
    (tmp_path / "range").write_text("1024\t65535\n")
    assert lasting_port("127.0.0.1") == 0
