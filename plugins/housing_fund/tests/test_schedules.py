"""Schedules to the fen, against a slow and simple oracle."""

from __future__ import annotations

from fractions import Fraction
from typing import get_args

import pytest
from housing_fund.schedules import (
    Method,
    Period,
    cost,
    lengths,
    level,
    schedule,
    share,
    shortened,
    steady,
)
from hypothesis import given, settings
from hypothesis import strategies as st

amounts = st.integers(1_000_000, 1_000_000_000)
rates = st.integers(1, 9_999).map(lambda milli: Fraction(milli, 100_000))
months = st.integers(1, 360)
rhythms = st.sampled_from([1, 12])
methods = st.sampled_from(get_args(Method))


def up(value: Fraction) -> int:
    """Half up, in another way than the code: twice the value, plus one, halved down."""
    return (2 * value + 1).__floor__() // 2


def naive(balance: int, periods: list[Period], method: Method) -> list[tuple[int, int, int]]:
    """Payment, principal and interest of each period, straight from the definitions."""
    factors = [1 + period.rate * Fraction(period.months, 12) for period in periods]
    discount, worth = Fraction(1), Fraction(0)
    for factor in factors:
        discount /= factor
        worth += discount
    payment = up(balance / worth)
    total, left = sum(period.months for period in periods), balance
    rows: list[tuple[int, int, int]] = []
    for number, (period, factor) in enumerate(zip(periods, factors, strict=True), 1):
        interest = up(left * (factor - 1))
        if number == len(periods):
            principal = left
        elif method == "equal_principal":
            principal = min(up(Fraction(balance * period.months, total)), left)
        else:
            principal = min(max(payment - interest, 0), left)
        left -= principal
        rows.append((principal + interest, principal, interest))
    return rows


@settings(max_examples=60, deadline=None)
@given(amounts, months, rhythms, rates, methods)
def test_a_schedule_is_what_the_definition_says(
    balance: int, term: int, every: int, rate: Fraction, method: Method
) -> None:
    periods = steady(term, every, rate)
    found = schedule(balance, periods, method)
    assert [(one.payment_minor, one.principal_minor, one.interest_minor) for one in found] == naive(
        balance, periods, method
    )


@settings(max_examples=60, deadline=None)
@given(amounts, months, rhythms, st.lists(rates, min_size=1, max_size=4), methods)
def test_principal_sums_to_the_loan_whatever_the_rate_does(
    balance: int, term: int, every: int, steps: list[Fraction], method: Method
) -> None:
    spans = lengths(term, every)
    periods = [Period(span, steps[n * len(steps) // len(spans)]) for n, span in enumerate(spans)]
    found = schedule(balance, periods, method)
    assert sum(one.principal_minor for one in found) == balance
    assert found[-1].balance_minor == 0
    assert found[-1].until == term
    left = balance
    for one in found:
        assert one.payment_minor == one.principal_minor + one.interest_minor
        assert min(one.principal_minor, one.interest_minor) >= 0
        left -= one.principal_minor
        assert one.balance_minor == left


@settings(max_examples=60, deadline=None)
@given(amounts, st.integers(2, 360), rates)
def test_level_instalments_are_level_and_dearer_than_equal_principal(
    balance: int, term: int, rate: Fraction
) -> None:
    """The last one alone takes up the roundings: less than a fen each, with their interest."""
    periods = steady(term, 1, rate)
    equal = schedule(balance, periods, "equal_instalments")
    assert len({one.payment_minor for one in equal[:-1]}) == 1
    grown = sum((1 + rate / 12) ** n for n in range(term))
    assert abs(equal[-1].payment_minor - equal[0].payment_minor) <= grown + 1
    principal = schedule(balance, periods, "equal_principal")
    assert cost(principal) <= cost(equal) + term


@settings(max_examples=40, deadline=None)
@given(
    st.integers(10_000_000, 1_000_000_000), st.integers(24, 360), rhythms,
    rates, methods, st.fractions(Fraction(1, 20), Fraction(19, 20)),
)  # fmt: skip
def test_a_shortened_term_is_the_shortest_that_costs_no_more_at_a_time(
    balance: int, term: int, every: int, rate: Fraction, method: Method, kept: Fraction
) -> None:
    first = schedule(balance, steady(term, every, rate), method)[0]
    now = first.principal_minor if method == "equal_principal" else first.payment_minor
    rest = int(balance * kept)
    found = shortened(rest, term, every, rate, method, now)

    def fits(candidate: int) -> bool:
        periods = steady(candidate, every, rate)
        if method == "equal_principal":
            return share(rest, periods[0].months, candidate) <= now
        return up(level(rest, periods)) <= now

    assert fits(found)
    assert (term - found) % every == 0
    assert found <= every or not fits(found - every)


@pytest.mark.parametrize(("percent", "each_minor"), [("2.85", 413_557), ("2.6", 400_340)])
def test_a_million_over_30_years_is_what_the_papers_said(percent: str, each_minor: int) -> None:
    """4,135.57 yuan a month before the cut of May 2025, 4,003.40 after it."""
    periods = steady(360, 1, Fraction(percent) / 100)
    assert schedule(100_000_000, periods, "equal_instalments")[0].payment_minor == each_minor


def test_interest_of_equal_principal_is_that_of_the_mean_balance() -> None:
    found = schedule(72_000_000, steady(360, 1, Fraction(26, 1000)), "equal_principal")
    assert cost(found) == 72_000_000 * 26 * 361 // (1000 * 12 * 2)
    assert found[0].payment_minor == 200_000 + 156_000
    assert [one.principal_minor for one in found] == [200_000] * 360


def test_a_rest_of_a_year_is_the_last_period() -> None:
    assert lengths(27, 12) == [12, 12, 3]
    assert lengths(24, 12) == [12, 12]
    assert lengths(3, 1) == [1, 1, 1]


def test_without_interest_there_is_none() -> None:
    found = schedule(1_000, steady(3, 1, Fraction(0)), "equal_instalments")
    assert [one.payment_minor for one in found] == [333, 333, 334]
