"""Charts as geometry: inside their frame, true to the numbers, honest about gaps."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from civicmall.console import charts
from civicmall.ratings import MonthPoint

TODAY = date(2026, 2, 3)
share = st.floats(0, 1)


def point(month: str, *, low: float = 0.2, at: float = 0.5, high: float = 0.8) -> MonthPoint:
    return MonthPoint(month=month, n=9, mean=3.0, satisfied=at, low=low, high=high)


def test_the_axis_ends_with_this_month() -> None:
    found = charts.months(TODAY)
    assert (found[0], found[-2], found[-1]) == ("2025-03", "2026-01", "2026-02")
    assert len(found) == len(set(found)) == 12
    assert charts.months(date(2026, 12, 31))[0] == "2026-01"


def test_a_month_without_ratings_is_a_gap_and_not_a_zero() -> None:
    nobody = MonthPoint(month="2025-12", n=0, mean=None, satisfied=None, low=None, high=None)
    found = [point("2025-10"), point("2025-11"), nobody, point("2026-01"), point("2026-02")]
    chart = charts.trend(found, TODAY)
    assert [p.month for p in chart.points] == ["2025-10", "2025-11", "2026-01", "2026-02"]
    assert len(chart.lines) == len(chart.bands) == 2
    assert (chart.first, chart.last) == ("2025-03", "2026-02")


def test_what_is_older_than_the_axis_is_left_out_and_one_month_draws_no_line() -> None:
    chart = charts.trend([point("2024-01"), point("2026-02")], TODAY)
    assert [p.month for p in chart.points] == ["2026-02"]
    assert chart.lines == chart.bands == []
    assert charts.trend([], TODAY).points == []


def test_higher_is_better() -> None:
    better, worse = charts.trend([point("2026-01", at=0.8), point("2026-02", at=0.3)], TODAY).points
    assert better.y < worse.y
    assert better.x < worse.x


@given(st.lists(st.tuples(share, share, share).map(sorted), min_size=12, max_size=12))
def test_everything_stays_in_its_frame(shares: list[list[float]]) -> None:
    found = [
        point(month, low=low, at=at, high=high)
        for month, (low, at, high) in zip(charts.months(TODAY), shares, strict=True)
    ]
    chart = charts.trend(found, TODAY, width=200, height=50)
    (line,), (band,) = chart.lines, chart.bands
    pairs = [tuple(map(float, p.split(","))) for p in f"{line} {band}".split()]
    assert len(pairs) == 12 + 24
    assert all(0 <= x <= 200 and 0 <= y <= 50 for x, y in pairs)
    assert all(0 <= p.x <= 200 and 0 <= p.y <= 50 for p in chart.points)


def test_a_bar_has_the_units_of_percent() -> None:
    assert charts.bar(0.5, 0.25, 0.753) == charts.Bar(25.0, 75.3, 50.0)
    assert charts.bar(None, None, None) is None
