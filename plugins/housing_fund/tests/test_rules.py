"""Who may withdraw how much: every rule, with the field it belongs to."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from housing_fund import words
from housing_fund.loans import Loan, Standing, Terms
from housing_fund.rates import Rules
from housing_fund.rules import Ask, Facts, Taken, asked, change_refusals, limit, refusals
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

TODAY = date(2026, 11, 25)
FACTS = Facts(TODAY, 5_000_000, 40_000, 36, None, has_loan=False)
RENT = Ask("rent", 600_000, date(2026, 8, 1), 3, 250_000)
PURCHASE = Ask("purchase", 4_000_000, signed_on=date(2026, 6, 1), price_minor=200_000_000, loan_minor=120_000_000)  # fmt: skip
OVERHAUL = Ask("renovation", 3_000_000, invoiced_on=date(2026, 6, 1), cost_minor=3_000_000)
SEALED = replace(FACTS, sealed_on=date(2026, 5, 1))
RETIRED = Ask("retirement", retired_on=date(2026, 10, 31))
LEFT = Ask("departure", left_on=date(2026, 4, 30))


@pytest.mark.parametrize(
    ("ask", "facts"),
    [(RENT, FACTS), (PURCHASE, FACTS), (OVERHAUL, FACTS), (RETIRED, SEALED), (LEFT, SEALED),
     (replace(RENT, rent_from=date(2026, 9, 1)), FACTS),
     (replace(RENT, public_rental=True, amount_minor=750_000), FACTS),
     (RENT, replace(FACTS, taken=[Taken(date(2026, 8, 3), "rent", 1, date(2026, 8, 1))])),
     (replace(PURCHASE, signed_on=date(2025, 11, 1)), FACTS),
     (PURCHASE, replace(FACTS, taken=[Taken(date(2026, 5, 31), "purchase", 79_000_000)]))],
    ids=["rent", "purchase", "overhaul", "retired", "left", "up to this month", "public rental",
         "rent that follows", "a year ago", "an earlier home"],
)  # fmt: skip
def test_what_is_granted(rules: Rules, ask: Ask, facts: Facts) -> None:
    assert refusals(rules.withdrawal, ask, facts) == []


@pytest.mark.parametrize(
    ("ask", "facts", "field", "said"),
    [
        (replace(RENT, amount_minor=600_001), FACTS, "amount_minor", "6000.00"),
        (replace(RENT, rent_month_minor=150_000), FACTS, "amount_minor", "4500.00"),
        (replace(RENT, owns_home=True), FACTS, "owns_home", "自有住房"),
        (RENT, replace(FACTS, has_loan=True), None, "贷款"),
        (RENT, replace(FACTS, deposits_in_a_row=2), None, "现为2个月"),
        (replace(RENT, rent_from=date(2026, 8, 2)), FACTS, "rent_from", "1日"),
        (replace(RENT, rent_from=date(2026, 10, 1)), FACTS, "rent_months", "本月为止"),
        (RENT, replace(FACTS, taken=[Taken(date(2026, 9, 3), "rent", 1, date(2026, 9, 1))]), "rent_from", "2026年09月"),
        (RENT, replace(FACTS, balance_minor=599_999), "amount_minor", "5999.99"),
        (replace(PURCHASE, signed_on=date(2026, 11, 26)), FACTS, "signed_on", "今天"),
        (replace(PURCHASE, signed_on=date(2025, 10, 31)), FACTS, "signed_on", "12个月"),
        (replace(PURCHASE, loan_minor=200_000_000), FACTS, "loan_minor", "小于"),
        (replace(PURCHASE, loan_minor=199_000_000), FACTS, "amount_minor", "10000.00"),
        (PURCHASE, replace(FACTS, taken=[Taken(date(2026, 7, 1), "purchase", 79_000_000)]), "amount_minor", "10000.00"),
        (replace(OVERHAUL, amount_minor=3_000_001), FACTS, "amount_minor", "30000.00"),
        (replace(OVERHAUL, invoiced_on=date(2025, 10, 1)), FACTS, "invoiced_on", "12个月"),
        (RETIRED, FACTS, None, "封存"),
        (replace(RETIRED, retired_on=date(2026, 12, 1)), SEALED, "retired_on", "今天"),
        (RETIRED, replace(SEALED, has_loan=True), None, "结清"),
        (RETIRED, replace(SEALED, balance_minor=0, accrued_minor=0), None, "没有余额"),
        (LEFT, replace(SEALED, sealed_on=date(2026, 6, 1)), None, "满6个月"),
    ],
    ids=str.split(
        "cap rent owns loan deposits first future again balance signed old borrowed price taken cost "
        "invoice open retiring debt empty sealed"
    ),
)  # fmt: skip
def test_what_is_refused_and_why(
    rules: Rules, ask: Ask, facts: Facts, field: str | None, said: str
) -> None:
    (only,) = refusals(rules.withdrawal, ask, facts)
    assert only.field == field
    assert said in only.message["zh-CN"]


def test_all_reasons_are_told_at_once(rules: Rules) -> None:
    ask = replace(RENT, owns_home=True)
    facts = replace(FACTS, has_loan=True, deposits_in_a_row=0)
    assert len(refusals(rules.withdrawal, ask, facts)) == 3


@given(
    amount=st.integers(1, 10_000_000), rent=st.integers(1, 1_000_000), months=st.integers(1, 4),
    balance=st.integers(0, 10_000_000), public=st.booleans(),
)  # fmt: skip
def test_never_more_than_cap_rent_and_balance(
    rules: Rules, *, amount: int, rent: int, months: int, balance: int, public: bool
) -> None:
    ask = Ask("rent", amount, date(2026, 8, 1), months, rent, public)
    granted = not refusals(rules.withdrawal, ask, replace(FACTS, balance_minor=balance))
    cap = rent if public else min(rent, 200_000)
    assert granted == (amount <= balance and amount <= cap * months)
    assert limit(rules.withdrawal, ask, FACTS) == cap * months


@pytest.mark.parametrize("ask", [RETIRED, LEFT], ids=["retired", "left"])
def test_who_closes_the_account_gets_interest_too(rules: Rules, ask: Ask) -> None:
    assert limit(rules.withdrawal, ask, SEALED) == 5_040_000


@pytest.mark.parametrize(
    ("values", "variant", "wrong"),
    [
        ({"reason": "rent", "amount_minor": 1}, None,
         {"rent_from", "rent_months", "rent_month_minor", "owns_home"}),
        ({"reason": "retirement", "retired_on": "2026-10-31", "amount_minor": 1}, None, {"amount_minor"}),
        ({"retired_on": "2026-10-31", "left_on": "2026-10-31"}, "retirement", {"left_on"}),
        ({}, "departure", {"left_on"}),
    ],
    ids=["missing", "too much", "another reason's", "empty"],
)  # fmt: skip
def test_fields_of_another_reason_and_missing_ones_are_named(
    values: dict[str, Any], variant: str | None, wrong: set[str]
) -> None:
    found = asked(values, variant)
    assert isinstance(found, list)
    assert {reason.field for reason in found} == wrong


def test_a_form_is_read_by_its_reason() -> None:
    assert asked({"retired_on": "2026-10-31"}, "retirement") == RETIRED
    assert asked({"reason": "retirement", "retired_on": "2026-10-31"}, None) == RETIRED


LOAN = Loan("DK1", "first", date(2024, 3, 9), 60_000_000, 240, "equal_instalments", 1, 20, 0)
NOW = Standing(date(2026, 12, 1), 55_000_000, 208, Terms(date(2024, 4, 1), "equal_instalments", 1))


@pytest.mark.parametrize(
    ("loan", "now", "changed", "field", "said"),
    [
        (replace(LOAN, overdue_minor=12_345), NOW, [], None, "123.45"),
        (LOAN, replace(NOW, months_left=11), [], None, "现为11个月"),
        (LOAN, replace(NOW, months_left=237), [], None, "现为3个月"),
        (LOAN, NOW, [date(2025, 11, 26)], None, "2026-11-26"),
    ],
    ids=["arrears", "end", "new", "again"],
)
def test_what_keeps_a_repayment_from_being_changed(
    rules: Rules, loan: Loan, now: Standing, changed: list[date], field: str | None, said: str
) -> None:
    (only,) = change_refusals(rules.change, loan, now, "equal_principal", 1, changed, TODAY)
    assert only.field == field
    assert said in only.message["zh-CN"]


def test_a_change_to_the_same_is_none(rules: Rules) -> None:
    (only,) = change_refusals(rules.change, LOAN, NOW, "equal_instalments", 1, [], TODAY)
    assert (only.field, only.message) == ("method", words.SAME_WAY)


def test_a_year_after_the_last_change_it_may_be_changed(rules: Rules) -> None:
    last = [date(2025, 11, 25)]
    assert change_refusals(rules.change, LOAN, NOW, "equal_principal", 12, last, TODAY) == []
