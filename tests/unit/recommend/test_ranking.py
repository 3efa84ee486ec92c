"""The order of cards: the formula, deadlines, windows, feedback, and the question."""

from __future__ import annotations

import sys
import time
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicmall.catalogue import AtHome, Catalogue, answer
from civicmall.catalogue.windows import Period, Shift
from civicmall.recommend import Card, Feedback, cards, question, rules
from civicmall.shops import Registry
from shopkit.sandbox import people, personas

TODAY = date(2026, 11, 24)
NOBODY = Registry([])


def home(
    catalogue: Catalogue,
    facts: dict[str, Any],
    today: date = TODAY,
    said: dict[str, Feedback] | None = None,
) -> list[Card]:
    return cards(catalogue, NOBODY, catalogue.known(facts, today), said or {}, "en")


def codes(*args: Any, **kwargs: Any) -> list[str]:
    return [card.item for card in home(*args, **kwargs)]


def born(day: date, **more: Any) -> dict[str, Any]:
    return {"sex": "male", "children": [{"birth_date": day.isoformat()}], **more}


def candidate(catalogue: Catalogue, facts: dict[str, Any], code: str) -> rules.Candidate:
    found = rules.candidates(catalogue, catalogue.known(facts, TODAY))
    return next(one for one in found if one.shown.entry.item.code == code)


def test_the_formula(catalogue: Catalogue) -> None:
    yesterday = TODAY - timedelta(days=1)
    one = candidate(catalogue, born(yesterday), "birth_registration")
    expected = 30 + 40 * 30 / (30 + 29) + 20 * 30 / 31
    assert rules.score(one, [], TODAY) == round(expected, 6)
    assert rules.score(one, ["birth"], TODAY) == round(expected + 6, 6)
    assert rules.score(one, ["work"], TODAY) == round(expected, 6)


def test_what_cannot_be_done_yet_counts_as_a_suggestion(catalogue: Catalogue) -> None:
    facts = {"birth_date": "1966-12-31", "sex": "male"}
    one = candidate(catalogue, facts, "elderly_card")
    assert one.starts_on == date(2026, 12, 31)
    expected = 8 + 20 * 30 / (30 + 37) + 20 * 30 / (30 + 37)
    assert rules.score(one, [], TODAY) == round(expected, 6)


@given(st.integers(0, 170), st.integers(0, 170))
def test_a_nearer_deadline_never_ranks_lower(catalogue: Catalogue, one: int, other: int) -> None:
    def score(age_days: int) -> float:
        facts = born(TODAY - timedelta(days=age_days))
        found = candidate(catalogue, facts, "birth_registration")
        return rules.score(found, [], TODAY) - 20 * 30 / (30 + age_days)  # without recency

    assert (one <= other) <= (score(one) <= score(other) + 1e-5)


@pytest.mark.parametrize(
    ("age_days", "urgency", "days_left"),
    [(0, "soon", 30), (22, "soon", 8), (23, "now", 7), (30, "now", 0), (31, "overdue", -1)],
)
def test_a_duty_is_shown_until_and_after_its_deadline(
    catalogue: Catalogue, age_days: int, urgency: str, days_left: int
) -> None:
    seen = home(catalogue, born(TODAY - timedelta(days=age_days)))
    card = next(c for c in seen if c.item == "birth_registration")
    assert (card.urgency, card.days_left) == (urgency, days_left)
    assert seen[0].kind == "duty"


def test_urgency_in_words() -> None:
    words = [rules.urgency(TODAY + timedelta(days=d), TODAY) for d in (-1, 0, 7, 8, 30, 31)]
    assert words == ["overdue", "now", "now", "soon", "soon", "later"]
    assert rules.urgency(None, TODAY) == "none"


@pytest.mark.parametrize(
    ("today", "shown"),
    [
        (date(2026, 2, 28), False),
        (date(2026, 3, 1), True),
        (date(2026, 6, 30), True),
        (date(2026, 7, 1), False),
    ],
)
def test_a_yearly_window_opens_and_closes(
    catalogue: Catalogue, today: date, *, shown: bool
) -> None:
    seen = codes(catalogue, {"employment": "employed"}, today)
    assert ("income_tax_annual_settlement" in seen) == shown


