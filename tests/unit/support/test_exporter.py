"""Values for Prometheus over HTTP."""

from __future__ import annotations

import urllib.request

import pytest

from support.endpoint import Endpoint
from support.exporter import Exporter, Gauge
from tests.ports import free_port


def fetch(endpoint: Endpoint) -> list[str]:
    """What Prometheus would read; lines of help left out."""
    with urllib.request.urlopen(f"http://{endpoint}/metrics", timeout=10) as answer:
        return [line for line in answer.read().decode().splitlines() if not line.startswith("# HELP")]


def test_values_are_those_that_were_shown_last() -> None:
    """In Prometheus' text format, labels escaped; the port is free again afterwards."""
    exporter, endpoint = Exporter(), Endpoint("127.0.0.1", free_port())
    with exporter.listening(endpoint):
        assert fetch(endpoint) == []
        exporter.show([Gauge.of("a_seconds", "a", 1.5), Gauge.of("unknown", "b", None)])
        assert fetch(endpoint) == ["# TYPE a_seconds gauge", "a_seconds 1.5", "# TYPE unknown gauge"]
        exporter.show([Gauge.each("b", "b", "who", [('x"\n', 2), ("y", 0)])])
        assert fetch(endpoint) == ["# TYPE b gauge", r'b{who="x\"\n"} 2.0', 'b{who="y"} 0.0']
    with exporter.listening(endpoint):
        assert len(fetch(endpoint)) == 3


def test_a_port_that_is_taken_is_an_error() -> None:
    """For the caller to word."""
    exporter, endpoint = Exporter(), Endpoint("127.0.0.1", free_port())
    with exporter.listening(endpoint), pytest.raises(OSError, match="in use"), Exporter().listening(endpoint):
        pass
