"""The index: what a share may claim, and when a shop gets a level."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicmall.ratings import rules
from civicmall.ratings.rules import Tally, wilson

counts = st.integers(0, 5_000)


@st.composite
def hits_of(draw: st.DrawFn) -> tuple[int, int]:
    """Hits among at least one."""
    n = draw(st.integers(1, 100_000))
    return draw(st.integers(0, n)), n


@given(hits_of())
def test_the_share_lies_in_its_interval(drawn: tuple[int, int]) -> None:
    found = wilson(*drawn)
    assert found is not None
    assert 0 <= found.low <= found.share <= found.high <= 1


@given(hits_of())
def test_hits_and_misses_mirror_each_other(drawn: tuple[int, int]) -> None:
    hits, n = drawn
    one, other = wilson(hits, n), wilson(n - hits, n)
    assert one is not None
    assert other is not None
    assert math.isclose(one.low, 1 - other.high, abs_tol=1e-9)
    assert math.isclose(one.high, 1 - other.low, abs_tol=1e-9)


@given(hits_of(), st.integers(2, 20))
def test_more_ratings_of_the_same_share_narrow_it(drawn: tuple[int, int], times: int) -> None:
    hits, n = drawn
    few, many = wilson(hits, n), wilson(hits * times, n * times)
    assert few is not None
    assert many is not None
    assert many.high - many.low < few.high - few.low


@given(hits_of())
def test_another_hit_never_lowers_it(drawn: tuple[int, int]) -> None:
    hits, n = drawn
    before, after = wilson(hits, n), wilson(hits + 1, n + 1)
    assert before is not None
    assert after is not None
    assert after.low >= before.low
    assert after.high >= before.high - 1e-12


@given(hits_of())
def test_its_ends_are_as_far_from_the_share_as_chance_goes(drawn: tuple[int, int]) -> None:
    """Both ends x solve (p - x)² = z²·x·(1 - x)/n, which is how the interval is defined."""
    found = wilson(*drawn)
    assert found is not None
    for x in (found.low, found.high):
        far, chance = (found.share - x) ** 2, rules.Z**2 * x * (1 - x) / drawn[1]
        assert math.isclose(far, chance, rel_tol=1e-6, abs_tol=1e-12)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (15, 30, 0.3315, 0.6685), (1, 1, 0.2065, 1.0)],
)
def test_known_values(hits: int, n: int, low: float, high: float) -> None:
    found = wilson(hits, n)
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_of_nothing_there_is_no_share() -> None:
    assert wilson(0, 0) is None
    assert rules.satisfied(Tally()) is None
    assert rules.mean(Tally()) is None
    assert rules.level(Tally()) is None
    assert rules.share(0, 0) is None


def test_three_stars_count_as_satisfied_and_two_do_not() -> None:
    found = rules.satisfied(Tally(s1=1, s2=1, s3=1, s4=1, s5=1))
    assert found is not None
    assert found.share == 0.6


@given(counts, counts, counts, counts, counts)
def test_a_level_needs_enough_ratings_and_names_the_mean(
    s1: int, s2: int, s3: int, s4: int, s5: int
) -> None:
    tally = Tally(s1, s2, s3, s4, s5)
    level, mean = rules.level(tally), rules.mean(tally)
    if tally.n < rules.ENOUGH:
        assert level is None
        return
    assert level is not None
    assert mean is not None
    assert abs(level - mean) <= 0.5


def test_half_way_between_two_levels_is_the_lower() -> None:
    assert rules.level(Tally(s4=15, s5=15)) == 4
    assert rules.level(Tally(s4=15, s5=16)) == 5
    assert rules.level(Tally(s1=30)) == 1


def test_below_enough_the_interval_is_wider_than_a_third_of_the_scale() -> None:
    for n in range(2, rules.ENOUGH, 2):
        found = wilson(n // 2, n)
        assert found is not None
        assert found.high - found.low > 1 / 3


@given(st.lists(st.tuples(*[counts] * 10), max_size=5))
def test_months_add_up(months: list[tuple[int, ...]]) -> None:
    found = rules.total(Tally(*month) for month in months)
    assert found.n == sum(sum(month[:5]) for month in months)
    assert found.confirmed == sum(month[9] for month in months)


@pytest.mark.parametrize(
    ("today", "first"),
    [
        (date(2026, 11, 25), date(2025, 12, 1)),
        (date(2026, 12, 31), date(2026, 1, 1)),
        (date(2026, 1, 1), date(2025, 2, 1)),
    ],
)
def test_the_index_looks_back_twelve_months_with_this_one(today: date, first: date) -> None:
    assert rules.first_month(today) == first


def test_the_month_is_the_citys() -> None:
    """Half past four in the afternoon of the 31st in UTC is the next month in Shanghai."""
    assert rules.month_of(datetime(2026, 10, 31, 16, 30, tzinfo=UTC)) == date(2026, 11, 1)


def test_how_tickets_count() -> None:
    def counted(state: rules.State, *, late: bool) -> tuple[bool, ...]:
        s = rules.score(state, late=late)
        return s.opened, s.answered, s.on_time, s.late, s.confirmed

    assert counted("open", late=False) == (True, False, False, False, False)
    assert counted("open", late=True) == (True, False, False, True, False)
    assert counted("registered", late=False) == (True, False, False, False, False)
    assert counted("fixed", late=False) == (True, True, True, False, False)
    assert counted("explained", late=True) == (True, True, False, True, False)
    assert counted("confirmed", late=False) == (True, True, True, False, True)
    assert counted("appealed", late=False) == (True, False, False, False, False)
    assert counted("excluded", late=True) == (False, False, False, False, False)


def test_a_pseudonym_is_stable_and_another_in_each_shop() -> None:
    key, somebody = b"k" * 32, UUID(int=7)
    here = rules.pseudonym(key, somebody, "utility_bills")
    assert here == rules.pseudonym(key, somebody, "utility_bills")
    assert len(here) == 8
    others = {
        rules.pseudonym(key, somebody, "public_security"),
        rules.pseudonym(key, UUID(int=8), "utility_bills"),
        rules.pseudonym(b"l" * 32, somebody, "utility_bills"),
    }
    assert len(others | {here}) == 4
