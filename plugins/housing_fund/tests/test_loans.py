"""A loan that is out: rates that change, ways that change, early repayment."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from housing_fund import rates
from housing_fund.loans import (
    Loan,
    Standing,
    Terms,
    as_it_is,
    course,
    months_between,
    next_change,
    otherwise,
    paid_early,
    standing,
)
from housing_fund.rates import Rules
from housing_fund.schedules import Every, Method
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shopkit.months import month_after

from .conftest import HOME

LOAN = Loan("DK1", "first", date(2024, 3, 9), 60_000_000, 240, "equal_instalments", 1, 20, 0)
TODAY = date(2026, 11, 25)
methods = st.sampled_from(["equal_instalments", "equal_principal"])
rhythms = st.sampled_from([1, 12])


@pytest.mark.parametrize(
    ("month", "percent"),
    [
        (date(2024, 4, 1), "3.1"),  # granted before the cut of May 2024
        (date(2024, 12, 1), "3.1"),
        (date(2025, 1, 1), "2.85"),
        (date(2025, 12, 1), "2.85"),
        (date(2026, 1, 1), "2.6"),
    ],
)
def test_a_new_rate_reaches_a_loan_on_new_years_day(
    rules: Rules, month: date, percent: str
) -> None:
    assert rules.charged_in("first", 240, LOAN.granted_on, month) == percent


def test_a_loan_of_a_year_keeps_its_rate(rules: Rules) -> None:
    assert rules.charged_in("first", 12, date(2024, 3, 9), date(2025, 2, 1)) == "2.6"


@pytest.mark.parametrize(
    ("home", "months", "percent"),
    [("first", 60, "2.1"), ("first", 61, "2.6"), ("second", 60, "2.525"), ("second", 61, "3.075")],
)
def test_the_published_rates(rules: Rules, home: Any, months: int, percent: str) -> None:
    assert rules.granted_at(home, months, date(2025, 5, 8)) == (percent, "loan-rates-2025")
    assert rules.granted_at(home, months, date(2025, 5, 7))[1] == "loan-rates-2024"


def test_instalments_are_fixed_anew_when_the_rate_changes(rules: Rules) -> None:
    ((_, dues),) = course(rules, LOAN, [])
    assert (dues[0].on, dues[-1].on, len(dues)) == (date(2024, 4, 20), date(2044, 3, 20), 240)
    each = [due.instalment.payment_minor for due in dues]
    assert len(set(each[:9])) == len(set(each[9:21])) == len(set(each[21:-1])) == 1
    assert each[0] > each[9] > each[21]
    assert sum(due.instalment.principal_minor for due in dues) == LOAN.principal_minor


@settings(max_examples=40, deadline=None)
@given(st.integers(12, 360), methods, rhythms, methods, rhythms, st.integers(0, 40))
def test_however_it_is_changed_the_principal_is_paid_back_once(
    rules: Rules, term: int, method: Method, every: Every, then: Method, then_every: Every, at: int
) -> None:
    loan = replace(LOAN, months=term, method=method, every=every)
    before = course(rules, loan, [])
    since = next_change(before, month_after(LOAN.granted_on, at))
    now = standing(loan, before, since)
    changes = [Terms(since, then, then_every)] if now.months_left else []
    ways = course(rules, loan, changes)
    parts = [due for _, dues in ways for due in dues]
    assert sum(due.instalment.principal_minor for due in parts) == loan.principal_minor
    assert [due.on for due in parts] == sorted({due.on for due in parts})
    assert months_between(date(2024, 4, 1), parts[-1].on.replace(day=1)) == term - 1
    if changes:
        after = standing(loan, ways, since)
        assert (after.balance_minor, after.months_left) == (now.balance_minor, now.months_left)
        new = otherwise(rules, loan, now, then, then_every)
        assert as_it_is(ways, after).instalments == new.instalments


def test_a_monthly_loan_changes_from_the_next_month(rules: Rules) -> None:
    assert next_change(course(rules, LOAN, []), TODAY) == date(2026, 12, 1)
    now = standing(LOAN, course(rules, LOAN, []), date(2026, 12, 1))
    assert now.months_left == 240 - 32


def test_before_a_change_begins_the_loan_stands_as_before(rules: Rules) -> None:
    ways = course(rules, LOAN, [Terms(date(2026, 12, 1), "equal_principal", 1)])
    before = standing(LOAN, ways, date(2026, 11, 1))
    assert (before.terms.method, before.months_left) == ("equal_instalments", 209)
    assert before == standing(LOAN, course(rules, LOAN, []), date(2026, 11, 1))
    assert standing(LOAN, ways, date(2026, 12, 1)).terms.method == "equal_principal"


def test_a_yearly_loan_changes_after_its_next_instalment(rules: Rules) -> None:
    loan = replace(LOAN, every=12)
    assert next_change(course(rules, loan, []), TODAY) == date(2027, 4, 1)
    assert standing(loan, course(rules, loan, []), date(2027, 4, 1)).months_left == 240 - 36


def test_what_is_left_as_it_is_is_what_was_fixed(rules: Rules) -> None:
    now = standing(LOAN, course(rules, LOAN, []), date(2026, 12, 1))
    ((_, dues),) = course(rules, LOAN, [])
    left = as_it_is(course(rules, LOAN, []), now)
    assert [one.payment_minor for one in left.instalments] == [
        due.instalment.payment_minor for due in dues[32:]
    ]
    assert [one.until for one in left.instalments] == list(range(1, 209))
    assert sum(one.principal_minor for one in left.instalments) == now.balance_minor


@settings(max_examples=30, deadline=None)
@given(methods, rhythms, st.integers(1, 59_000_000))
def test_an_early_repayment_saves_and_a_shorter_term_saves_more(
    rules: Rules, method: Method, every: Every, amount: int
) -> None:
    now = Standing(date(2026, 12, 1), 60_000_000, 204, Terms(date(2024, 4, 1), method, every))
    plain = otherwise(rules, LOAN, now, method, every)
    lower = paid_early(rules, LOAN, now, method, every, amount, "term")
    sooner = paid_early(rules, LOAN, now, method, every, amount, "instalment")
    slack = 204  # fen: a rounding an instalment
    assert lower.interest_minor <= plain.interest_minor + slack
    assert sooner.interest_minor <= lower.interest_minor + slack
    assert (lower.months, sooner.months <= 204) == (204, True)
    assert lower.instalments[0].payment_minor <= plain.instalments[0].payment_minor
    assert sooner.instalments[0].payment_minor <= plain.instalments[0].payment_minor
    for way in (lower, sooner):
        assert sum(one.principal_minor for one in way.instalments) + amount == 60_000_000


def test_paying_everything_back_ends_it(rules: Rules) -> None:
    now = standing(LOAN, course(rules, LOAN, []), date(2026, 12, 1))
    way = paid_early(rules, LOAN, now, "equal_principal", 1, now.balance_minor, "instalment")
    assert (way.months, way.instalments, way.interest_minor) == (0, [], 0)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"fund_rates": "reversed"}, "fund_rates: not in the order"),
        ({"sources": "empty"}, "is missing"),
        ({"withdrawal": "unknown"}, "is no limit"),
    ],
)
def test_a_wrong_file_says_where(tmp_path: Any, wrong: dict[str, str], said: str) -> None:
    data = msgspec.json.decode((HOME / "data" / "rules.json").read_bytes())
    ((key, how),) = wrong.items()
    if how == "reversed":
        data[key].reverse()
    elif how == "empty":
        data[key] = {}
    else:
        data[key]["examples"] = ["no_such"]
    file = tmp_path / "rules.json"
    file.write_bytes(msgspec.json.encode(data))
    with pytest.raises(rates.BadRules, match=said):
        rates.read(file)


def test_every_figure_has_a_source_with_an_address(rules: Rules) -> None:
    for source in rules.sources.values():
        assert all(address.startswith("http") for address in source.read_at)
    for name in rules.sources:
        assert rules.basis(name).source
