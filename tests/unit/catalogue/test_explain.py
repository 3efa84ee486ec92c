"""Rules in words: what a condition says, and what a reason says."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from civicmall.catalogue import Catalogue
from civicmall.catalogue.compile import Compiler
from civicmall.catalogue.evaluate import Node
from civicmall.catalogue.rules import Rule, Window
from civicmall.catalogue.windows import period

TODAY = date(2026, 11, 24)
FEMALE = {"attribute": "sex", "is": "female"}
ADULT = {"attribute": "age", "at_least": 18}
NEWBORN = {"attribute": "youngest_child_on", "since": {"under": 1, "unit": "months"}}


def node(catalogue: Catalogue, rule: dict[str, Any]) -> Node:
    compiler = Compiler(catalogue.vocabulary, catalogue.law)
    return compiler.rule(msgspec.convert(rule, Rule), "when")


@pytest.mark.parametrize(
    ("rule", "chinese", "english"),
    [
        (FEMALE, "性别为“女”。", "Sex is “female”."),
        ({"not": FEMALE}, "性别不为“女”。", "Sex is not “female”."),
        ({"not": ADULT}, "不符合（年龄不低于18岁）。", "Not (age is at least 18 years)."),
        ({"attribute": "age", "at_most": 0}, "年龄不超过0岁。", "Age is at most 0 years."),
        ({"attribute": "age", "at_least": 6, "at_most": 6}, "年龄为6岁。", "Age is 6 years."),
        ({"all": [FEMALE]}, "性别为“女”。", "Sex is “female”."),
        ({"all": [FEMALE, {"any": [ADULT, NEWBORN]}]},
         "性别为“女”，且（年龄不低于18岁，或最小的孩子出生后不满1个月）。",
         "Sex is “female”, and (age is at least 18 years, or less than 1 month since the birth of the youngest child)."),
        ({"attribute": "expecting", "is": True}, "您正在怀孕。", "You are expecting a child."),
        ({"not": {"attribute": "expecting", "is": True}}, "您未怀孕。",
         "You are not expecting a child."),
        ({"attribute": "pregnant", "is": True}, "怀孕为“正在怀孕”。",
         "Pregnancy is “expecting a child”."),
        ({"attribute": "graduated_on", "since": {"at_least": 6, "at_most": 24, "unit": "months"}},
         "毕业后已满6个月且不超过24个月。",
         "At least 6 months and at most 24 months since graduation."),
        ({"attribute": "retirement_on", "until": {"at_least": 1, "under": 3, "unit": "years"}},
         "距达到法定退休年龄至少1年且不满3年。",
         "At least 1 year and less than 3 years until reaching the statutory retirement age."),
        ({"attribute": "children_ages", "some": {"at_least": 3}}, "有孩子的年龄不低于3岁。",
         "A child's age is at least 3 years."),
    ],
)  # fmt: skip
def test_conditions(catalogue: Catalogue, rule: dict[str, Any], chinese: str, english: str) -> None:
    assert catalogue.words.conditions(node(catalogue, rule), "zh-CN") == chinese
    assert catalogue.words.conditions(node(catalogue, rule), "en") == english


MOTHER = {
    "birth_date": "1996-03-08", "sex": "female", "employment": "employed",
    "children": [{"birth_date": "2026-11-23"}, {"birth_date": "2021-05-20"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "chinese", "english"),
    [
        ({"all": [FEMALE, NEWBORN]},
         "您最小的孩子出生于2026年11月23日，您登记的性别为女。",
         "Your youngest child was born on November 23, 2026; you are registered as female."),
        ({"any": [{"not": FEMALE}, ADULT]}, "您今年30岁。", "You are 30 years old."),
        ({"not": {"any": [{"not": FEMALE}, {"not": ADULT}]}},
         "您登记的性别为女，您今年30岁。", "You are registered as female; you are 30 years old."),
        ({"attribute": "children_ages", "some": {"at_least": 3, "under": 18}},
         "您有5岁的孩子。", "You have a child aged 5."),
        ({"all": [ADULT, ADULT, {"attribute": "age", "under": 60}]},
         "您今年30岁。", "You are 30 years old."),
        ({"attribute": "has_children", "is": True}, "您有孩子。", "You have children."),
        ({"not": {"attribute": "kindergarten_by", "until": {"at_least": 0, "unit": "days"}}},
         "", ""),
        ({"not": FEMALE}, "", ""),
        ({"attribute": "low_income", "is": True}, "", ""),
    ],
)  # fmt: skip
def test_reasons(catalogue: Catalogue, rule: dict[str, Any], chinese: str, english: str) -> None:
    known = catalogue.known(MOTHER, TODAY)
    assert catalogue.words.reason(node(catalogue, rule), known, "zh-CN") == chinese
    assert catalogue.words.reason(node(catalogue, rule), known, "en") == english


def test_a_reason_is_no_list(catalogue: Catalogue) -> None:
    rule = {"all": [FEMALE, ADULT, NEWBORN, {"attribute": "employment", "is": "employed"}]}
    known = catalogue.known(MOTHER, TODAY)
    assert catalogue.words.reason(node(catalogue, rule), known, "en").count(";") == 2


@pytest.mark.parametrize(
    ("window", "chinese", "english"),
    [
        ({"opens": {"attribute": "graduated_on"}, "law": "school_age"}, "自毕业起。",
         "From graduation."),
        ({"opens": {"attribute": "graduated_on", "plus": 1, "unit": "months", "before": True},
          "closes": {"attribute": "graduated_on", "plus": {"law": "birth_registration_days"}}},
         "自毕业前1个月起，至毕业后30天止。",
         "From 1 month before graduation until 30 days after graduation."),
        ({"yearly": {"from": {"law": "income_tax_annual_settlement.from"},
                     "until": {"law": "income_tax_annual_settlement.until"}}},
         "每年3月1日至6月30日。", "Every year from March 1 to June 30."),
    ],
)  # fmt: skip
def test_windows(catalogue: Catalogue, window: dict[str, Any], chinese: str, english: str) -> None:
    compiler = Compiler(catalogue.vocabulary, catalogue.law)
    found = period(msgspec.convert(window, Window), compiler, catalogue.law)
    assert catalogue.words.window(found, "zh-CN") == chinese
    assert catalogue.words.window(found, "en") == english


@pytest.mark.parametrize(
    ("code", "facts", "today", "bounds"),
    [
        ("birth_registration", {"children": [{"birth_date": "2026-11-23"}]}, TODAY,
         (date(2026, 11, 23), date(2026, 12, 23))),
        ("birth_registration", {"children": []}, TODAY, (None, None)),
        ("birth_registration", {}, TODAY, (None, None)),
        ("vaccination_certificate", {"children": [{"birth_date": "2026-01-31"}]}, TODAY,
         (date(2026, 1, 31), date(2026, 2, 28))),
        ("driving_licence_renewal", {"driving_licence_until": "2027-03-31"}, TODAY,
         (date(2026, 12, 31), date(2027, 3, 31))),
        ("income_tax_annual_settlement", {}, date(2026, 6, 30),
         (date(2026, 3, 1), date(2026, 6, 30))),
        ("income_tax_annual_settlement", {}, date(2026, 7, 1),
         (date(2027, 3, 1), date(2027, 6, 30))),
    ],
)  # fmt: skip
def test_from_when_to_when(
    catalogue: Catalogue,
    code: str,
    facts: dict[str, Any],
    today: date,
    bounds: tuple[date | None, date | None],
) -> None:
    window = catalogue.entry(code).window
    assert window is not None
    assert window.bounds(catalogue.known(facts, today)) == bounds
