"""Different lives, different homes: who sees what, on several days."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from civicmall.catalogue import YES, Catalogue, answer
from civicmall.recommend import Card, cards
from civicmall.recommend.rules import CARDS_MAX
from civicmall.shops import Registry
from shopkit.sandbox import Person, people, personas

DAYS = [
    date(2026, 1, 15),
    date(2026, 8, 20),
    date(2026, 9, 1),
    date(2026, 11, 24),
    date(2028, 2, 29),
]
NOBODY = Registry([])


def person(persona: str, today: date) -> Person:
    return next(p for p in personas(today) if p.persona == persona)


def home(catalogue: Catalogue, facts: dict[str, Any], today: date, lang: str = "en") -> list[Card]:
    return cards(catalogue, NOBODY, catalogue.known(facts, today), {}, lang)


def codes(catalogue: Catalogue, persona: str, today: date) -> list[str]:
    return [card.item for card in home(catalogue, person(persona, today).facts, today)]


@pytest.mark.parametrize("today", DAYS)
def test_parents_of_a_newborn(catalogue: Catalogue, today: date) -> None:
    mother, father = (codes(catalogue, f"newborn_{who}", today) for who in ("mother", "father"))
    for seen in (mother, father):
        assert set(seen[:2]) == {"birth_registration", "vaccination_certificate"}
        assert seen[2:5] == [
            "childcare_subsidy", "birth_certificate_first", "resident_medical_insurance_newborn",
        ]  # fmt: skip
        assert "infant_care_tax_deduction" in seen
    assert {"maternity_allowance", "maternity_medical_payment"} <= set(mother) - set(father)


@pytest.mark.parametrize("today", DAYS)
def test_the_mother_of_a_schoolchild(catalogue: Catalogue, today: date) -> None:
    seen = home(catalogue, person("school_mother", today).facts, today)
    assert seen[0].item == "primary_school_enrolment"
    assert seen[0].kind == "duty"
    assert seen[0].deadline == date(today.year + (today > date(today.year, 8, 31)), 8, 31)
    assert {"education_tax_deduction", "resident_medical_insurance_student"} <= {
        card.item for card in seen[:5]
    }


@pytest.mark.parametrize("today", DAYS)
def test_a_graduate_without_work(catalogue: Catalogue, today: date) -> None:
    seen = codes(catalogue, "graduate", today)
    assert seen[:2] == ["id_card_renewal", "unemployment_registration"]
    assert set(seen[2:9]) >= {
        "internship_subsidy", "graduate_file_transfer", "talent_household_registration",
        "public_rental_housing",
    }  # fmt: skip


@pytest.mark.parametrize("today", DAYS)
def test_newly_weds(catalogue: Catalogue, today: date) -> None:
    wife, husband = (codes(catalogue, f"newlywed_{who}", today) for who in ("wife", "husband"))
    for seen in (wife, husband):
        assert seen[0] == "household_marital_status"
        assert set(seen[1:9]) >= {
            "couple_household_move", "preconception_examination", "housing_fund_joint_repayment",
            "family_medical_account",
        }  # fmt: skip
        assert "marriage_registration" not in seen
    assert "folic_acid" in set(wife) - set(husband)


@pytest.mark.parametrize("today", DAYS)
def test_a_man_before_retirement(catalogue: Catalogue, today: date) -> None:
    seen = {c.item: c for c in home(catalogue, person("near_retirement_man", today).facts, today)}
    assert next(iter(seen)) == "elderly_card"
    assert {"retirement_application", "deemed_contribution_years"} <= set(list(seen)[:5])
    assert seen["elderly_card"].starts_on == date(today.year, 12, 31)
    retires = seen["retirement_application"].starts_on
    assert retires is not None
    assert retires > date(today.year, 12, 31)
    assert "pension_qualification" not in seen


@pytest.mark.parametrize("today", DAYS)
def test_a_woman_who_has_retired(catalogue: Catalogue, today: date) -> None:
    seen = codes(catalogue, "near_retirement_woman", today)
    assert {"elderly_card", "pension_qualification", "family_doctor"} <= set(seen[:5])
    assert "retirement_application" not in seen


@pytest.mark.parametrize("today", DAYS)
def test_homes_are_visibly_different(catalogue: Catalogue, today: date) -> None:
    lives = ("newborn_mother", "school_mother", "graduate", "newlywed_wife", "near_retirement_man")
    tops = {life: set(codes(catalogue, life, today)[:4]) for life in lives}
    for one in lives:
        for other in lives:
            assert one == other or tops[one].isdisjoint(tops[other]), (one, other)


def test_the_stages_of_each_life(catalogue: Catalogue) -> None:
    today = date(2026, 11, 24)
    expected = {
        "newborn_mother": ["birth", "work"], "newborn_father": ["birth", "work"],
        "school_mother": ["school", "work"], "graduate": ["work"],
        "newlywed_wife": ["work", "marriage"], "newlywed_husband": ["work", "marriage"],
        "near_retirement_man": ["work", "retirement"], "near_retirement_woman": ["retirement"],
    }  # fmt: skip
    for persona, stages in expected.items():
        facts = person(persona, today).facts
        assert catalogue.stages_of(catalogue.known(facts, today)) == stages
    assert catalogue.stages_of(catalogue.known({}, today)) == []


@pytest.mark.parametrize("today", DAYS)
def test_nobody_sees_what_does_not_hold(catalogue: Catalogue, today: date) -> None:
    for one in people(today):
        seen = home(catalogue, one.facts, today)
        assert len(seen) <= CARDS_MAX
        assert len({card.item for card in seen}) == len(seen)
        for card in seen:
            entry = catalogue.entry(card.item)
            assert entry.home is not None
            on = card.starts_on or today
            assert answer(entry.home, catalogue.known(one.facts, on)) is YES, card.item
            if entry.when is not None:
                assert answer(entry.when, catalogue.known(one.facts, on)) is YES, card.item
            assert card.starts_on is None or card.starts_on > today


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_every_card_has_a_reason_in_one_language(catalogue: Catalogue, lang: str) -> None:
    for today in DAYS:
        for one in personas(today):
            for card in home(catalogue, one.facts, today, lang):
                assert card.reason.endswith("。" if lang == "zh-CN" else ".")
                assert card.reason.isascii() == (lang == "en"), card.reason
                assert "{" not in card.reason
                if card.kind != "suggestion":
                    assert card.sources


def test_a_reason_fills_in_the_facts(catalogue: Catalogue) -> None:
    today = date(2026, 11, 24)
    facts = person("newborn_mother", today).facts
    chinese, english = (home(catalogue, facts, today, lang)[0] for lang in ("zh-CN", "en"))
    assert chinese.reason == "您最小的孩子出生于2026年11月23日。"
    assert english.reason == "Your youngest child was born on November 23, 2026."
    assert (english.deadline, english.days_left, english.urgency) == (
        date(2026, 12, 23), 29, "soon",
    )  # fmt: skip
    assert [source.source for source in english.sources] == [
        "Household Registration Regulations, art. 7"
    ]


def test_what_is_to_come_says_from_when(catalogue: Catalogue) -> None:
    today = date(2026, 11, 24)
    facts = {"birth_date": "1962-01-20", "sex": "male", "employment": "retired"}
    for lang, reason in (
        ("zh-CN", "自2027年1月20日起：您今年65岁。"),
        ("en", "From January 20, 2027: You are 65 years old."),
    ):
        card = next(
            c for c in home(catalogue, facts, today, lang) if c.item == "elderly_health_check"
        )
        assert card.reason == reason
        assert card.starts_on == date(2027, 1, 20)


def test_nobody_known_gets_no_cards(catalogue: Catalogue) -> None:
    assert home(catalogue, {}, date(2026, 11, 24)) == []
