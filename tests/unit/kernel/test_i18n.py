"""Two languages: which one somebody reads, and what they are told in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicmall.kernel import i18n


@pytest.mark.parametrize(
    ("asked", "lang"),
    [
        (None, "zh-CN"),
        ("", "zh-CN"),
        ("*", "zh-CN"),
        ("en", "en"),
        ("en-GB", "en"),
        ("EN-us", "en"),
        ("zh", "zh-CN"),
        ("zh-Hant-TW", "zh-CN"),
        ("fr", "zh-CN"),
        ("enm", "zh-CN"),
        ("fr, en;q=0.3", "en"),
        ("en;q=0.3, zh;q=0.8", "zh-CN"),
        ("en;q=0.8, zh;q=0.3", "en"),
        ("en;q=0", "zh-CN"),
        ("en;q=loud", "zh-CN"),
        ("en;q=nan", "zh-CN"),
        (" en ; q=0.9 , zh;q=0.1", "en"),
    ],
)
def test_the_language_that_somebody_reads(asked: str | None, lang: str) -> None:
    """RFC 9110, 12.5.4; where nothing fits, the city's own."""
    assert i18n.choose(asked) == lang


@given(st.text(max_size=2000))
def test_any_header_gets_an_answer(asked: str) -> None:
    assert i18n.choose(asked) in {"zh-CN", "en"}


def test_the_text_in_a_language_or_the_next_best() -> None:
    both = {"zh-CN": "水费", "en": "Water"}
    assert (i18n.pick(both, "en"), i18n.pick(both, "zh-CN")) == ("Water", "水费")
    assert i18n.pick({"zh-CN": "水费"}, "en") == "水费"
    assert i18n.pick({"zh-CN": "水费", "en": ""}, "en") == "水费"
    assert i18n.pick({"en": "Water"}, "zh-CN") == "Water"
    assert i18n.pick({}, "en") == ""


def test_messages_are_english_in_the_code_and_chinese_in_the_catalogue() -> None:
    assert i18n.translate("en", "There is nothing here.") == "There is nothing here."
    assert i18n.translate("zh-CN", "There is nothing here.") == "这里没有您要找的内容。"
    assert i18n.translate("zh-CN", "Nobody ever said this.") == "Nobody ever said this."


def test_values_go_into_the_message() -> None:
    assert i18n.translate("en", "{count} bills", count=3) == "3 bills"
    assert i18n.translate("en", "braces { stay } here") == "braces { stay } here"
