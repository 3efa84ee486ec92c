"""Rules in words, both languages, made from the rule itself: as conditions, and as reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Final

from babel.dates import format_date

from civicmall.kernel.i18n import pick

from .evaluate import All, Atom, Node, Not, evidence
from .known import Known, Value
from .models import Attribute
from .windows import Period, Shift

FACTS_MAX: Final = 3
"""Facts in one reason: more is a list, not a reason."""
UNITS: Final = {
    ("zh-CN", "days"): "天", ("zh-CN", "months"): "个月", ("zh-CN", "years"): "年",
    ("en", "days"): "day", ("en", "months"): "month", ("en", "years"): "year",
}  # fmt: skip


@lru_cache(maxsize=4_096)
def day(on: date, lang: str) -> str:
    """A date for people: 2026年11月24日, November 24, 2026."""
    return format_date(on, "long", locale="zh_CN" if lang == "zh-CN" else "en")


def amount(number: int, unit: str, lang: str) -> str:
    """A length of time: 30天, 30 days."""
    word = UNITS[lang, unit]
    if lang == "zh-CN":
        return f"{number}{word}"
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


class Explainer:
    """Speaks of rules in the vocabulary's words; `lang` is zh-CN or en."""

    def __init__(self, vocabulary: Mapping[str, Attribute]) -> None:
        self._vocabulary = vocabulary

    def conditions(self, node: Node, lang: str) -> str:
        """A rule as one sentence."""
        return _sentence(self._node(node, lang, nested=False), lang)

    def reason(self, node: Node, known: Known, lang: str) -> str:
        """The facts that make a rule hold, dates first; empty where it doesn't hold."""
        said: list[str] = []
        for atom in sorted(evidence(node, known), key=lambda atom: atom.axis.how == "value"):
            fact = self._fact(atom, known, lang)
            if fact and fact not in said:
                said.append(fact)
        return _sentence(("，" if lang == "zh-CN" else "; ").join(said[:FACTS_MAX]), lang)

    def window(self, period: Period, lang: str) -> str:
        """A window as one sentence."""
        chinese = lang == "zh-CN"
        if period.yearly is not None:
            first, last = (_month_day(end, lang) for end in period.yearly)
            text = f"每年{first}至{last}" if chinese else f"every year from {first} to {last}"
            return _sentence(text, lang)
        parts: list[str] = []
        if period.opens is not None:
            moment = self._moment(period.opens, lang)
            parts.append(f"自{moment}起" if chinese else f"from {moment}")
        if period.closes is not None:
            moment = self._moment(period.closes, lang)
            parts.append(f"至{moment}止" if chinese else f"until {moment}")
        return _sentence(("，" if chinese else " ").join(parts), lang)

    def _moment(self, shift: Shift, lang: str) -> str:
        label = pick(self._vocabulary[shift.attribute].label, lang)
        if not shift.amount:
            return label
        length = amount(abs(shift.amount), shift.unit, lang)
        if lang == "zh-CN":
            return f"{label}{'前' if shift.amount < 0 else '后'}{length}"
        return f"{length} {'before' if shift.amount < 0 else 'after'} {label}"

    def _node(self, node: Node, lang: str, *, nested: bool) -> str:
        chinese = lang == "zh-CN"
        if isinstance(node, Atom):
            return self._atom(node, lang)
        if isinstance(node, Not):
            return self._denial(node.part, lang)
        if len(node.parts) == 1:
            return self._node(node.parts[0], lang, nested=nested)
        if isinstance(node, All):
            word = "，且" if chinese else ", and "
        else:
            word = "，或" if chinese else ", or "
        text = word.join(self._node(part, lang, nested=True) for part in node.parts)
        if not nested:
            return text
        return f"（{text}）" if chinese else f"({text})"

    def _denial(self, part: Node, lang: str) -> str:
        if isinstance(part, Atom) and part.choices is not None:
            return self._choice(part, lang, denied=True)
        inner = self._node(part, lang, nested=False)
        return f"不符合（{inner}）" if lang == "zh-CN" else f"not ({inner})"

    def _atom(self, atom: Atom, lang: str) -> str:
        if atom.choices is not None:
            return self._choice(atom, lang, denied=False)
        attribute = self._vocabulary[atom.axis.attribute]
        label = pick(attribute.label, lang)
        if atom.axis.how == "since":
            return _since(label, atom, lang)
        if atom.axis.how == "until":
            return _until(label, atom, lang)
        unit = pick(attribute.unit, lang) if attribute.unit else ""
        if lang == "zh-CN":
            some = "有" if attribute.type == "numbers" else ""
            return f"{some}{label}{_between(atom, lang, unit)}"
        return f"{label} is {_between(atom, lang, f' {unit}' if unit else '')}"

    def _choice(self, atom: Atom, lang: str, *, denied: bool) -> str:
        attribute = self._vocabulary[atom.axis.attribute]
        if attribute.type == "flag" and attribute.fact is not None:
            value = (True in (atom.choices or ())) != denied
            word = pick(attribute.values["true" if value else "false"], lang)
            return pick(attribute.fact, lang).replace("{value}", word)
        label = pick(attribute.label, lang)
        wanted = sorted(str(choice).lower() for choice in atom.choices or ())
        ordered = [name for name in attribute.values if name in wanted]
        if lang == "zh-CN":
            words = "或".join(f"“{pick(attribute.values[name], lang)}”" for name in ordered)
            return f"{label}{'不' if denied else ''}为{words}"
        words = " or ".join(f"“{pick(attribute.values[name], lang)}”" for name in ordered)
        return f"{label} is {'not ' if denied else ''}{words}"

    def _fact(self, atom: Atom, known: Known, lang: str) -> str:
        attribute = self._vocabulary[atom.axis.attribute]
        value = known.value(atom.axis.attribute)
        if attribute.fact is None or value is None:
            return ""
        return pick(attribute.fact, lang).replace("{value}", _said(attribute, atom, value, lang))


