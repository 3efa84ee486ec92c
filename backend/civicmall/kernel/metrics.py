"""What is counted, in Prometheus' format at /metrics. No label ever comes from a caller."""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("civicmall_requests", "Answered requests", ["route", "method", "status"])
LATENCY = Histogram(
    "civicmall_request_seconds", "Time to answer", ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)  # fmt: skip
OUTBOX_DONE = Counter("civicmall_outbox_done", "Events handed out", ["type"])
OUTBOX_FAILED = Counter("civicmall_outbox_failed", "Failed tries to hand out an event", ["type"])
OUTBOX_WAITING = Gauge("civicmall_outbox_waiting", "Events not yet handed out, as of /readyz")
OUTBOX_DEAD = Gauge("civicmall_outbox_dead", "Events given up on, as of /readyz")
SHOP_CALLS = Counter("civicmall_shop_calls", "Calls of shops", ["shop", "operation", "outcome"])
SHOP_LATENCY = Histogram("civicmall_shop_seconds", "Time a shop took", ["shop", "operation"])


@cache
def shop_calls(shop: str, operation: str, outcome: str) -> Counter:
    """The counter of these labels; finding one anew takes longer than counting."""
    return SHOP_CALLS.labels(shop, operation, outcome)


@cache
def shop_latency(shop: str, operation: str) -> Histogram:
    """The same for the times."""
    return SHOP_LATENCY.labels(shop, operation)
