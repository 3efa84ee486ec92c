"""Finding items by what people say: names, everyday words, English words. Small and honest: no
pinyin, no spelling mistakes; whatever is found holds every word that was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from .models import Item

QUERY_MAX: Final = 80
"""Characters of a query that are looked at: nobody types more to find a service."""
EXACT, PREFIX, NAME, WORD, INSIDE, ENGLISH = 100, 80, 70, 60, 50, 30
"""How good a hit is: the whole name or word, its beginning, a part of the name, a part of an
everyday word, a word inside a longer question, English words."""
SHORTEST_INSIDE: Final = 2
"""Characters of an everyday word that may be found inside a question: one says too little."""
_LATIN: Final = re.compile(r"[a-z0-9']+")
_PLAIN: Final = str.maketrans("", "", "()（）、，,。·-—《》“”\"'? ？!！")


class Indexed(Struct, frozen=True):
    """What one item is found by, all in lower case."""

    chinese: tuple[str, ...]
    """The name, then the everyday words, without punctuation."""
    english: frozenset[str]


def index(item: Item) -> Indexed:
    """Prepare one item."""
    words = [item.name["zh-CN"], *(word for word in item.words if not word.isascii())]
    latin = [item.name["en"], *(word for word in item.words if word.isascii())]
    return Indexed(
        tuple(plain(word) for word in words),
        frozenset(token for text in latin for token in _LATIN.findall(text.lower())),
    )


def plain(text: str) -> str:
    """Lower case, without punctuation and spaces."""
    return text.lower().translate(_PLAIN)


def score(entry: Indexed, query: str) -> int:
    """How well an item answers a query; 0 where it doesn't."""
    parts = query.lower()[:QUERY_MAX].split()
    if not parts:
        return 0
    scores = [_part(entry, part) for part in parts]
    return min(scores) if all(scores) else 0


def _part(entry: Indexed, part: str) -> int:
    if part.isascii():
        return _english(entry, _LATIN.findall(part))
    asked = plain(part)
    return max(_chinese(word, asked, is_name=i == 0) for i, word in enumerate(entry.chinese))


def _chinese(word: str, asked: str, *, is_name: bool) -> int:
    if not asked:
        return 0
    if word == asked:
        return EXACT
    if word.startswith(asked):
        return PREFIX
    if asked in word:
        return NAME if is_name else WORD
    if len(word) >= SHORTEST_INSIDE and word in asked:
        return INSIDE
    return 0


def _english(entry: Indexed, tokens: list[str]) -> int:
    """Every token must begin one of the item's English words; whole words count more."""
    if not tokens:
        return 0
    whole = 0
    for token in tokens:
        if token in entry.english:
            whole += 1
        elif not _begins(token, entry.english):
            return 0
    return ENGLISH + whole


def _begins(token: str, words: Iterable[str]) -> bool:
    return any(word.startswith(token) for word in words)