def _said(attribute: Attribute, atom: Atom, value: Value, lang: str) -> str:
    if isinstance(value, bool):
        return pick(attribute.values["true" if value else "false"], lang)
    if isinstance(value, date):
        return day(value, lang)
    if isinstance(value, tuple):
        fitting = sorted({one for one in value if isinstance(one, int) and atom.holds((one,))})
        return ("、" if lang == "zh-CN" else ", ").join(map(str, fitting))
    if isinstance(value, str):
        return pick(attribute.values[value], lang)
    return str(value)


def _between(atom: Atom, lang: str, unit: str) -> str:
    low, high = atom.low, atom.high
    chinese = lang == "zh-CN"
    if low is not None and low == high:
        return f"为{low}{unit}" if chinese else f"{low}{unit}"
    if high is None:
        return f"不低于{low}{unit}" if chinese else f"at least {low}{unit}"
    if atom.exclusive:
        bound = f"不满{high + 1}{unit}" if chinese else f"under {high + 1}{unit}"
    else:
        bound = f"不超过{high}{unit}" if chinese else f"at most {high}{unit}"
    if not low:
        return bound
    return f"不低于{low}{unit}且{bound}" if chinese else f"at least {low} and {bound}"


def _limit(atom: Atom, high: int, lang: str) -> str:
    unit = atom.axis.unit
    if atom.exclusive:
        length = amount(high + 1, unit, lang)
        return f"不满{length}" if lang == "zh-CN" else f"less than {length}"
    length = amount(high, unit, lang)
    return f"不超过{length}" if lang == "zh-CN" else f"at most {length}"


def _since(label: str, atom: Atom, lang: str) -> str:
    chinese = lang == "zh-CN"
    parts: list[str] = []
    if atom.low:
        length = amount(atom.low, atom.axis.unit, lang)
        parts.append(f"已满{length}" if chinese else f"at least {length}")
    if atom.high is not None:
        parts.append(_limit(atom, atom.high, lang))
    if not parts:
        return f"自{label}之日起" if chinese else f"from {label} on"
    return f"{label}后{'且'.join(parts)}" if chinese else f"{' and '.join(parts)} since {label}"


def _until(label: str, atom: Atom, lang: str) -> str:
    chinese = lang == "zh-CN"
    parts: list[str] = []
    if atom.low:
        length = amount(atom.low, atom.axis.unit, lang)
        parts.append(f"至少{length}" if chinese else f"at least {length}")
    if atom.high is not None:
        parts.append(_limit(atom, atom.high, lang))
    if not parts:
        return f"在{label}当日或之前" if chinese else f"not later than {label}"
    return f"距{label}{'且'.join(parts)}" if chinese else f"{' and '.join(parts)} until {label}"


def _month_day(end: tuple[int, int], lang: str) -> str:
    if lang == "zh-CN":
        return f"{end[0]}月{end[1]}日"
    return format_date(date(2023, *end), "MMMM d", locale="en")


def _sentence(text: str, lang: str) -> str:
    if not text:
        return ""
    return f"{text}。" if lang == "zh-CN" else f"{text[0].upper()}{text[1:]}."


def cited(nodes: Iterable[Atom]) -> list[str]:
    """The law figures that atoms cite, each once, in order."""
    return list(dict.fromkeys(name for atom in nodes for name in atom.laws))
