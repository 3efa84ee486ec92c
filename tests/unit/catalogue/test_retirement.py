"""The statutory retirement age against the tables published with the decision of 2024."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from civicmall.catalogue import Catalogue, derive

MALE, FEMALE_55, FEMALE_50 = "male", "female_55", "female_50"
TABLE = [
    (MALE, (1964, 12), 60, 0),
    (MALE, (1965, 1), 60, 1),
    (MALE, (1965, 4), 60, 1),
    (MALE, (1965, 5), 60, 2),
    (MALE, (1966, 12), 60, 6),
    (MALE, (1970, 1), 61, 4),
    (MALE, (1976, 8), 62, 11),
    (MALE, (1976, 9), 63, 0),
    (MALE, (1999, 12), 63, 0),
    (FEMALE_55, (1969, 12), 55, 0),
    (FEMALE_55, (1970, 1), 55, 1),
    (FEMALE_55, (1970, 5), 55, 2),
    (FEMALE_55, (1981, 8), 57, 11),
    (FEMALE_55, (1981, 9), 58, 0),
    (FEMALE_50, (1974, 12), 50, 0),
    (FEMALE_50, (1975, 1), 50, 1),
    (FEMALE_50, (1975, 3), 50, 2),
    (FEMALE_50, (1984, 10), 54, 11),
    (FEMALE_50, (1984, 11), 55, 0),
    (FEMALE_50, (1990, 1), 55, 0),
]
TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(("line", "born", "years", "months"), TABLE)
def test_the_published_tables(
    catalogue: Catalogue, line: derive.Line, born: tuple[int, int], years: int, months: int
) -> None:
    schedule = derive.retirement_line(catalogue.law, line)
    for day in (1, 15, 28):
        reached = derive.retirement_age_months(date(*born, day), schedule)
        assert divmod(reached, 12) == (years, months)


@pytest.mark.parametrize("line", [MALE, FEMALE_55, FEMALE_50])
def test_the_age_rises_by_single_months_and_never_falls(
    catalogue: Catalogue, line: derive.Line
) -> None:
    schedule = derive.retirement_line(catalogue.law, line)
    ages = [
        derive.retirement_age_months(date(year, month, 1), schedule)
        for year in range(1955, 2000)
        for month in range(1, 13)
    ]
    assert {later - earlier for earlier, later in pairwise(ages)} == {0, 1}
    assert (ages[0], ages[-1]) == (schedule.from_months, schedule.to_months)


@pytest.mark.parametrize(
    ("facts", "on"),
    [
        ({"birth_date": "1965-01-10", "sex": "male"}, date(2025, 2, 10)),
        ({"birth_date": "1966-12-31", "sex": "male"}, date(2027, 6, 30)),
        ({"birth_date": "1970-05-20", "sex": "female", "post": "management"}, date(2025, 7, 20)),
        ({"birth_date": "1975-03-01", "sex": "female", "post": "worker"}, date(2025, 5, 1)),
    ],
)
def test_the_day_of_retirement(catalogue: Catalogue, facts: dict[str, str], on: date) -> None:
    assert catalogue.known(facts, TODAY).value("retirement_on") == on


def test_a_woman_must_tell_her_post_and_a_man_need_not(catalogue: Catalogue) -> None:
    woman = catalogue.known({"birth_date": "1975-03-01", "sex": "female"}, TODAY)
    assert woman.value("retirement_on") == derive.Unknown(frozenset({"post"}))
    nobody = catalogue.known({}, TODAY)
    assert nobody.value("retirement_on") == derive.Unknown(frozenset({"sex"}))


@pytest.mark.parametrize(
    ("born", "first"),
    [
        ("1965-01-10", date(2025, 1, 10)),  # one month of delay: not before 60
        ("1976-09-01", date(2036, 9, 1)),  # 63 less three years is 60
    ],
)
def test_flexible_retirement_is_never_before_the_old_age(
    catalogue: Catalogue, born: str, first: date
) -> None:
    known = catalogue.known({"birth_date": born, "sex": "male"}, TODAY)
    assert known.value("early_retirement_from") == first


@pytest.mark.parametrize(
    ("year", "years", "months"),
    [(2025, 15, 0), (2029, 15, 0), (2030, 15, 6), (2031, 16, 0), (2038, 19, 6), (2039, 20, 0),
     (2060, 20, 0)],
)  # fmt: skip
def test_the_minimum_of_contributions(
    catalogue: Catalogue, year: int, years: int, months: int
) -> None:
    needed = derive.pension_minimum_months(year, catalogue.law)
    assert divmod(needed, 12) == (years, months)


def test_whether_contributions_suffice(catalogue: Catalogue) -> None:
    man = {"birth_date": "1966-12-31", "sex": "male"}
    for paid, enough in ((14, False), (15, True)):
        known = catalogue.known({**man, "insured_pension_years": paid}, TODAY)
        assert known.value("pension_reached") is enough
    missing = catalogue.known(man, TODAY).value("pension_reached")
    assert missing == derive.Unknown(frozenset({"insured_pension_years"}))