def test_an_open_rule_waits_for_its_window(catalogue: Catalogue) -> None:
    """A rule that holds while its window is shut: announced in time, and not after the end."""
    entry = catalogue.entry("diploma_lookup")
    rule = entry.home
    assert rule is not None

    def seen(opens: int, closes: int, bearing: Any = "suggestion") -> rules.Candidate | None:
        facts = {"graduated_on": TODAY.isoformat()}
        window = Period(
            Shift("graduated_on", opens, "days"), Shift("graduated_on", closes, "days"), None, ()
        )
        one = AtHome(msgspec.structs.replace(entry, window=window), rule, bearing, 20)
        return rules.candidate(one, catalogue.known(facts, TODAY), None)

    early = seen(20, 40)
    assert early is not None
    assert early.starts_on == TODAY + timedelta(days=20)
    assert seen(21, 40) is None
    assert seen(-20, -1) is None
    assert seen(-20, -1, "duty") is not None
    now = seen(-20, 0)
    assert now is not None
    assert (now.starts_on, now.deadline) == (None, TODAY)


def test_a_claim_ends_with_its_window(catalogue: Catalogue) -> None:
    third = date(2023, 11, 24)
    assert "childcare_subsidy" in codes(catalogue, born(third + timedelta(days=1)))
    assert "childcare_subsidy" not in codes(catalogue, born(third))


@pytest.mark.parametrize(
    ("ahead", "shown"), [(91, False), (90, True), (1, True), (0, True), (-1, True)]
)
def test_an_entitlement_is_announced_in_time(
    catalogue: Catalogue, ahead: int, *, shown: bool
) -> None:
    birthday = TODAY + timedelta(days=ahead)
    facts = {"birth_date": birthday.replace(year=birthday.year - 65).isoformat()}
    seen = {card.item: card for card in home(catalogue, facts)}
    assert ("elderly_health_check" in seen) == shown
    if shown:
        assert seen["elderly_health_check"].starts_on == (birthday if ahead > 0 else None)


def test_the_driving_licence_before_during_and_after(catalogue: Catalogue) -> None:
    def seen(days: int) -> Card | None:
        until = (TODAY + timedelta(days=days)).isoformat()
        found = home(catalogue, {"driving_licence_until": until})
        return next((c for c in found if c.item == "driving_licence_renewal"), None)

    assert seen(91) is None
    card = seen(90)
    assert card is not None
    assert (card.kind, card.urgency, card.starts_on) == ("duty", "later", None)


def test_equal_scores_keep_the_editors_order(catalogue: Catalogue) -> None:
    seen = codes(catalogue, {"employment": "unemployed"})
    orders = [catalogue.entry(code).order for code in seen]
    assert orders == sorted(orders)
    assert seen == codes(catalogue, {"employment": "unemployed"})


# Feedback


def said(action: Any, on: date, until: date | None = None) -> Feedback:
    return Feedback("birth_registration", action, on, until)


@pytest.mark.parametrize(
    ("feedback", "gone"),
    [
        (None, False),
        (said("dismiss", TODAY), True),
        (said("not_me", TODAY), True),
        (said("snooze", TODAY, TODAY + timedelta(days=1)), True),
        (said("snooze", TODAY, TODAY), False),
        (said("dismiss", TODAY - timedelta(days=2)), False),  # before the birth: another occasion
        (said("not_me", TODAY - timedelta(days=2)), False),
        (said("dismiss", TODAY - timedelta(days=1)), True),
    ],
)
def test_what_was_said_is_heeded(
    catalogue: Catalogue, feedback: Feedback | None, *, gone: bool
) -> None:
    heard = {"birth_registration": feedback} if feedback else {}
    seen = codes(catalogue, born(TODAY - timedelta(days=1)), said=heard)
    assert ("birth_registration" not in seen) == gone
    assert "vaccination_certificate" in seen


def test_what_was_dismissed_may_come_back_after_a_year() -> None:
    for action, days, gone in (
        ("dismiss", 364, True), ("dismiss", 365, False), ("not_me", 5_000, True),
    ):  # fmt: skip
        then = said(action, TODAY - timedelta(days=days))
        assert rules.hidden(then, None, TODAY) == gone


def test_next_years_tax_is_another_occasion(catalogue: Catalogue) -> None:
    code = "income_tax_annual_settlement"
    heard = {code: Feedback(code, "dismiss", date(2026, 3, 15))}
    worker = {"employment": "employed"}
    assert code not in codes(catalogue, worker, date(2026, 6, 1), heard)
    assert code in codes(catalogue, worker, date(2027, 3, 1), heard)


