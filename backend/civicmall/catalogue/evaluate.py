"""Rules, compiled, and the plain way to answer them: yes, no, or unknown and what is missing.

Kleene's strong logic of three values: a clause is unknown only where the missing facts could
still turn it either way.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from msgspec import Struct

from .known import Axis, Known, Unknown, Value

NOTHING: Final[frozenset[str]] = frozenset()


class Atom(Struct, frozen=True, cache_hash=True):
    """A test of the value on one axis: one of `choices`, or between `low` and `high` (included)."""

    axis: Axis
    choices: frozenset[str | bool] | None = None
    low: int | None = None
    high: int | None = None
    exclusive: bool = False
    """Whether `high` was written as "under" the next number; only for words."""
    laws: tuple[str, ...] = ()
    """The law figures that the bounds come from."""

    def holds(self, value: Value) -> bool:
        """Whether a known value passes. None, "there is none", passes no test."""
        if value is None:
            return False
        if self.choices is not None:
            return value in self.choices
        if isinstance(value, tuple):
            return any(self._between(one) for one in value if isinstance(one, int))
        return isinstance(value, int) and self._between(value)

    def _between(self, value: int) -> bool:
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


class All(Struct, frozen=True):
    """Every part must hold."""

    parts: tuple[Node, ...]


class AnyOf(Struct, frozen=True):
    """One part is enough."""

    parts: tuple[Node, ...]


class Not(Struct, frozen=True):
    """The part must not hold."""

    part: Node


Node: TypeAlias = Atom | All | AnyOf | Not


class Answer(Struct, frozen=True):
    """A rule's answer; `missing` are the attributes that would settle it, empty unless unknown."""

    verdict: Literal["yes", "no", "unknown"]
    missing: frozenset[str] = NOTHING


YES: Final = Answer("yes")
NO: Final = Answer("no")


def answer(node: Node, known: Known) -> Answer:
    """Whether a rule holds for what is known."""
    if isinstance(node, Atom):
        value = known.along(node.axis)
        if isinstance(value, Unknown):
            return Answer("unknown", value.missing)
        return YES if node.holds(value) else NO
    if isinstance(node, Not):
        inner = answer(node.part, known)
        return inner if inner.missing else NO if inner is YES else YES
    if isinstance(node, All):
        return _join(node.parts, known, decides=NO, otherwise=YES)
    return _join(node.parts, known, decides=YES, otherwise=NO)


def _join(parts: tuple[Node, ...], known: Known, *, decides: Answer, otherwise: Answer) -> Answer:
    missing = NOTHING
    for part in parts:
        found = answer(part, known)
        if found is decides:
            return decides
        missing |= found.missing
    return Answer("unknown", missing) if missing else otherwise


def evidence(node: Node, known: Known, *, wanted: Answer = YES) -> list[Atom]:
    """The atoms that make the answer `wanted`, in the order of the rule; empty if it isn't that."""
    if answer(node, known) is not wanted:
        return []
    if isinstance(node, Atom):
        return [node]
    if isinstance(node, Not):
        return evidence(node.part, known, wanted=NO if wanted is YES else YES)
    found = [evidence(part, known, wanted=wanted) for part in node.parts]
    if isinstance(node, All) == (wanted is YES):
        return [atom for part in found for atom in part]
    return next((part for part in found if part), list[Atom]())


def atoms(node: Node) -> list[Atom]:
    """Every atom of a rule, in order."""
    if isinstance(node, Atom):
        return [node]
    parts = (node.part,) if isinstance(node, Not) else node.parts
    return [atom for part in parts for atom in atoms(part)]
