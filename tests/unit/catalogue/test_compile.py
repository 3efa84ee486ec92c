"""Rules, windows and content that can't be used stop the start and say where they are wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from civicmall.catalogue import BadContent, Catalogue
from civicmall.catalogue.compile import Compiler
from civicmall.catalogue.content import FILE_MAX, FOLDER, read
from civicmall.catalogue.errors import WrongRule
from civicmall.catalogue.evaluate import Atom, Not
from civicmall.catalogue.known import Axis
from civicmall.catalogue.rules import Rule, Window
from civicmall.catalogue.windows import period

BIRTH = "youngest_child_on"


def compiled(catalogue: Catalogue, rule: dict[str, Any]) -> Any:
    compiler = Compiler(catalogue.vocabulary, catalogue.law)
    return compiler.rule(msgspec.convert(rule, Rule), "when")


@pytest.mark.parametrize(
    ("rule", "atom"),
    [
        ({"attribute": "sex", "is": "female"}, Atom(Axis("sex"), choices=frozenset({"female"}))),
        ({"attribute": "age", "over": 17, "under": 60},
         Atom(Axis("age"), low=18, high=59, exclusive=True)),
        ({"attribute": "age", "at_least": {"law": "marriage_age.male"}},
         Atom(Axis("age"), low=22, laws=("marriage_age.male",))),
        ({"attribute": BIRTH, "since": {"at_most": 30, "unit": "days"}},
         Atom(Axis(BIRTH, "since", "days"), low=0, high=30)),
        ({"attribute": "retirement_on", "until": {"under": 3, "unit": "years"}},
         Atom(Axis("retirement_on", "until", "years"), low=0, high=2, exclusive=True)),
        ({"attribute": "children_ages", "some": {"at_least": 3, "at_most": 5}},
         Atom(Axis("children_ages"), low=3, high=5)),
    ],
)  # fmt: skip
def test_rules_compile(catalogue: Catalogue, rule: dict[str, Any], atom: Atom) -> None:
    assert compiled(catalogue, rule) == atom
    assert compiled(catalogue, {"not": rule}) == Not(atom)


@pytest.mark.parametrize(
    ("rule", "path", "problem"),
    [
        ({}, "when", "exactly one of all, any, not, attribute"),
        ({"all": [], "any": []}, "when", "exactly one"),
        ({"all": []}, "when.all", "is empty"),
        ({"any": [{"attribute": "age", "under": 3}], "is": "x"}, "when", "is needs an attribute"),
        ({"not": {"all": [{"attribute": "height", "over": 3}]}}, "when.not.all[0].attribute",
         "attributes.yaml has no height"),
        ({"attribute": "age"}, "when", "age is a number: look at it with bounds"),
        ({"attribute": "age", "is": "old"}, "when", "look at it with bounds"),
        ({"attribute": "sex", "under": 3}, "when", "look at it with is or in"),
        ({"attribute": "sex", "is": "male", "in": ["male"]}, "when", "is or in"),
        ({"attribute": "birth_date", "over": 3}, "when", "since or until"),
        ({"attribute": "children", "over": 3}, "when", "derived attributes only"),
        ({"attribute": "sex", "is": "other"}, "when", "sex has no value other"),
        ({"attribute": "sex", "is": True}, "when", "sex is a choice, not True"),
        ({"attribute": "expecting", "is": "true"}, "when", "expecting is a flag, not 'true'"),
        ({"attribute": "sex", "in": []}, "when", "in is empty"),
        ({"attribute": "age", "at_least": 3, "over": 3}, "when", "at_least and over"),
        ({"attribute": "age", "at_most": 3, "under": 3}, "when", "at_most and under"),
        ({"attribute": "age", "at_least": 9, "under": 9}, "when", "nothing lies between"),
        ({"attribute": BIRTH, "since": {"unit": "days"}}, "when.since", "has no bound"),
        ({"attribute": "children_ages", "some": {}}, "when.some", "has no bound"),
        ({"attribute": "age", "over": {"law": "no_such_law"}}, "when", "law.yaml has no no_such"),
        ({"attribute": "age", "over": {"law": "marriage_age"}}, "when", "no figure marriage_age"),
        ({"attribute": "age", "over": {"law": "marriage_age.male.x"}}, "when", "no figure"),
        ({"attribute": "age", "over": {"law": "school_age.by"}}, "when", "no whole number"),
    ],
)  # fmt: skip
def test_wrong_rules_say_where(
    catalogue: Catalogue, rule: dict[str, Any], path: str, problem: str
) -> None:
    with pytest.raises(WrongRule) as raised:
        compiled(catalogue, rule)
    assert raised.value.path == path
    assert problem in raised.value.problem


@pytest.mark.parametrize(
    ("window", "path", "problem"),
    [
        ({}, "window", "neither opens, closes nor yearly"),
        ({"opens": {"attribute": BIRTH}}, "window", "cites no law"),
        ({"opens": {"attribute": "age"}, "law": "school_age"}, "window.opens.attribute",
         "age is no date"),
        ({"closes": {"attribute": "x"}}, "window.closes.attribute", "attributes.yaml has no x"),
        ({"closes": {"attribute": BIRTH}, "law": "x"}, "window.law", "law.yaml has no x"),
        ({"yearly": {"from": {"law": "school_age.by"}, "until": {"law": "marriage_age.male"}}},
         "window.yearly.until", "no day of the year"),
        ({"yearly": {"from": {"law": "income_tax_annual_settlement.until"},
                     "until": {"law": "income_tax_annual_settlement.from"}}},
         "window.yearly", "ends before it begins"),
        ({"yearly": {"from": {"law": "income_tax_annual_settlement.from"},
                     "until": {"law": "income_tax_annual_settlement.until"}},
          "closes": {"attribute": BIRTH}}, "window", "yearly excludes"),
    ],
)  # fmt: skip
def test_wrong_windows_say_where(
    catalogue: Catalogue, window: dict[str, Any], path: str, problem: str
) -> None:
    compiler = Compiler(catalogue.vocabulary, catalogue.law)
    written = msgspec.convert(window, Window)
    with pytest.raises(WrongRule) as raised:
        period(written, compiler, catalogue.law)
    assert raised.value.path == path
    assert problem in raised.value.problem


def test_a_date_in_the_law_is_a_date(catalogue: Catalogue) -> None:
    with pytest.raises(WrongRule, match=r"school_age\.by in law\.yaml is no date"):
        catalogue.law.day("school_age.by")


Change = Callable[[Any], Any]


def with_item(**changes: Any) -> Change:
    """The first item of items/birth.yaml with some of its keys replaced; None removes one."""

    def change(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        first = {**items[0], **changes}
        return [{k: v for k, v in first.items() if v is not None}, *items[1:]]

    return change


def with_entry(name: str, **changes: Any) -> Change:
    return lambda entries: {**entries, name: {**entries.get(name, {}), **changes}}


ITEM = "birth_intention_registration"
WRONG: list[tuple[str, Change, str, str, str]] = [
    ("items/birth.yaml", with_item(colour="red"), ITEM, "$", "unknown field `colour`"),
    ("items/birth.yaml", with_item(name={"en": "x"}), ITEM, "name", "length >= 2"),
    ("items/birth.yaml", with_item(name={"en": "x", "fr": "y"}), ITEM, "name", "matching regex"),
    ("items/birth.yaml", with_item(code=None), "[0]", "$", "required field `code`"),
    ("items/birth.yaml", with_item(code="id_card_renewal"), "id_card_renewal", "code",
     "stands also in items/birth.yaml"),
    ("items/birth.yaml", with_item(department="magic"), ITEM, "department", "has no magic"),
    ("items/birth.yaml", with_item(kind="magic"), ITEM, "kind", "has no kind magic"),
    ("items/birth.yaml", with_item(events=["birth", "magic"]), ITEM, "events[1]", "magic"),
    ("items/birth.yaml", with_item(stages=["magic"]), ITEM, "stages[0]", "magic"),
    ("items/birth.yaml", with_item(basis=["magic"]), ITEM, "basis[0]", "has no magic"),
    ("items/birth.yaml", with_item(time="school_age"), ITEM, "time", "is not in days"),
    ("items/birth.yaml", with_item(fee="passport_days"), ITEM, "fee", "is not in fen"),
    ("items/birth.yaml", with_item(materials=[]), ITEM, "materials", "come together"),
    ("items/birth.yaml", with_item(materials=[], materials_law="x"), ITEM, "materials_law", "x"),
    ("items/birth.yaml", with_item(when={"attribute": "x", "is": "y"}), ITEM, "when.attribute",
     "attributes.yaml has no x"),
    ("items/birth.yaml", with_item(when={"attribute": "age", "beyond": 3}), ITEM, "when",
     "unknown field `beyond`"),
    ("items/birth.yaml", with_item(card={"bearing": "suggestion"}), ITEM, "card", "a condition"),
    ("items/birth.yaml",
     with_item(card={"bearing": "duty", "when": {"attribute": "age", "over": 3}}),
     ITEM, "basis", "names a law"),
    ("attributes.yaml", with_entry("age", type="size"), "age", "type", "size"),
    ("attributes.yaml", with_entry("age", **{"from": []}), "age", "from", "computed exactly"),
    ("attributes.yaml", with_entry("age", **{"from": ["x"]}), "age", "from[0]", "has no x"),
    ("attributes.yaml", with_entry("sex", **{"from": ["age"]}), "sex", "from", "computed"),
    ("attributes.yaml", with_entry("age", declared=True), "age", "declared", "can't be declared"),
    ("attributes.yaml", with_entry("children", declared=True), "children", "declared", "a list"),
    ("attributes.yaml", with_entry("veteran", values={}), "veteran", "values", "true"),
    ("attributes.yaml", with_entry("sex", values={}), "sex", "values", "has values"),
    ("attributes.yaml", lambda a: {k: v for k, v in a.items() if k != "elderly_on"},
     "elderly_on", "$", "is computed but not described"),
    ("law.yaml", lambda law: {k: v for k, v in law.items() if k != "elderly_age"}, "$", "law",
     "has no elderly_age"),
    ("law.yaml", lambda law: {**law, "x": {"value": 3}}, "x", "$", "required field `source`"),
    ("stages.yaml", with_entry("birth", when={"attribute": "x", "is": "y"}), "birth",
     "when.attribute", "has no x"),
    ("stages.yaml", lambda stages: {**stages, "magic": stages["birth"]}, "$", "$", "magic"),
    ("departments.yaml", lambda _: ["health"], "$", "$", "Expected `object`"),
    ("items/birth.yaml", lambda _: {"health": 1}, "$", "$", "Expected `array`"),
]  # fmt: skip


def opened(folder: Path) -> Catalogue:
    content = read(folder)
    now = datetime(2026, 11, 24, tzinfo=UTC)
    return Catalogue(content, [(w.file, w.item, now) for w in content.items])


@pytest.mark.parametrize(("file", "change", "entry", "path", "problem"), WRONG)
def test_wrong_content_names_file_entry_and_place(
    tmp_path: Path, file: str, change: Change, entry: str, path: str, problem: str
) -> None:
    shutil.copytree(FOLDER, tmp_path / "content")
    target = tmp_path / "content" / file
    target.write_text(yaml.safe_dump(change(yaml.safe_load(target.read_text()))))
    with pytest.raises(BadContent) as raised:
        opened(tmp_path / "content")
    seen = raised.value
    assert problem in seen.problem
    assert (seen.entry, seen.path) == (entry, path)
    assert seen.file == file or "stands also" in problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [("a: [", "no YAML"), ("x" * (FILE_MAX + 1), "larger than"), (None, "No such file")],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, text: str | None, problem: str) -> None:
    shutil.copytree(FOLDER, tmp_path / "content")
    target = tmp_path / "content" / "law.yaml"
    target.unlink()
    if text is not None:
        target.write_text(text)
    with pytest.raises(BadContent, match=problem) as raised:
        read(tmp_path / "content")
    assert raised.value.file == "law.yaml"
