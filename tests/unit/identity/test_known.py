"""What counts of what is said about a citizen: sources, days, objections, switches, life events."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicmall.identity import known as rules
from civicmall.identity.attributes.rules import (
    wrong_attestation,
    wrong_day,
    wrong_declaration,
)
from civicmall.identity.known import REGISTER, SELF, EventKind, Known, LifeEvent, Said
from shopkit.contract import fault

TODAY = date(2026, 6, 1)
NOW = datetime(2026, 6, 1, 4, tzinfo=UTC)


def said(source: str, value: Any, day: int = 1, told: int = 0) -> Said:
    """What a source says, as of a day of May, told so many hours later."""
    return Said(source, value, date(2026, 5, day), NOW + timedelta(hours=told))


def gathered(*told: Said, disputed: frozenset[str] = frozenset(), off: bool = False) -> Known:
    """All that is said of one attribute."""
    disputes = {("housing", source): NOW for source in disputed}
    names = frozenset({"housing"}) if off else frozenset[str]()
    return rules.gathered([("housing", one) for one in told], [], disputes, names, TODAY)["housing"]


def test_what_is_attested_counts_more_than_ones_own_word() -> None:
    one = gathered(said(SELF, "tenant", 31, 9), said("housing_fund", "owner", 1))
    assert one.value == "owner"
    shown = rules.view(one)
    assert (shown.source, shown.as_of) == ("housing_fund", date(2026, 5, 1))
    assert [(o.source, o.value) for o in shown.others] == [(SELF, "tenant")]


def test_of_two_that_attest_the_later_day_counts_and_on_one_day_what_came_later() -> None:
    assert (
        gathered(said(REGISTER, "family", 3), said("housing_fund", "owner", 2, 5)).value == "family"
    )
    assert (
        gathered(said(REGISTER, "family", 2), said("housing_fund", "owner", 2, 5)).value == "owner"
    )
    assert (
        gathered(said(REGISTER, "family", 2, 6), said("housing_fund", "owner", 2, 5)).value
        == "family"
    )


def test_who_says_the_same_is_no_conflict() -> None:
    assert rules.view(gathered(said(SELF, "owner"), said("housing_fund", "owner"))).others == []


def test_no_recommendation_rests_on_what_is_disputed_or_switched_off() -> None:
    fund, own = said("housing_fund", "owner"), said(SELF, "tenant")
    one = gathered(fund, own, disputed=frozenset({"housing_fund"}))
    assert one.value == "owner"  # what the department would decide on
    assert rules.for_recommendation({"housing": one}) == {"housing": "tenant"}
    alone = gathered(fund, disputed=frozenset({"housing_fund"}))
    assert rules.for_recommendation({"housing": alone}) == {}
    assert rules.view(alone).disputed_at == NOW
    off = gathered(own, off=True)
    assert rules.for_recommendation({"housing": off}) == {}
    assert rules.facts({"housing": off}) == {"housing": "tenant"}


@given(
    st.lists(
        st.tuples(
            st.sampled_from([SELF, REGISTER, "housing_fund", "public_security"]),
            st.sampled_from(["owner", "tenant", "family"]),
            st.integers(1, 31),
            st.integers(0, 50),
        ),
        min_size=1,
        max_size=4,
        unique_by=(lambda t: t[0], lambda t: t[3]),
    ),
    st.randoms(),
)
def test_what_counts_is_the_same_in_whatever_order_it_came(told: list[Any], random: Any) -> None:
    lines = [said(*one) for one in told]
    first = gathered(*lines)
    random.shuffle(lines)
    assert gathered(*lines) == first
    attested = [one for one in lines if one.source != SELF]
    best = max(attested or lines, key=lambda o: (o.as_of if attested else date.min, o.told_at))
    assert first.value == best.value


def event(kind: EventKind, on: str, told: int = 0) -> LifeEvent:
    """An event, told so many hours later."""
    return LifeEvent(kind, date.fromisoformat(on), SELF, NOW + timedelta(hours=told))


def led_to(*events: LifeEvent) -> dict[str, Any]:
    return {name: one.value for name, one in rules.from_events(events, TODAY).items()}


def test_events_lead_to_attributes() -> None:
    assert led_to(event("married", "2026-05-20")) == {
        "marital_status": "married", "married_on": "2026-05-20",
    }  # fmt: skip
    assert led_to(event("retired", "2026-05-20")) == {"employment": "retired"}
    assert led_to(event("started_business", "2026-05-20")) == {"employment": "self_employed"}


def test_the_last_event_counts_however_late_the_first_is_told() -> None:
    life = [event("divorced", "2024-01-01"), event("married", "2020-01-01", 5)]
    assert led_to(*life)["marital_status"] == "divorced"
    assert led_to(*life)["married_on"] == "2020-01-01"


def test_children_are_gathered_and_a_birth_ends_the_pregnancy() -> None:
    life = [event("child_born", "2026-05-01"), event("pregnant", "2025-10-01"), event("child_born", "2020-03-04")]  # fmt: skip
    found = led_to(*life)
    assert found["pregnant"] is False
    assert found["children"] == [{"birth_date": "2020-03-04"}, {"birth_date": "2026-05-01"}]


def test_of_ones_own_words_the_last_counts_whatever_day_they_speak_of() -> None:
    own = ("employment", Said(SELF, "employed", date(2026, 5, 1), NOW + timedelta(hours=3)))
    for told, counts in ((2, "employed"), (4, "retired")):
        life = [event("retired", "2026-05-20", told)]
        found = rules.gathered([own], life, {}, frozenset(), TODAY)["employment"]
        assert found.value == counts
        assert len(rules.view(found).others) == 1


def test_a_pregnancy_that_nobody_ended_is_over_after_ten_months() -> None:
    assert led_to(event("pregnant", "2026-01-01")) == {"pregnant": True}
    assert led_to(event("pregnant", "2025-08-05")) == {"pregnant": True}
    assert led_to(event("pregnant", "2025-08-04")) == {}


@pytest.mark.parametrize("kind", get_args(EventKind))
def test_whatever_an_event_leads_to_has_the_form_of_its_attribute(kind: EventKind) -> None:
    found = led_to(event(kind, "2026-05-20"))
    assert found
    assert {name: fault(name, value) for name, value in found.items()} == dict.fromkeys(found, "")


def test_attested_days_are_events_by_themselves() -> None:
    told = [
        ("married_on", Said("civil_affairs", "2020-05-20", TODAY, NOW)),
        (
            "children",
            Said(REGISTER, [{"birth_date": "2021-01-01"}, {"birth_date": None}], TODAY, NOW),
        ),
        ("graduated_on", Said(SELF, "2018-06-30", TODAY, NOW)),
        ("moved_on", Said(REGISTER, "no day", TODAY, NOW)),
    ]
    known = rules.gathered(told, [], {}, frozenset(), TODAY)
    found = {(e.kind, e.on.isoformat(), e.source) for e in rules.attested_events(known)}
    assert found == {
        ("married", "2020-05-20", "civil_affairs"), ("child_born", "2021-01-01", REGISTER),
    }  # fmt: skip


def test_a_day_to_come_is_no_day_of_a_life() -> None:
    assert wrong_day(TODAY + timedelta(days=1), TODAY)
    assert wrong_day(date(1899, 12, 31), TODAY)
    assert not wrong_day(TODAY, TODAY)


@pytest.mark.parametrize(
    ("name", "value", "as_of", "field"),
    [
        ("housing", "owner", TODAY, "name"),
        ("id_card_until", "2036-13-01", TODAY, "value"),
        ("id_card_until", 20360101, TODAY, "value"),
        ("id_card_until", "2036-01-01", TODAY + timedelta(days=1), "as_of"),
        ("id_card_until", "2036-01-01", date(1899, 1, 1), "as_of"),
        ("id_card_until", "2036-01-01", TODAY, ""),
        ("id_card_until", None, TODAY, ""),
    ],
)
def test_what_may_be_attested(name: str, value: Any, as_of: date, field: str) -> None:
    wrong = wrong_attestation(name, value, as_of, {"id_card_until"}, TODAY)
    assert (wrong[0] if wrong else "") == field


@pytest.mark.parametrize(
    "facts",
    [
        {"marital_status": "married", "married_on": "2026-05-20"},
        {"employment": None},
        {"pregnant": True, "moved_on": "2026-01-31"},
        {"insured_pension_years": 0},
        {"insured_pension_years": 60},
        {},
    ],
)
def test_what_may_be_declared(facts: dict[str, Any]) -> None:
    assert wrong_declaration(facts) is None


@pytest.mark.parametrize(
    ("facts", "field", "says"),
    [
        ({"level": 3}, "level", "can't be declared"),
        ({"birth_date": "1996-03-08"}, "birth_date", "can't be declared"),
        ({"sex": None}, "sex", "can't be declared"),
        ({"employment": "astronaut"}, "employment", "Invalid enum"),
        ({"marital_status": 1}, "marital_status", "str"),
        ({"married_on": "yesterday"}, "married_on", "date"),
        ({"married_on": "1899-12-31"}, "married_on", "1900"),
        ({"children": []}, "children", "can't be declared"),
        ({"pregnant": "yes"}, "pregnant", "bool"),
        ({"insured_pension_years": 61}, "insured_pension_years", "<= 60"),
        ({"insured_pension_years": -1}, "insured_pension_years", ">= 0"),
        ({"insured_pension_years": True}, "insured_pension_years", "int"),
        ({"pregnant": True, "housing": []}, "housing", "str"),
    ],
)
def test_what_may_not_is_named(facts: dict[str, Any], field: str, says: str) -> None:
    wrong = wrong_declaration(facts)
    assert wrong is not None
    assert wrong[0] == field
    assert says in wrong[1]
