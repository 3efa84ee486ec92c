"""Words and numbers as citizens read them; what every shop needs."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from .contract.base import Text


def both(zh: str, en: str) -> Text:
    """A text in both languages."""
    return {"zh-CN": zh, "en": en}


def say(text: Text, lang: str) -> str:
    """One language of a text: for the words of a refusal."""
    return text["en"] if lang == "en" and "en" in text else text["zh-CN"]


def listed(texts: Iterable[Text], *, zh: str = "、", en: str = "; ") -> Text:
    """Several texts as one, with these between them."""
    several = list(texts)
    return both(zh.join(t["zh-CN"] for t in several), en.join(say(t, "en") for t in several))


def yuan(amount_minor: int) -> str:
    """Fen as yuan: 123456 is 1234.56."""
    sign, fen = ("-" if amount_minor < 0 else ""), abs(amount_minor)
    return f"{sign}{fen // 100}.{fen % 100:02d}"


def half_up(amount: Fraction) -> int:
    """The nearest whole number; a half goes away from zero (四舍五入)."""
    whole = int(abs(amount) + Fraction(1, 2))
    return -whole if amount < 0 else whole
