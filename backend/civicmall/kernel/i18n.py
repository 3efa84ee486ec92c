"""Two languages: zh-CN first, English complete.

Content is a map by language tag. Messages of the program are English in the code and translated
through gettext catalogues, one `locale/zh.po` per room, read as they are (no build step).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, Literal

from babel.messages.pofile import read_po

Lang = Literal["zh-CN", "en"]
Text = Mapping[Any, str]
"""By language tag. Any, because a Mapping of Literal tags is no Mapping of str to a checker."""
DEFAULT: Final[Lang] = "zh-CN"
KNOWN: Final[dict[str, Lang]] = {"zh": "zh-CN", "en": "en"}
"""By primary subtag; zh-TW and zh-Hant get the same texts."""
ASKED_MAX: Final = 500
"""Characters of an Accept-Language header that are read."""
ROOMS: Final = Path(__file__).parent.parent


def choose(asked: str | None) -> Lang:
    """The language for an Accept-Language header (RFC 9110 12.5.4); zh-CN where none fits."""
    return _choose((asked or "")[:ASKED_MAX])


@lru_cache(maxsize=1_024)
def _choose(asked: str) -> Lang:
    """The same; browsers say the same few things again and again."""
    best: tuple[float, Lang] = (0.0, DEFAULT)
    for part in asked.split(","):
        tag, _, params = part.strip().partition(";")
        try:
            weight = float(params.partition("q=")[2] or 1)
        except ValueError:
            continue
        lang = KNOWN.get(tag.partition("-")[0].strip().lower())
        if lang and weight > best[0]:
            best = (weight, lang)
    return best[1]


def pick(text: Text, lang: str) -> str:
    """The text in `lang`, else in zh-CN, else in whatever there is."""
    return text.get(lang) or text.get(DEFAULT) or next(iter(text.values()), "")


def translate(lang: str, msgid: str, **values: Any) -> str:
    """A message of the program; `{name}` in it is filled from `values`."""
    said = catalogue().get(msgid, msgid) if lang == "zh-CN" else msgid
    return said.format(**values) if values else said


def both(msgid: str, **values: Text | str) -> Text:
    """A message in both languages; values that are texts are filled in each in its own."""

    def one(lang: Lang) -> str:
        filled = {
            name: value if isinstance(value, str) else pick(value, lang)
            for name, value in values.items()
        }
        return translate(lang, msgid, **filled)

    return {"zh-CN": one("zh-CN"), "en": one("en")}


@cache
def catalogue() -> dict[str, str]:
    """English → Chinese, from every room's `locale/zh.po`."""
    messages: dict[str, str] = {}
    for path in sorted(ROOMS.glob("*/locale/zh.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="zh_CN"):
                if isinstance(message.id, str) and message.id and message.string:
                    messages[message.id] = str(message.string)
    return messages
