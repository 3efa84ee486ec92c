"""The window against the plain thing: every call kept, sorted, counted."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicmall.gateway.window import BUCKET_S, BUCKETS, CEILING_S, FLOOR_S, GROWTH, Window

SPAN_S = BUCKET_S * BUCKETS
TOOK = st.floats(min_value=1e-6, max_value=CEILING_S, allow_nan=False)
CALLS = st.lists(
    st.tuples(st.floats(min_value=0, max_value=3 * SPAN_S), TOOK, st.booleans()), max_size=120
)


def true_percentile(took: list[float], share: float) -> float | None:
    """The nearest-rank percentile of a sorted list."""
    if not took:
        return None
    return sorted(took)[max(1, math.ceil(share * len(took))) - 1]


@given(calls=CALLS, wait=st.floats(min_value=0, max_value=2 * SPAN_S), share=st.floats(0.001, 1))
def test_against_sorted_lists(
    calls: list[tuple[float, float, bool]], wait: float, share: float
) -> None:
    calls.sort(key=lambda call: call[0])
    window, now = Window(), (calls[-1][0] if calls else 0.0) + wait
    for at, took, failed in calls:
        window.note(at, took, failed=failed)
    oldest = int(now // BUCKET_S) - BUCKETS
    held = [(took, failed) for at, took, failed in calls if int(at // BUCKET_S) > oldest]
    seen, true = window.percentile(now, share), true_percentile([t for t, _ in held], share)

    reading = window.read(now)
    assert reading.calls == len(held)
    assert reading.failed == sum(failed for _, failed in held)
    assert reading.error_rate == (reading.failed / len(held) if held else 0)
    if true is None:
        assert seen is None
        assert (reading.p50_ms, reading.p99_ms) == (None, None)
    else:
        assert seen is not None
        assert max(true, FLOOR_S) * (1 - 1e-9) <= seen <= max(true, FLOOR_S) * GROWTH * (1 + 1e-9)


@pytest.mark.parametrize(("took", "shown_ms"), [(0.0, 0.05), (-1.0, 0.05), (900.0, 60_000.0)])
def test_what_lies_outside_of_the_bins_goes_to_the_last(took: float, shown_ms: float) -> None:
    window = Window()
    window.note(5.0, took, failed=False)
    assert window.read(5.0).p50_ms == shown_ms


def test_a_call_that_began_before_the_window_is_left_out() -> None:
    """Its bucket has been given to a later time, which must not go back to it."""
    window = Window()
    window.note(SPAN_S + 1, 0.1, failed=False)
    window.note(1.0, 0.1, failed=True)
    assert (window.read(SPAN_S + 1).calls, window.read(SPAN_S + 1).failed) == (1, 0)


def test_a_shop_that_has_mended_looks_well_after_five_minutes() -> None:
    window = Window()
    for second in range(60):
        window.note(float(second), 2.0, failed=True)
    assert window.read(60.0).error_rate == 1
    window.note(SPAN_S + 60, 0.01, failed=False)
    after = window.read(SPAN_S + 60)
    assert (after.calls, after.error_rate) == (1, 0)
    assert after.p99_ms is not None
    assert after.p99_ms < 11
