"""Lines from usage and prices: exact at the tiers' edges, and the same however a period is cut."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from utility_bills import book
from utility_bills.prices import Component, LateFee, PerPerson, Tariff
from utility_bills.tariff import (
    Line,
    Usage,
    begins,
    by_tier,
    charge,
    charge_season,
    in_force,
    late_fee,
    limits,
    season,
    share,
)

from shopkit.texts import half_up

WATER = book.utilities["water"].tariffs
POWER = book.utilities["power"].tariffs
HEATING = book.utilities["heating"]

days = st.dates(date(2015, 1, 1), date(2030, 12, 31))
quantities = st.integers(0, 2_000_000)


def total(lines: list[Line]) -> int:
    return sum(line.amount_minor for line in lines)


def water(quantity_milli: int, before_milli: int = 0, persons: int = 3) -> list[Line]:
    """March and April, within one year."""
    return charge(
        WATER,
        Usage(date(2026, 3, 1), date(2026, 5, 1), quantity_milli, before_milli, persons),
    )


@pytest.mark.parametrize(
    ("used_m3", "yuan"),
    [(1, 5), (180, 900), (181, 907), (260, 1_460), (261, 1_469), (300, 1_820)],
)
def test_water_costs_what_is_published(used_m3: int, yuan: int) -> None:
    assert total(water(used_m3 * 1_000)) == yuan * 100


def test_the_limit_itself_belongs_to_the_lower_tier() -> None:
    assert by_tier(180_000, 0, [180_000, 260_000]) == [180_000, 0, 0]
    assert by_tier(1, 180_000, [180_000, 260_000]) == [0, 1, 0]


def test_a_bill_across_a_tier_has_a_line_for_each() -> None:
    lines = water(10_000, before_milli=175_000)

    assert [(x.component, x.tier, x.quantity_milli, x.amount_minor) for x in lines] == [
        ("supply", 1, 5_000, 1_035),
        ("supply", 2, 5_000, 2_035),
        ("resource", 0, 10_000, 1_570),
        ("sewage", 0, 10_000, 1_360),
    ]


@pytest.mark.parametrize(("persons", "first"), [(1, 180), (5, 180), (6, 210), (7, 240)])
def test_a_large_household_has_wider_tiers(persons: int, first: int) -> None:
    assert limits(WATER[0], persons) == [first * 1_000, (first + 80) * 1_000]


def test_power_begins_anew_each_month() -> None:
    lines = charge(POWER, Usage(date(2026, 7, 1), date(2026, 9, 1), 620_000))

    # 310 kWh in each of two months of 31 days.
    assert [(x.since.month, x.tier, x.quantity_milli) for x in lines] == [
        (7, 1, 240_000), (7, 2, 70_000), (8, 1, 240_000), (8, 2, 70_000),
    ]  # fmt: skip
    assert lines[0].amount_minor == half_up(Fraction(240 * 4_883, 100))


def test_water_begins_anew_on_new_years_day() -> None:
    usage = Usage(date(2026, 12, 1), date(2027, 2, 1), 62_000, before_milli=170_000)
    supply = [x for x in charge(WATER, usage) if x.component == "supply"]

    assert [(x.since, x.tier, x.quantity_milli) for x in supply] == [
        (date(2026, 12, 1), 1, 10_000),
        (date(2026, 12, 1), 2, 21_000),
        (date(2027, 1, 1), 1, 31_000),
    ]


def test_new_prices_in_the_middle_share_the_usage_by_days() -> None:
    old = Tariff(
        id="old", valid_from=date(2020, 1, 1), valid_to=date(2026, 4, 15), basis="year",
        components=[Component("gas", {"zh-CN": "气"}, [263_000], example=True)],
    )  # fmt: skip
    new = Tariff(
        id="new", valid_from=date(2026, 4, 16), basis="year",
        components=[Component("gas", {"zh-CN": "气"}, [261_000], example=True)],
    )  # fmt: skip

    lines = charge([old, new], Usage(date(2026, 4, 1), date(2026, 5, 1), 30_000))

    assert [(x.tariff, x.quantity_milli, x.amount_minor) for x in lines] == [
        ("old", 15_000, 3_945),
        ("new", 15_000, 3_915),
    ]


def test_a_day_without_prices_is_said_so() -> None:
    with pytest.raises(LookupError, match="2014-04-30"):
        in_force(WATER, date(2014, 4, 30))


@given(days, st.integers(1, 70), quantities, quantities, st.integers(1, 9))
def test_nothing_is_lost_between_the_lines(
    since: date, length: int, quantity: int, before: int, persons: int
) -> None:
    usage = Usage(since, since + timedelta(days=length), quantity, before, persons)
    for tariffs in (WATER, POWER):
        lines = charge(tariffs, usage)
        for part in tariffs[0].components:
            of_part = [line for line in lines if line.component == part.id]
            assert sum(line.quantity_milli for line in of_part) == quantity
        for line in lines:
            exact = line.quantity_milli * line.price_milli_minor
            assert abs(line.amount_minor * 1_000_000 - exact) <= 500_000


@given(quantities, quantities, quantities, st.integers(1, 9))
def test_more_water_never_costs_less(a: int, b: int, before: int, persons: int) -> None:
    less, more = sorted((a, b))
    assert total(water(less, before, persons)) <= total(water(more, before, persons))


@given(days, st.integers(2, 70), quantities, quantities, st.data())
def test_two_bills_cost_what_one_costs(
    since: date, length: int, quantity: int, before: int, data: st.DataObject
) -> None:
    """Cut the period on any day, share the usage by days: only rounding may differ."""
    cut = data.draw(st.integers(1, length - 1))
    middle, until = since + timedelta(days=cut), since + timedelta(days=length)
    for tariffs in (WATER, POWER):
        whole = charge(tariffs, Usage(since, until, quantity, before))
        first_part = share(quantity, cut, length)
        first = charge(tariffs, Usage(since, middle, first_part, before))
        start = begins(tariffs[0].basis, middle)
        part = tariffs[0].components[0].id
        used = sum(x.quantity_milli for x in first if x.component == part and x.since >= start)
        second = charge(
            tariffs,
            Usage(middle, until, quantity - first_part, used + (before if start < since else 0)),
        )
        apart = abs(total(whole) - total(first) - total(second))
        assert apart <= len(whole) + len(first) + len(second)


@given(days, st.integers(1, 400))
def test_pieces_lie_side_by_side(since: date, length: int) -> None:
    until = since + timedelta(days=length)
    lines = charge(POWER, Usage(since, until, length * 1_000))
    assert (lines[0].since, lines[-1].until) == (since, until)
    for one, next_one in pairwise(lines):
        assert next_one.since in (one.since, one.until)


@pytest.mark.parametrize(
    ("numerator", "denominator", "whole"), [(0, 2, 0), (1, 2, 1), (3, 2, 2), (4, 3, 1), (5, 3, 2)]
)
def test_a_half_goes_up(numerator: int, denominator: int, whole: int) -> None:
    assert half_up(Fraction(numerator, denominator)) == whole


def test_a_season_is_the_area_times_the_price() -> None:
    assert HEATING.season is not None
    whole = season(HEATING.season, 2026)
    assert whole == (date(2026, 11, 15), date(2027, 3, 16))

    [line] = charge_season(HEATING.tariffs, whole, 89_500, *whole)

    assert line.amount_minor == 2_148_00


@given(st.integers(1, 120), st.integers(20_000, 400_000))
def test_a_season_in_two_parts_costs_the_same(cut: int, area: int) -> None:
    assert HEATING.season is not None
    whole = season(HEATING.season, 2026)
    middle = whole[0] + timedelta(days=cut)
    parts = charge_season(HEATING.tariffs, whole, area, whole[0], middle)
    parts += charge_season(HEATING.tariffs, whole, area, middle, whole[1])

    assert abs(total(parts) - total(charge_season(HEATING.tariffs, whole, area, *whole))) <= 1


DUE = date(2026, 10, 31)
A_THOUSANDTH = LateFee(rate_ppm_per_day=1_000, at_least_minor=100, example=True)


@pytest.mark.parametrize(
    ("principal", "days_late", "fee"),
    [
        (100_00, -3, 0),
        (100_00, 0, 0),
        (100_00, 1, 1_00),  # 0.10 yuan, but less than one yuan counts as one
        (100_00, 15, 1_50),
        (123_45, 12, 1_48),  # 148.14 fen
        (100_00, 5_000, 100_00),  # never more than the bill
        (50, 1, 50),
    ],
)
def test_a_late_fee_grows_by_the_day(principal: int, days_late: int, fee: int) -> None:
    assert late_fee(A_THOUSANDTH, principal, DUE, DUE + timedelta(days=days_late)) == fee


@given(st.integers(1, 10_000_000), st.integers(-10, 3_000), st.integers(0, 3_000))
def test_a_late_fee_never_shrinks_and_has_a_ceiling(principal: int, day: int, later: int) -> None:
    now = late_fee(A_THOUSANDTH, principal, DUE, DUE + timedelta(days=day))
    then = late_fee(A_THOUSANDTH, principal, DUE, DUE + timedelta(days=day + later))
    assert 0 <= now <= then <= principal


def test_the_rule_for_large_households_is_the_published_one() -> None:
    assert WATER[0].per_person == PerPerson(above=5, adds_milli=30_000)
