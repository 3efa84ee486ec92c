"""Amounts by rule: exact, whole fen, never beyond the caps."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from medical_insurance.rules import (
    RULES,
    Claim,
    Rules,
    begins_on,
    full_years,
    in_collection,
    reckon,
)

ELIGIBLE = st.integers(0, 50_000_000)
CLAIMS = st.builds(
    Claim,
    kind=st.sampled_from(["outpatient", "inpatient"]),
    level=st.sampled_from(["1", "2", "3"]),
    category=st.sampled_from(["adult", "student", "newborn", "elderly"]),
    total_minor=ELIGIBLE,
    eligible_minor=ELIGIBLE,
    stay=st.integers(1, 5),
    deducted_before_minor=st.integers(0, 100_000),
    paid_before_minor=st.integers(0, 30_000_000),
)


def refund(kind: str, level: str, eligible: int, category: str = "adult", **more: int) -> int:
    plain = {"kind": kind, "level": level, "category": category, "total_minor": eligible}
    return reckon(
        RULES, msgspec.convert({**plain, "eligible_minor": eligible, **more}, Claim)
    ).amount_minor


@pytest.mark.parametrize(
    ("kind", "level", "eligible", "category", "more", "amount"),
    [
        ("outpatient", "1", 30_000, "adult", {}, 11_000),  # (300 - 100) x 55 %
        ("outpatient", "3", 30_000, "adult", {}, 0),  # below 550
        ("outpatient", "2", 155_000, "elderly", {}, 50_000),
        ("outpatient", "2", 155_000, "elderly", {"deducted_before_minor": 55_000}, 77_500),
        ("outpatient", "3", 9_000_000, "adult", {}, 500_000),  # the year's cap
        ("outpatient", "3", 9_000_000, "adult", {"paid_before_minor": 499_999}, 1),
        ("inpatient", "3", 1_130_000, "adult", {}, 750_000),
        ("inpatient", "3", 1_130_000, "adult", {"stay": 2}, 798_750),  # half the deductible
        ("inpatient", "3", 1_130_000, "student", {}, 798_750),
        ("inpatient", "2", 80_003, "adult", {}, 2),  # 2.34 fen
        ("inpatient", "1", 99_999_999, "adult", {}, 25_000_000),
    ],
)
def test_refunds_reckoned_by_hand(
    kind: str, level: str, eligible: int, category: str, more: dict[str, int], amount: int
) -> None:
    assert refund(kind, level, eligible, category, **more) == amount


@given(CLAIMS)
def test_a_refund_is_within_its_bounds_and_exact(claim: Claim) -> None:
    found = reckon(RULES, claim)
    rule = getattr(RULES.reimbursement, claim.kind)

    assert 0 <= found.amount_minor <= max(0, rule.cap_minor - claim.paid_before_minor)
    exact = max(0, claim.eligible_minor - found.deductible_minor) * found.share
    if not found.capped:
        assert abs(Fraction(found.amount_minor) - exact) <= Fraction(1, 2)
    assert 0 <= found.deductible_minor <= rule.levels[claim.level].deductible_minor


@given(CLAIMS, st.integers(0, 1_000_000))
def test_more_costs_never_bring_less(claim: Claim, more: int) -> None:
    larger = msgspec.structs.replace(claim, eligible_minor=claim.eligible_minor + more)

    assert reckon(RULES, larger).amount_minor >= reckon(RULES, claim).amount_minor


def test_contributions_are_the_published_ones_and_above_the_national_minimum() -> None:
    year = RULES.contribution(2026)

    assert (year.example, year.amounts_minor) == (
        False, {"adult": 79_500, "student": 43_500, "newborn": 43_500, "elderly": 46_000}
    )  # fmt: skip
    assert min(year.amounts_minor.values()) >= RULES.minimum.amount_minor


def test_an_unpublished_year_is_an_example() -> None:
    later = RULES.contribution(2031)

    assert (later.example, later.amounts_minor) == (True, RULES.contribution(2026).amounts_minor)


@given(st.dates(date(1930, 1, 1), date(2026, 1, 1)), st.integers(0, 36_500))
def test_one_is_as_old_as_birthdays_were(born: date, days: int) -> None:
    on = born + timedelta(days=days)
    age = full_years(born, on)

    assert abs(days / 365.2425 - age - 0.5) <= 0.51


@given(st.dates(date(2020, 1, 1), date(2090, 1, 1)))
def test_who_comes_late_waits_three_months(on: date) -> None:
    begins = begins_on(RULES, "adult", on.year, date(1990, 1, 1), on)

    assert (begins.year * 12 + begins.month) - (on.year * 12 + on.month) == 3
    assert begins.day <= on.day
    assert begins_on(RULES, "adult", on.year + 1, date(1990, 1, 1), on) == date(on.year + 1, 1, 1)
    assert begins_on(RULES, "newborn", on.year, on, on) == on


@pytest.mark.parametrize(("on", "is_open"), [((8, 31), False), ((9, 1), True), ((12, 31), True)])
def test_the_collection_period(on: tuple[int, int], *, is_open: bool) -> None:
    assert in_collection(RULES, date(2026, *on)) is is_open


def test_every_source_says_who_and_what_and_examples_are_marked() -> None:
    for source in RULES.sources.values():
        assert source.title["zh-CN"]
        assert source.authority["zh-CN"]
        assert source.number or source.url
        assert source.note
    assert RULES.flexible.example


def test_an_unknown_key_is_an_error() -> None:
    raw = msgspec.json.encode(RULES).replace(b'"minimum":{', b'"minimum":{"more":1,')
    with pytest.raises(msgspec.ValidationError, match="more"):
        msgspec.json.decode(raw, type=Rules)
