"""People find what they mean by what they say."""

from __future__ import annotations

import pytest

from civicmall.catalogue import Catalogue


def found(catalogue: Catalogue, query: str) -> list[str]:
    hits = catalogue.find(query, stage=None, department=None, after=None, limit=100)
    return [entry.item.code for _, entry in hits]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("上户口", "birth_registration"),
        ("怎么给孩子上户口", "birth_registration"),
        ("出生登记", "birth_registration"),
        ("出生登记（国内出生）", "birth_registration"),
        ("领证", "marriage_registration"),
        ("身份证丢了", "id_card_replacement"),
        ("我的身份证丢了怎么办？", "id_card_replacement"),
        ("交水费", "water_payment"),
        ("暖气费", "heating_payment"),
        ("育儿补贴", "childcare_subsidy"),
        ("上小学", "primary_school_enrolment"),
        ("办退休", "retirement_application"),
        ("register a newborn", "birth_registration"),
        ("LOST identity card", "id_card_replacement"),
        ("water bill", "water_payment"),
        ("passp", "passport"),
        ("个税 退税", "income_tax_annual_settlement"),
    ],
)
def test_the_best_answer_comes_first(catalogue: Catalogue, query: str, first: str) -> None:
    assert found(catalogue, query)[0] == first


@pytest.mark.parametrize("query", ["", "   ", "？", "登月", "moon landing", "!!", "身份证 登月"])
def test_nothing_is_found_where_nothing_fits(catalogue: Catalogue, query: str) -> None:
    assert found(catalogue, query) == []


def test_every_item_is_found_by_its_names_and_words(catalogue: Catalogue) -> None:
    for entry in catalogue.entries:
        item = entry.item
        assert found(catalogue, item.name["zh-CN"].replace(" ", ""))[0] == item.code
        for query in (item.name["en"], *item.words):
            assert item.code in found(catalogue, query), query


def test_pages_follow_each_other_without_gap_or_overlap(catalogue: Catalogue) -> None:
    whole = catalogue.find("登记", stage=None, department=None, after=None, limit=100)
    assert len(whole) > 10
    pages: list[str] = []
    after: tuple[int, str] | None = None
    while page := catalogue.find("登记", stage=None, department=None, after=after, limit=3):
        pages += [entry.item.code for _, entry in page]
        after = (page[-1][0], page[-1][1].item.code)
    assert pages == [entry.item.code for _, entry in whole]


def test_filters_narrow_a_search(catalogue: Catalogue) -> None:
    hits = catalogue.find(
        "登记", stage="birth", department="public_security", after=None, limit=100
    )
    assert hits
    for _, entry in hits:
        assert "birth" in entry.item.stages
        assert entry.item.department == "public_security"


def test_lists_are_by_code(catalogue: Catalogue) -> None:
    first = catalogue.by_code(stage=None, department=None, after=None, limit=5)
    second = catalogue.by_code(stage=None, department=None, after=first[-1].item.code, limit=200)
    codes = [entry.item.code for entry in first + second]
    assert codes == sorted(entry.item.code for entry in catalogue.entries)
