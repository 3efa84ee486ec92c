"""What the content must have: real items, both languages, a source for every figure."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest

from civicmall.catalogue import Catalogue, Entry, item_guide
from civicmall.catalogue.content import read
from civicmall.catalogue.evaluate import atoms
from shopkit.contract import DECLARABLE, NAMES, TYPES, fault

HAN: Final = re.compile(r"[\u3400-\u9fff\uff00-\uffef]")
LATIN: Final = re.compile(r"[A-Za-z]{2,}")
RELIED_UPON: Final = {
    "id_card_under16", "id_card_renewal", "id_card_replacement",
    "water_payment", "power_payment", "gas_payment", "heating_payment",
}  # fmt: skip
"""Codes that shops' manifests name."""


def test_there_are_real_items_in_every_stage(catalogue: Catalogue) -> None:
    assert len(catalogue.entries) >= 120
    for stage in catalogue.stages:
        assert sum(stage in e.item.stages for e in catalogue.entries) >= 14
    assert {e.item.code for e in catalogue.entries} >= RELIED_UPON


def test_names_differ(catalogue: Catalogue) -> None:
    for lang in ("zh-CN", "en"):
        names = [e.item.name[lang] for e in catalogue.entries]
        assert len(names) == len(set(names))


def test_every_item_can_be_found_by_everyday_words_in_both_languages(
    catalogue: Catalogue,
) -> None:
    for entry in catalogue.entries:
        assert any(word.isascii() for word in entry.item.words), entry.item.code
        assert any(not word.isascii() for word in entry.item.words), entry.item.code


def test_chinese_is_chinese_and_english_is_english() -> None:
    content = read()
    texts = [
        *(text for a in content.attributes.values()
          for text in (a.label, a.fact, a.question, a.unit, *a.values.values())),
        *(text for figure in content.law.values() for text in (figure.source, figure.note)),
        *content.departments.values(), *content.kinds.values(), *content.events.values(),
        *(text for stage in content.stages.values() for text in (stage.name, stage.summary)),
        *(w.item.name for w in content.items),
        *(text for w in content.items for text in (*(w.item.materials or ()),
                                                    *(w.item.steps or ()))),
    ]  # fmt: skip
    for text in texts:
        if text is not None:
            assert not HAN.search(text["en"]), text
            assert HAN.search(text["zh-CN"]) or text["zh-CN"] == "{value}", text


def rules_of(entry: Entry) -> list[tuple[str, object]]:
    return [(name, rule) for name in ("when", "home") if (rule := getattr(entry, name)) is not None]


def test_every_rule_is_explained_in_both_languages(catalogue: Catalogue) -> None:
    for entry in catalogue.entries:
        for rule in (entry.when, entry.home):
            if rule is None:
                continue
            chinese = catalogue.words.conditions(rule, "zh-CN")
            english = catalogue.words.conditions(rule, "en")
            assert chinese.endswith("。"), entry.item.code
            assert not LATIN.search(chinese), chinese
            assert english.endswith("."), entry.item.code
            assert not HAN.search(english), english
            assert "{" not in chinese + english


def test_every_window_is_explained_in_both_languages(catalogue: Catalogue) -> None:
    windows = [e.window for e in catalogue.entries if e.window]
    assert len(windows) >= 8
    for window in windows:
        assert not LATIN.search(catalogue.words.window(window, "zh-CN"))
        assert not HAN.search(catalogue.words.window(window, "en"))


def test_every_guide_is_whole_in_both_languages(catalogue: Catalogue) -> None:
    for entry in catalogue.entries:
        guides = {lang: item_guide(catalogue, entry, {}, lang) for lang in ("zh-CN", "en")}
        assert not HAN.search(guides["en"].name + guides["en"].department.name)
        assert guides["en"].unknown == guides["zh-CN"].unknown
        for field in guides["en"].unknown:
            assert getattr(guides["en"], field) is None


def test_every_cited_figure_has_a_source(catalogue: Catalogue) -> None:
    cited = {name for e in catalogue.entries for name in e.laws}
    cited |= {
        law
        for e in catalogue.entries
        for rule in (e.when, e.home)
        if rule is not None
        for atom in atoms(rule)
        for law in atom.laws
    }
    assert len(cited) > 50
    for name in cited:
        source = catalogue.law.figure(name).source
        assert source["zh-CN"]
        assert source["en"]


def test_duties_and_entitlements_name_a_law(catalogue: Catalogue) -> None:
    for entry in catalogue.entries:
        if entry.item.card and entry.item.card.bearing in {"duty", "entitlement"}:
            assert entry.laws, entry.item.code


def test_no_figure_of_the_law_is_there_for_nobody(catalogue: Catalogue) -> None:
    cited = {name for e in catalogue.entries for name in e.laws}
    computed = {"school_age", "kindergarten_age", "elderly_age", "retirement_age",
                "pension_minimum_years", "unemployment_registration"}  # fmt: skip
    assert set(catalogue.law.names()) - cited - computed == set()


def test_kept_facts_and_rules_share_one_vocabulary(catalogue: Catalogue) -> None:
    """What the contract says that a citizen's attributes look like is what the vocabulary says: which
    there are, which a citizen may declare, and the values of each.
    """
    told = {name: a for name, a in catalogue.vocabulary.items() if not a.derived}
    assert set(told) == NAMES == set(TYPES)
    assert {name for name, a in told.items() if a.declared} == DECLARABLE
    for name, attribute in told.items():
        right: list[Any] = {
            "date": ["2020-02-29"], "flag": [True, False], "number": [1], "children": [[], [{"birth_date": "2020-02-29"}]],
            "choice": [*attribute.values],
        }[attribute.type]  # fmt: skip
        assert [value for value in right if fault(name, value)] == [], name
        unfit: list[Any] = ["no such value", -1, 2.5, [None], {}]
        for wrong in unfit:
            assert fault(name, wrong), (name, wrong)


def test_the_sensitive_has_no_way_to_be_asked_unprompted(catalogue: Catalogue) -> None:
    sensitive = {name for name, a in catalogue.vocabulary.items() if a.sensitive}
    assert sensitive >= {"pregnant", "has_disability", "low_income"}


@pytest.mark.parametrize("code", sorted(RELIED_UPON))
def test_codes_that_shops_rely_on_stay(catalogue: Catalogue, code: str) -> None:
    assert catalogue.entry(code).item.code == code