@pytest.mark.parametrize(
    ("asked", "until"),
    [
        (None, TODAY + timedelta(days=30)),
        (TODAY, None),
        (TODAY - timedelta(days=1), None),
        (TODAY + timedelta(days=1), TODAY + timedelta(days=1)),
        (TODAY + timedelta(days=365), TODAY + timedelta(days=365)),
        (TODAY + timedelta(days=366), None),
    ],
)
def test_how_long_a_card_may_sleep(asked: date | None, until: date | None) -> None:
    assert rules.snooze_until(asked, TODAY) == until


# The question


def test_the_question_settles_more_than_any_other(catalogue: Catalogue) -> None:
    for person in people(TODAY)[:60]:
        known = catalogue.known(person.facts, TODAY)
        asked = question(catalogue, known, {}, "en")
        _, unknown = catalogue.for_home(known)
        alone: dict[str, int] = {}
        for one in unknown:
            missing = answer(one.rule, known).missing
            if len(missing) == 1:
                (name,) = missing
                attribute = catalogue.vocabulary[name]
                if attribute.declared and attribute.question and not attribute.sensitive:
                    alone[name] = alone.get(name, 0) + 1
        assert asked is not None
        assert asked.settles == max(alone.values(), default=0)


def test_the_answer_settles_what_was_promised(catalogue: Catalogue) -> None:
    facts: dict[str, Any] = {
        "birth_date": "1992-02-08",
        "sex": "male",
        "employment": "employed",
        "children": [],
    }
    before = catalogue.known(facts, TODAY)
    asked = question(catalogue, before, {}, "zh-CN")
    assert asked is not None
    assert (asked.attribute, asked.text) == ("marital_status", "您目前的婚姻状况是？")
    assert [option.value for option in asked.options] == [
        "single", "married", "divorced", "widowed",
    ]  # fmt: skip
    after = catalogue.known({**facts, "marital_status": "single"}, TODAY)
    settled = len(catalogue.for_home(before)[1]) - len(catalogue.for_home(after)[1])
    assert settled >= asked.settles > 0


def test_a_flag_is_asked_with_true_and_false(catalogue: Catalogue) -> None:
    facts: dict[str, Any] = {
        "birth_date": "2000-02-08", "sex": "male", "employment": "retired", "children": [],
        "marital_status": "single", "graduated_on": "2020-07-01", "moved_on": "2010-01-01",
        "housing": "family", "student": False, "has_vehicle": False, "veteran": False,
        "low_income": False, "has_disability": False, "id_card_until": "2040-01-01",
        "driving_licence_until": "2040-01-01", "insured_pension_years": 5,
    }  # fmt: skip
    asked = question(catalogue, catalogue.known(facts, TODAY), {}, "en")
    assert asked is not None
    assert (asked.attribute, asked.type) == ("has_housing_fund", "flag")
    assert [(o.value, o.label) for o in asked.options] == [
        (True, "have a housing fund account"), (False, "have no housing fund account"),
    ]  # fmt: skip


def test_nothing_is_asked_when_everything_is_known_or_waved_away(catalogue: Catalogue) -> None:
    nobody = catalogue.known({}, TODAY)
    gone = {
        e.item.code: Feedback(e.item.code, "not_me", TODAY) for e in catalogue.entries if e.home
    }
    assert question(catalogue, nobody, {}, "en") is not None
    assert question(catalogue, nobody, gone, "en") is None


def test_only_what_may_be_asked_is_asked(catalogue: Catalogue) -> None:
    for person in people(TODAY)[:60]:
        asked = question(catalogue, catalogue.known(person.facts, TODAY), {}, "en")
        assert asked is not None
        attribute = catalogue.vocabulary[asked.attribute]
        assert attribute.declared
        assert not attribute.sensitive
        assert asked.attribute not in person.facts


@pytest.mark.skipif(sys.gettrace() is not None, reason="whoever traces us slows us down")
def test_a_home_is_cheap(catalogue: Catalogue) -> None:
    """Meant to cost well under a millisecond; three, and the best of many runs, so that a slow
    or busy machine tells the truth too.
    """
    for person in personas(TODAY):
        best = 1.0
        for _ in range(40):
            began = time.perf_counter()
            known = catalogue.known(person.facts, TODAY)
            cards(catalogue, NOBODY, known, {}, "zh-CN")
            question(catalogue, known, {}, "zh-CN")
            best = min(best, time.perf_counter() - began)
        assert best < 0.003, person.persona
