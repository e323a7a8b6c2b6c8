"""Exports values for Prometheus over HTTP. Nothing listens unless an address was given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Metric, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from support.endpoint import Endpoint


@dataclass(frozen=True)
class Gauge:
    """One measured value, of one thing or several."""

    name: str
    """As in `bootcoord_head_block`; if the value has a unit, the name ends with it."""
    text: str
    labels: tuple[str, ...]
    samples: tuple[tuple[tuple[str, ...], float], ...]
    """The labels' values, each with the measured value."""

    @staticmethod
    def of(name: str, text: str, value: float | None) -> Gauge:
        """A metric without labels; value is None if it is not known now."""
        return Gauge(name, text, (), () if value is None else (((), float(value)),))

    @staticmethod
    def each(name: str, text: str, label: str, samples: Iterable[tuple[str, float]]) -> Gauge:
        """A metric of several things, which one label distinguishes."""
        return Gauge(name, text, (label,), tuple(((thing,), float(value)) for thing, value in samples))


class Exporter(Collector):
    """The exported values. They are replaced all at once, and read from another thread."""

    def __init__(self) -> None:
        self._shown: Sequence[Gauge] = ()

    def show(self, gauges: Sequence[Gauge]) -> None:
        """Replaces the exported values."""
        self._shown = tuple(gauges)

    def collect(self) -> Iterator[Metric]:
        """The method that prometheus_client calls."""
        for gauge in self._shown:
            family = GaugeMetricFamily(gauge.name, gauge.text, labels=gauge.labels)
            for values, value in gauge.samples:
                family.add_metric(values, value)
            yield family

    @contextmanager
    def listening(self, endpoint: Endpoint) -> Iterator[None]:
        """Serves /metrics while the block runs. Raises OSError."""
        registry = CollectorRegistry()
        registry.register(self)
        server, thread = start_http_server(endpoint.port, endpoint.host, registry)
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
