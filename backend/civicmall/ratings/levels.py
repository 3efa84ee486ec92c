"""The versioned names of levels, indicators and tags: content/levels.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from civicmall.kernel import i18n

CONTENT: Final = Path(__file__).with_name("content") / "levels.yaml"


class Level(Struct, frozen=True, forbid_unknown_fields=True):
    """One of the five levels."""

    stars: int
    code: str
    name: dict[str, str]


class Indicator(Struct, frozen=True, forbid_unknown_fields=True):
    """What a tag is about."""

    code: str
    name: dict[str, str]


class TagName(Struct, frozen=True, forbid_unknown_fields=True):
    """A tag, the indicator it belongs to, and the levels that show it."""

    code: str
    indicator: str
    stars: list[int]
    name: dict[str, str]


class Levels(Struct, frozen=True, forbid_unknown_fields=True):
    """One version of the names."""

    version: int
    levels: list[Level]
    indicators: list[Indicator]
    tags: list[TagName]

    def allowed(self) -> Mapping[str, list[int]]:
        """Tag → the stars that it belongs to."""
        return {tag.code: tag.stars for tag in self.tags}

    def level(self, stars: int, lang: str) -> str:
        """The name of a level."""
        return next(i18n.pick(level.name, lang) for level in self.levels if level.stars == stars)

    def tag_names(self, codes: list[str], lang: str) -> list[str]:
        """Names of tags; one that this version doesn't have is shown by its code."""
        names = {tag.code: tag.name for tag in self.tags}
        return [i18n.pick(names.get(code, {"en": code}), lang) for code in codes]


class TagView(Struct, frozen=True):
    """A tag in one language."""

    code: str
    name: str
    indicator: str


class LevelView(Struct, frozen=True):
    """A level and its tags in one language."""

    stars: int
    code: str
    name: str
    tags: list[TagView]


class LevelsView(Struct, frozen=True):
    """What can be said in a rating now, best level first."""

    version: int
    levels: list[LevelView]


VERSIONS: Final[dict[int, Levels]] = {
    names.version: names for names in msgspec.yaml.decode(CONTENT.read_bytes(), type=list[Levels])
}
CURRENT: Final = VERSIONS[max(VERSIONS)]


def view(lang: str, names: Levels = CURRENT) -> LevelsView:
    """The names in one language."""
    indicators = {i.code: i18n.pick(i.name, lang) for i in names.indicators}
    return LevelsView(
        names.version,
        [
            LevelView(
                stars=level.stars,
                code=level.code,
                name=i18n.pick(level.name, lang),
                tags=[
                    TagView(tag.code, i18n.pick(tag.name, lang), indicators[tag.indicator])
                    for tag in names.tags
                    if level.stars in tag.stars
                ],
            )
            for level in names.levels
        ],
    )
