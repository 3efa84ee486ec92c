"""What is counted, in Prometheus' format at /metrics. No label ever comes from a caller.

What every request counts goes through `Counts` and `Times`: the library's own classes look each
label up, and lock, again and again, which is a tenth of a short request.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

from prometheus_client import REGISTRY, Counter, Gauge
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

QUICK: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Upper ends of the bins in seconds, as the library has them where nobody says otherwise."""


class Counts(Collector):
    """How often, by labels. For one thread: the event loop's."""

    def __init__(self, name: str, about: str, labels: list[str]) -> None:
        self._said = (name, about, labels)
        self._counts: dict[tuple[str, ...], int] = {}
        REGISTRY.register(self)

    def add(self, *labels: str) -> None:
        """One more."""
        self._counts[labels] = self._counts.get(labels, 0) + 1

    def collect(self) -> Iterable[Metric]:
        """For whoever asks /metrics."""
        name, about, labels = self._said
        family = CounterMetricFamily(name, about, labels=labels)
        for values, count in list(self._counts.items()):
            family.add_metric(values, count)
        return [family]


class _Bins:
    """Of one set of labels."""

    __slots__ = ("counts", "total_s")

    def __init__(self, size: int) -> None:
        self.counts = [0] * size
        self.total_s = 0.0


class Times(Collector):
    """How long, by labels, in bins. For one thread: the event loop's."""

    def __init__(self, name: str, about: str, labels: list[str], ends_s: tuple[float, ...]) -> None:
        self._said = (name, about, labels)
        self._ends_s = ends_s
        self._bins: dict[tuple[str, ...], _Bins] = {}
        REGISTRY.register(self)

    def add(self, seconds: float, *labels: str) -> None:
        """One that took so long."""
        bins = self._bins.get(labels)
        if bins is None:
            bins = self._bins[labels] = _Bins(len(self._ends_s) + 1)
        bins.counts[bisect_left(self._ends_s, seconds)] += 1
        bins.total_s += seconds

    def collect(self) -> Iterable[Metric]:
        """For whoever asks /metrics: each bin holds what the ones before it do, and its own."""
        name, about, labels = self._said
        family = HistogramMetricFamily(name, about, labels=labels)
        ends = [*(repr(float(end)) for end in self._ends_s), "+Inf"]
        for values, bins in list(self._bins.items()):
            within, shown = 0, list[tuple[str, float]]()
            for end, count in zip(ends, bins.counts, strict=True):
                within += count
                shown.append((end, within))
            family.add_metric(values, buckets=shown, sum_value=bins.total_s)
        return [family]


REQUESTS = Counts("civicmall_requests", "Answered requests", ["route", "method", "status"])
LATENCY = Times(
    "civicmall_request_seconds", "Time to answer", ["route"],
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)  # fmt: skip
OUTBOX_DONE = Counter("civicmall_outbox_done", "Events handed out", ["type"])
OUTBOX_FAILED = Counter("civicmall_outbox_failed", "Failed tries to hand out an event", ["type"])
OUTBOX_WAITING = Gauge("civicmall_outbox_waiting", "Events not yet handed out, as of /readyz")
OUTBOX_DEAD = Gauge("civicmall_outbox_dead", "Events given up on, as of /readyz")
SHOP_CALLS = Counts("civicmall_shop_calls", "Calls of shops", ["shop", "operation", "outcome"])
SHOP_LATENCY = Times("civicmall_shop_seconds", "Time a shop took", ["shop", "operation"], QUICK)
