"""The names people rate with: five levels, tags with their levels, versions that stay."""

from __future__ import annotations

import hashlib

import msgspec

from civicmall.ratings.levels import CURRENT, VERSIONS, view

USED = {1: "b594498ee5e33d87"}
"""Version → the beginning of its SHA-256. A used version never changes: add a new one."""


def test_five_levels_best_first() -> None:
    for names in VERSIONS.values():
        assert [level.stars for level in names.levels] == [5, 4, 3, 2, 1]
    assert view("zh-CN").levels[0].name == "非常满意"
    assert view("en").levels[-1].name == "Very dissatisfied"


def test_every_level_has_tags_and_every_tag_an_indicator() -> None:
    for names in VERSIONS.values():
        indicators = {i.code for i in names.indicators}
        assert len({t.code for t in names.tags}) == len(names.tags)
        for tag in names.tags:
            assert tag.indicator in indicators
            assert tag.stars
        for level in view("en", names).levels:
            assert len(level.tags) >= 3


def test_everything_has_both_languages() -> None:
    for names in VERSIONS.values():
        for named in [*names.levels, *names.indicators, *names.tags]:
            assert set(named.name) == {"zh-CN", "en"}


def test_a_used_version_stays_as_it_is() -> None:
    for version, names in VERSIONS.items():
        digest = hashlib.sha256(msgspec.json.encode(names, order="deterministic")).hexdigest()
        assert digest.startswith(USED[version]), f"version {version} was changed: {digest}"


def test_a_tag_of_another_version_is_shown_by_its_code() -> None:
    assert CURRENT.tag_names(["quick", "gone"], "en") == ["Quick", "gone"]
