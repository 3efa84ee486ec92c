"""Facts that follow from facts."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from civicmall.catalogue import Catalogue, Unknown
from civicmall.catalogue.known import read

TODAY = date(2026, 11, 24)


def value(catalogue: Catalogue, name: str, facts: dict[str, Any], today: date = TODAY) -> Any:
    return catalogue.known(facts, today).value(name)


def child(*born: str) -> dict[str, Any]:
    return {"children": [{"birth_date": day} for day in born]}


@pytest.mark.parametrize(
    ("name", "facts", "expected"),
    [
        ("age", {"birth_date": "2004-11-24"}, 22),
        ("age", {"birth_date": "2004-11-25"}, 21),
        ("age_this_year", {"birth_date": "2008-12-31"}, 18),
        ("elderly_on", {"birth_date": "1966-12-31"}, date(2026, 12, 31)),
        ("has_children", child(), False),
        ("has_children", child("2026-11-23"), True),
        ("youngest_child_on", child("2026-11-23", "2019-01-01"), date(2026, 11, 23)),
        ("youngest_child_on", child(), None),
        ("children_ages", child("2019-11-24", "2026-11-23"), (7, 0)),
        ("wedding_on", {"marital_status": "married", "married_on": "2026-11-14"},
         date(2026, 11, 14)),
        ("wedding_on", {"marital_status": "single"}, None),
        ("wedding_on", {"marital_status": "divorced", "married_on": "2020-01-01"}, None),
        ("expecting", {"sex": "male"}, False),
        ("expecting", {"sex": "female", "pregnant": True}, True),
    ],
)  # fmt: skip
def test_what_follows(
    catalogue: Catalogue, name: str, facts: dict[str, Any], expected: object
) -> None:
    assert value(catalogue, name, facts) == expected


@pytest.mark.parametrize(
    ("name", "facts", "missing"),
    [
        ("age", {}, "birth_date"),
        ("wedding_on", {"married_on": "2026-11-14"}, "marital_status"),
        ("wedding_on", {"marital_status": "married"}, "married_on"),
        ("expecting", {"pregnant": True}, "sex"),
        ("expecting", {"sex": "female"}, "pregnant"),
        ("primary_school_by", {}, "children"),
    ],
)
def test_what_is_missing(
    catalogue: Catalogue, name: str, facts: dict[str, Any], missing: str
) -> None:
    assert value(catalogue, name, facts) == Unknown(frozenset({missing}))


@pytest.mark.parametrize(
    ("born", "today", "by"),
    [
        ("2020-08-31", date(2026, 1, 1), date(2026, 8, 31)),
        ("2020-08-31", date(2026, 8, 31), date(2026, 8, 31)),
        ("2020-08-31", date(2026, 9, 1), None),  # at school since today
        ("2020-09-01", date(2026, 8, 31), None),
        ("2020-09-01", date(2026, 9, 1), date(2027, 8, 31)),
        ("2021-05-20", TODAY, date(2027, 8, 31)),
        ("2021-09-01", TODAY, None),
        ("2020-02-29", date(2026, 3, 1), date(2026, 8, 31)),
    ],
)
def test_six_by_the_end_of_august(
    catalogue: Catalogue, born: str, today: date, by: date | None
) -> None:
    assert value(catalogue, "primary_school_by", child(born), today) == by


def test_every_child_starts_school_in_exactly_one_year(catalogue: Catalogue) -> None:
    for month in range(1, 13):
        for day in (1, 28):
            facts = child(date(2020, month, day).isoformat())
            years = [
                year
                for year in range(2024, 2030)
                if value(catalogue, "primary_school_by", facts, date(year, 8, 31))
            ]
            assert len(years) == 1


ODD: list[dict[str, Any]] = [
    {"birth_date": "yesterday"}, {"birth_date": 19990101}, {"birth_date": None},
    {"children": "two"}, {"children": [{}]}, {"children": [{"birth_date": "x"}]},
    {"children": ["2020-01-01"]}, {"employment": "king"}, {"employment": True},
    {"pregnant": 1}, {"insured_pension_years": "15"}, {"insured_pension_years": True},
    {"children_ages": [1]},
]  # fmt: skip


@pytest.mark.parametrize("facts", ODD)
def test_odd_facts_count_as_unknown(catalogue: Catalogue, facts: dict[str, Any]) -> None:
    known = catalogue.known(facts, TODAY)
    for name in catalogue.vocabulary:
        assert isinstance(known.value(name), Unknown)


def test_a_date_may_come_as_a_date(catalogue: Catalogue) -> None:
    assert value(catalogue, "age", {"birth_date": date(2004, 11, 24)}) == 22


def test_numbers_are_computed_and_never_told(catalogue: Catalogue) -> None:
    assert read(catalogue.vocabulary["children_ages"], [1, 2]) is None


def test_another_day_another_age(catalogue: Catalogue) -> None:
    known = catalogue.known({"birth_date": "1966-12-31"}, TODAY)
    assert (known.value("age"), known.on(date(2026, 12, 31)).value("age")) == (59, 60)
