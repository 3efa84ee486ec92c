"""Small charts as geometry; the templates draw them as SVG. Pure.

Shares go from 0 to 1 and always fill the same height, so two shops can be compared by eye. Where
nobody rated there is a gap, never a zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from msgspec import Struct

from civicmall.ratings import MonthPoint

MONTHS: Final = 12
"""As far back as the index looks."""
BAR: Final = 100.0
"""Width of an interval's bar, so that its units are percent."""


class Point(Struct, frozen=True):
    """One month's mark. `x` and `y` in the chart's units, from its upper left corner."""

    x: float
    y: float
    month: str
    share: float
    low: float
    high: float
    n: int


class Trend(Struct, frozen=True):
    """A share over twelve months with the band in which it truly lies."""

    width: float
    height: float
    points: list[Point]
    lines: list[str]
    """SVG `points` of each stretch of neighbouring months with two or more."""
    bands: list[str]
    """SVG `points` around each stretch's intervals."""
    first: str
    last: str


class Bar(Struct, frozen=True):
    """An interval on a bar of a hundred units."""

    low: float
    high: float
    share: float


def months(today: date) -> list[str]:
    """The last twelve months as `2026-11`, oldest first."""
    last = today.year * 12 + today.month - 1
    return [f"{at // 12}-{at % 12 + 1:02d}" for at in range(last - MONTHS + 1, last + 1)]


def bar(share: float | None, low: float | None, high: float | None) -> Bar | None:
    """An interval to draw; None where nobody rated."""
    if share is None or low is None or high is None:
        return None
    return Bar(*(round(value * BAR, 2) for value in (low, high, share)))


def trend(
    found: Iterable[MonthPoint], today: date, *, width: float = 160, height: float = 40
) -> Trend:
    """The last twelve months; `found` may lack months and hold older ones."""
    axis = months(today)
    by_month = {point.month: point for point in found}
    step = width / MONTHS
    marks: list[Point | None] = []
    for i, month in enumerate(axis):
        p = by_month.get(month)
        if p is None or p.satisfied is None or p.low is None or p.high is None:
            marks.append(None)
        else:
            at = (round((i + 0.5) * step, 2), round((1 - p.satisfied) * height, 2))
            marks.append(Point(*at, month, p.satisfied, p.low, p.high, p.n))
    stretches = [run for run in _runs(marks) if len(run) > 1]
    return Trend(
        width=width,
        height=height,
        points=[mark for mark in marks if mark is not None],
        lines=[_points((p.x, p.y) for p in run) for run in stretches],
        bands=[_band(run, height) for run in stretches],
        first=axis[0],
        last=axis[-1],
    )


def _runs(marks: Sequence[Point | None]) -> list[list[Point]]:
    """Neighbouring months together."""
    found: list[list[Point]] = [[]]
    for mark in marks:
        if mark is None:
            found.append([])
        else:
            found[-1].append(mark)
    return [run for run in found if run]


def _band(run: list[Point], height: float) -> str:
    upper = [(p.x, (1 - p.high) * height) for p in run]
    lower = [(p.x, (1 - p.low) * height) for p in reversed(run)]
    return _points([*upper, *lower])


def _points(pairs: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{round(y, 2):g}" for x, y in pairs)
