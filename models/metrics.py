"""What API and workers both measure: a registry of their own, their pool, and what their flushes carry."""

from collections.abc import Iterator, Sequence

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from models.database import Pool

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
ROWS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


class Metrics:
    """Names begin with `mojito_`; every label has few values, whatever callers send."""

    def __init__(self) -> None:
        prometheus_client.disable_created_metrics()
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(namespace="mojito", registry=self.registry)
        self._flushes = self.histogram(
            "mojito_flush_rows", "Rows that one shared statement wrote.", ("flusher",), ROWS
        )
        self._flush_seconds = self.histogram(
            "mojito_flush_duration_seconds",
            "Time of one shared statement with its commit, repeats included.",
            ("flusher",),
        )
        self._refused = self.counter(
            "mojito_refused_writes",
            "Writes whose claim token was stale: another worker has the job. Each is a fence that held.",
            ("flusher",),
        )

    def exposition(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self.registry)

    def watch_pool(self, pool: Pool) -> None:
        """Shows the pool from now on."""
        self.registry.register(_PoolCollector(pool))

    def flushed(self, name: str, answers: Sequence[object]) -> None:
        """A statement carried so many rows. One call for each flush, however many rows it has."""
        self._flushes.labels(name).observe(len(answers))

    def took(self, name: str, seconds: float) -> None:
        """That was its time."""
        self._flush_seconds.labels(name).observe(seconds)

    def refused(self, name: str, writes: int) -> None:
        """So many writes of a flush were not ours to make."""
        if writes:
            self._refused.labels(name).inc(writes)

    def counter(self, name: str, about: str, labels: Sequence[str] = ()) -> Counter:
        """Only grows."""
        return Counter(name, about, labels, registry=self.registry)

    def gauge(self, name: str, about: str, labels: Sequence[str] = ()) -> Gauge:
        """Goes up and down."""
        return Gauge(name, about, labels, registry=self.registry)

    def histogram(
        self,
        name: str,
        about: str,
        labels: Sequence[str] = (),
        buckets: Sequence[float] = SECONDS,
    ) -> Histogram:
        """How often a value lay below each bound."""
        return Histogram(name, about, labels, buckets=buckets, registry=self.registry)


class _PoolCollector(Collector):
    """Looks at the pool when it is asked."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def collect(self) -> Iterator[GaugeMetricFamily]:
        size, idle = self._pool.get_size(), self._pool.get_idle_size()
        family = GaugeMetricFamily(
            "mojito_pool_connections", "Connections of the pool.", labels=["state"]
        )
        family.add_metric(["busy"], size - idle)
        family.add_metric(["idle"], idle)
        yield family
        most = self._pool.get_max_size()
        yield GaugeMetricFamily("mojito_pool_most_connections", "Limit of the pool.", value=most)
