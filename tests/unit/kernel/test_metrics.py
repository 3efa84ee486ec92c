"""What is counted reads at /metrics as Prometheus expects it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY, generate_latest

from civicmall.kernel.metrics import Counts, Times


@pytest.fixture
def counts() -> Iterator[Counts]:
    made = Counts("test_calls", "Calls", ["shop", "outcome"])
    yield made
    REGISTRY.unregister(made)


@pytest.fixture
def times() -> Iterator[Times]:
    made = Times("test_seconds", "Times", ["shop"], (0.01, 0.1, 1))
    yield made
    REGISTRY.unregister(made)


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def test_each_set_of_labels_is_counted_on_its_own(counts: Counts) -> None:
    for outcome in ("ok", "ok", "failed"):
        counts.add("water", outcome)
    assert value("test_calls_total", shop="water", outcome="ok") == 2
    assert value("test_calls_total", shop="water", outcome="failed") == 1
    assert value("test_calls_total", shop="gas", outcome="ok") is None
    assert b"# TYPE test_calls_total counter" in generate_latest()


def test_a_bin_holds_what_took_no_longer_than_its_end(times: Times) -> None:
    for seconds in (0.005, 0.01, 0.05, 1.0, 7.0):
        times.add(seconds, "water")
    ends = ("0.01", "0.1", "1.0", "+Inf")
    found = [value("test_seconds_bucket", shop="water", le=end) for end in ends]
    assert found == [2, 3, 4, 5]
    assert value("test_seconds_count", shop="water") == 5
    assert value("test_seconds_sum", shop="water") == pytest.approx(8.065)
