"""The sandbox's people: none exists, all are consistent, personas move with the calendar."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from shopkit.sandbox import HOUSEHOLDS, REGION, Person, check_digit, households, people, personas

days = st.dates(date(2024, 1, 1), date(2040, 12, 31))


def by_name(today: date) -> dict[str, Person]:
    return {person.persona: person for person in personas(today)}


@pytest.mark.parametrize(
    ("body", "digit"),
    [("11010519491231002", "X"), ("44052418800101001", "4")],  # the standard's own examples
)
def test_the_check_digit_is_the_standards(body: str, digit: str) -> None:
    """GB 11643-1999, ISO 7064 MOD 11-2."""
    assert check_digit(body) == digit


@given(days)
def test_nobody_shares_anything_that_identifies(today: date) -> None:
    everybody = people(today)
    for part in ("key", "phone", "id_number"):
        assert len({getattr(person, part) for person in everybody}) == len(everybody)


def test_everybodys_number_fits_them_and_no_place() -> None:
    for person in people(date(2025, 6, 1)):
        number = person.id_number
        assert number[:6] == REGION
        assert number[6:14] == f"{person.birth_date:%Y%m%d}"
        assert int(number[16]) % 2 == (person.sex == "male")
        assert number[-1] == ric.calc_check_digit(number)
        assert person.facts["birth_date"] == person.birth_date.isoformat()
        assert person.facts["sex"] == person.sex


def test_households_are_the_same_every_day() -> None:
    assert len(households()) == HOUSEHOLDS
    assert people(date(2025, 1, 1))[-HOUSEHOLDS:] == people(date(2031, 7, 9))[-HOUSEHOLDS:]


@given(days)
def test_personas_stand_where_their_names_say(today: date) -> None:
    found = by_name(today)

    def child(persona: str) -> date:
        (one,) = cast("list[dict[str, Any]]", found[persona].facts["children"])
        return date.fromisoformat(one["birth_date"])

    for parent in ("newborn_mother", "newborn_father"):
        assert child(parent) == today - timedelta(days=1)
    next_class = today.year if (today.month, today.day) <= (8, 31) else today.year + 1
    assert child("school_mother").year == next_class - 6
    for one in ("newlywed_wife", "newlywed_husband"):
        assert found[one].facts["married_on"] == (today - timedelta(days=10)).isoformat()
        assert found[one].facts["children"] == []
    assert found["graduate"].facts["marital_status"] == "single"
    for one in ("near_retirement_man", "near_retirement_woman"):
        born = found[one].birth_date
        age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
        assert age == 59 or (today.month, today.day) == (12, 31)
