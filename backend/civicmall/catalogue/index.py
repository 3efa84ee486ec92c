"""Many rules answered at once: an index over the axes that they look along.

Each rule becomes a disjunction of conjunctions, each conjunction one bit of a big integer. For
the value on an axis a mask tells which conjunctions fail there, so a citizen costs one `and` per
axis; a second mask per axis, of the conjunctions that mention it, keeps *unknown* apart from *no*.
`evaluate.answer` is what this must agree with, rule by rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Final, TypeAlias

from msgspec import Struct

from .evaluate import YES, All, Atom, Node, Not, answer
from .known import Axis, Known, Unknown, Value

CONJUNCTIONS_MAX: Final = 64
"""A rule that would need more is answered one by one: `any` inside `all` multiplies."""
MEMORY_MAX: Final = 512
"""Remembered values per axis; ages and dates of a city fit, an attacker's inventions don't."""

Literals: TypeAlias = frozenset[tuple[Atom, bool]]
"""A conjunction: each atom, and whether it must hold or must not."""


class Answers(Struct, frozen=True):
    """Positions of the rules that hold, and of those that are unknown; all others don't hold."""

    yes: list[int]
    unknown: list[int]


def conjunctions(node: Node, *, wanted: bool = True) -> list[Literals] | None:
    """The rule (or its opposite) as alternatives; None where there would be too many."""
    if isinstance(node, Atom):
        return [frozenset(((node, wanted),))]
    if isinstance(node, Not):
        return conjunctions(node.part, wanted=not wanted)
    parts: list[list[Literals]] = []
    for part in node.parts:
        found = conjunctions(part, wanted=wanted)
        if found is None:
            return None
        parts.append(found)
    if isinstance(node, All) == wanted:
        size = 1
        for part in parts:
            size *= len(part)
        if size > CONJUNCTIONS_MAX:
            return None
        joined = (frozenset[tuple[Atom, bool]]().union(*chosen) for chosen in product(*parts))
        return list(dict.fromkeys(joined))
    either = list(dict.fromkeys(one for part in parts for one in part))
    return either if len(either) <= CONJUNCTIONS_MAX else None


class _AxisMasks:
    """What one axis knows: per atom, which conjunctions need it to hold and which not to."""

    def __init__(self) -> None:
        self.mentions = 0
        self.tests: dict[Atom, tuple[int, int]] = {}
        self._fails: dict[Value, int] = {}

    def add(self, atom: Atom, bit: int, *, wanted: bool) -> None:
        needs, forbids = self.tests.get(atom, (0, 0))
        self.tests[atom] = (needs | bit, forbids) if wanted else (needs, forbids | bit)
        self.mentions |= bit

    def fails(self, value: Value) -> int:
        """The conjunctions that can't be true with this value."""
        found = self._fails.get(value)
        if found is None:
            found = 0
            for atom, (needs, forbids) in self.tests.items():
                found |= forbids if atom.holds(value) else needs
            if len(self._fails) >= MEMORY_MAX:
                self._fails.clear()
            self._fails[value] = found
        return found


class Index:
    """Built once from compiled rules; answers all of them for one citizen."""

    def __init__(self, rules: Sequence[Node]) -> None:
        self._axes: dict[Axis, _AxisMasks] = {}
        self._owner: list[int] = []
        self._alone: list[tuple[int, Node]] = []
        for position, rule in enumerate(rules):
            found = conjunctions(rule)
            if found is None:
                self._alone.append((position, rule))
                continue
            for literals in found:
                bit = 1 << len(self._owner)
                self._owner.append(position)
                for atom, wanted in literals:
                    self._axes.setdefault(atom.axis, _AxisMasks()).add(atom, bit, wanted=wanted)

    def run(self, known: Known) -> Answers:
        """Every rule's answer."""
        sure = possible = (1 << len(self._owner)) - 1
        for axis, masks in self._axes.items():
            value = known.along(axis)
            if isinstance(value, Unknown):
                sure &= ~masks.mentions
            else:
                passing = ~masks.fails(value)
                sure &= passing
                possible &= passing
        yes = self._owners(sure)
        unknown = self._owners(possible) - yes
        for position, rule in self._alone:
            found = answer(rule, known)
            if found is YES:
                yes.add(position)
            elif found.missing:
                unknown.add(position)
        return Answers(sorted(yes), sorted(unknown))

    def _owners(self, mask: int) -> set[int]:
        """The rules of the conjunctions in a mask; looking for ones in text beats shifting."""
        found: set[int] = set()
        bits = bin(mask)[:1:-1]
        at = bits.find("1")
        while at >= 0:
            found.add(self._owner[at])
            at = bits.find("1", at + 1)
        return found
