"""The data file: every figure is published or says that it isn't."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import utility_bills
from utility_bills import book, prices

FILE = utility_bills.shop.file.parent / "data" / "tariffs.json"


def test_the_manifest_publishes_the_fees_that_are_charged() -> None:
    for app in utility_bills.shop.manifest.apps:
        assert book.utilities[app.id].fee in [fee.code for fee in app.fees]


def test_every_source_says_where_it_was_read_and_is_used() -> None:
    text = FILE.read_text(encoding="utf-8")
    for name, source in book.sources.items():
        assert source.read_at, name
        assert {"zh-CN", "en"} <= source.title.keys(), name
        assert len(re.findall(f'"{name}"', text)) > 1, f"{name} supports nothing"


def test_a_late_fee_cites_or_confesses() -> None:
    for utility in book.utilities.values():
        assert (utility.late_fee.source is None) is utility.late_fee.example


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ("[207000, 407000, 607000]", "[207000, 407000]", "a price for each tier"),
        ('"source": "gas-prices"}', '"source": "nowhere"}', "no source nowhere"),
        (', "source": "gas-prices"}', "}", "a source, or example"),
        ('"basis": "month"', '"basis": "week"', "week"),
        ('"tiers_milli": [240000', '"tears": [240000', "tears"),
    ],
)  # fmt: skip
def test_a_wrong_file_says_what_is_wrong(tmp_path: Path, was: str, becomes: str, says: str) -> None:
    text = FILE.read_text(encoding="utf-8")
    assert was in text
    wrong = tmp_path / "tariffs.json"
    wrong.write_text(text.replace(was, becomes), encoding="utf-8")

    with pytest.raises(ValueError, match=says):
        prices.read(wrong)
