"""From rules as written to rules as run: names looked up, figures filled in, shapes checked, once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from .errors import WrongRule
from .evaluate import All, AnyOf, Atom, Node, Not
from .known import Axis
from .law import LawBook
from .models import Attribute
from .rules import Figure, Law, Range, Rule, Span

LOOKS: Final = {
    "choice": ("is", "in"),
    "flag": ("is",),
    "number": ("bounds",),
    "numbers": ("some",),
    "date": ("since", "until"),
    "children": (),
}
"""The ways to look at an attribute, by its type."""


class Compiler:
    """Compiles against one vocabulary and one law book. Everything raises WrongRule."""

    def __init__(self, vocabulary: Mapping[str, Attribute], law: LawBook) -> None:
        self._vocabulary = vocabulary
        self._law = law

    def rule(self, rule: Rule, path: str) -> Node:
        """One rule; `path` is where it stands, for messages."""
        forms = [
            name
            for name, given in (
                ("all", rule.all), ("any", rule.any), ("not", rule.not_),
                ("attribute", rule.attribute),
            )
            if given is not None
        ]  # fmt: skip
        if len(forms) != 1:
            raise WrongRule(path, "exactly one of all, any, not, attribute is needed")
        if rule.attribute is None and _looks(rule):
            raise WrongRule(path, f"{_looks(rule)[0]} needs an attribute")
        if rule.all is not None:
            return All(self._parts(rule.all, f"{path}.all"))
        if rule.any is not None:
            return AnyOf(self._parts(rule.any, f"{path}.any"))
        if rule.not_ is not None:
            return Not(self.rule(rule.not_, f"{path}.not"))
        return self._atom(rule, path)

    def number(self, figure: Figure, path: str) -> int:
        """A figure as a number."""
        return self._law.number(figure.law, path) if isinstance(figure, Law) else figure

    def date_attribute(self, name: str, path: str) -> str:
        """The name, once it is sure that it is a date's."""
        if self._attribute(name, path).type != "date":
            raise WrongRule(path, f"{name} is no date")
        return name

    def _parts(self, rules: list[Rule], path: str) -> tuple[Node, ...]:
        if not rules:
            raise WrongRule(path, "is empty")
        return tuple(self.rule(rule, f"{path}[{i}]") for i, rule in enumerate(rules))

    def _attribute(self, name: str, path: str) -> Attribute:
        try:
            return self._vocabulary[name]
        except KeyError:
            raise WrongRule(path, f"attributes.yaml has no {name}") from None

    def _atom(self, rule: Rule, path: str) -> Atom:
        name = rule.attribute or ""
        attribute = self._attribute(name, f"{path}.attribute")
        looks = _looks(rule)
        if len(looks) != 1 or looks[0] not in LOOKS[attribute.type]:
            ways = " or ".join(LOOKS[attribute.type]) or "derived attributes only"
            raise WrongRule(path, f"{name} is a {attribute.type}: look at it with {ways}")
        if rule.since is not None:
            return self._span(Axis(name, "since", rule.since.unit), rule.since, f"{path}.since")
        if rule.until is not None:
            return self._span(Axis(name, "until", rule.until.unit), rule.until, f"{path}.until")
        if rule.some is not None:
            return self._range(Axis(name), rule.some, f"{path}.some")
        if looks[0] == "bounds":
            bounds = Range(rule.at_least, rule.over, rule.at_most, rule.under)
            return self._range(Axis(name), bounds, path)
        return Atom(Axis(name), choices=self._choices(attribute, rule, path))

    def _choices(self, attribute: Attribute, rule: Rule, path: str) -> frozenset[str | bool]:
        wanted = [rule.is_] if rule.is_ is not None else list(rule.in_ or ())
        for value in wanted:
            if isinstance(value, bool) != (attribute.type == "flag"):
                raise WrongRule(path, f"{rule.attribute} is a {attribute.type}, not {value!r}")
            if isinstance(value, str) and value not in attribute.values:
                raise WrongRule(path, f"{rule.attribute} has no value {value}")
        if not wanted:
            raise WrongRule(path, "in is empty")
        return frozenset(wanted)

    def _span(self, axis: Axis, span: Span, path: str) -> Atom:
        atom = self._range(axis, span, path)
        return atom if atom.low is not None else msgspec.structs.replace(atom, low=0)

    def _range(self, axis: Axis, bounds: Range, path: str) -> Atom:
        if bounds.at_least is not None and bounds.over is not None:
            raise WrongRule(path, "at_least and over exclude each other")
        if bounds.at_most is not None and bounds.under is not None:
            raise WrongRule(path, "at_most and under exclude each other")
        laws: list[str] = []

        def bound(inclusive: Figure | None, exclusive: Figure | None, step: int) -> int | None:
            figure = inclusive if inclusive is not None else exclusive
            if figure is None:
                return None
            if isinstance(figure, Law):
                laws.append(figure.law)
            number = self.number(figure, path)
            return number if inclusive is not None else number + step

        low = bound(bounds.at_least, bounds.over, 1)
        high = bound(bounds.at_most, bounds.under, -1)
        if low is None and high is None:
            raise WrongRule(path, "has no bound")
        if low is not None and high is not None and low > high:
            raise WrongRule(path, "nothing lies between these bounds")
        under = bounds.under is not None
        return Atom(axis, low=low, high=high, exclusive=under, laws=tuple(laws))


def _looks(rule: Rule) -> list[str]:
    bounds = (rule.at_least, rule.over, rule.at_most, rule.under)
    given = {
        "is": rule.is_ is not None,
        "in": rule.in_ is not None,
        "bounds": any(bound is not None for bound in bounds),
        "some": rule.some is not None,
        "since": rule.since is not None,
        "until": rule.until is not None,
    }
    return [name for name, there in given.items() if there]
