"""The catalogue in memory: content compiled once, then only read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, TypeVar

from msgspec import Struct

from . import search
from .compile import Compiler
from .content import Content
from .derive import derivations
from .errors import BadContent, NoSuchItem, WrongRule
from .evaluate import YES, All, Node, answer, atoms
from .explain import Explainer, cited
from .index import Answers, Index
from .known import Known
from .law import LawBook
from .models import Attribute, Bearing, Item, Stage, StageDef, Text
from .windows import Period, period

T = TypeVar("T")
LISTS: Final = ("children", "numbers")
"""Types whose values only a register can tell."""
CLAIMS: Final = ("duty", "entitlement")
"""What a home may only say of an item that names a law."""


class Entry(Struct, frozen=True):
    """An item, ready to be asked."""

    item: Item
    order: int
    """Its place in the content, which is the editors' order."""
    valid_from: datetime
    words: search.Indexed
    when: Node | None
    """Whom it is for."""
    home: Node | None
    """For whom and when the home brings it up: its own condition and its card's; None: never."""
    window: Period | None
    laws: tuple[str, ...]
    """The law figures that it rests on, each once."""


class AtHome(Struct, frozen=True):
    """An item that the home may bring up."""

    entry: Entry
    rule: Node
    """For whom and when."""
    bearing: Bearing
    ahead_days: int
    """Shown so many days before its time; 0: not before."""


class Catalogue:
    """Every item, rule, stage and law figure. Made by `service.snapshot`."""

    def __init__(self, content: Content, items: Sequence[tuple[str, Item, datetime]]) -> None:
        """`items`: file (for messages), item, and since when it stands so. Raises BadContent."""
        self.vocabulary: Mapping[str, Attribute] = content.attributes
        self.departments: Mapping[str, Text] = content.departments
        self.kinds: Mapping[str, Text] = content.kinds
        self.events: Mapping[str, Text] = content.events
        self.stages: Mapping[Stage, StageDef] = content.stages
        self.law = LawBook(content.law)
        self.words = Explainer(self.vocabulary)
        self._derivations = _at("law.yaml", "$", lambda: derivations(self.law))
        self._check_vocabulary()
        self._compiler = Compiler(self.vocabulary, self.law)
        self._stage_rules: dict[Stage, Node] = {
            code: _at("stages.yaml", code, lambda s=stage: self._compiler.rule(s.when, "when"))
            for code, stage in self.stages.items()
        }
        self.entries = [
            _at(file, item.code, lambda i=item, n=order, v=valid: self._entry(i, n, v))
            for order, (file, item, valid) in enumerate(items)
        ]
        self._by_code = {entry.item.code: entry for entry in self.entries}
        self.at_home = [
            AtHome(entry, entry.home, entry.item.card.bearing, entry.item.card.ahead_days or 0)
            for entry in self.entries
            if entry.home is not None and entry.item.card is not None
        ]
        self._index = Index([one.rule for one in self.at_home])

    def entry(self, code: str) -> Entry:
        """One item. Raises NoSuchItem."""
        try:
            return self._by_code[code]
        except KeyError:
            raise NoSuchItem(item=code[:80]) from None

    def known(self, facts: Mapping[str, Any], today: date) -> Known:
        """A citizen's facts, as rules read them."""
        return Known(self.vocabulary, self._derivations, facts, today)

    def stages_of(self, known: Known) -> list[Stage]:
        """The stages of life that somebody is in for sure; there can be several, or none."""
        return [code for code, rule in self._stage_rules.items() if answer(rule, known) is YES]

    def for_home(self, known: Known) -> tuple[list[AtHome], list[AtHome]]:
        """The items whose home rule holds, and those where it can't be told."""
        found: Answers = self._index.run(known)
        return [self.at_home[i] for i in found.yes], [self.at_home[i] for i in found.unknown]

    def by_code(
        self, *, stage: Stage | None, department: str | None, after: str | None, limit: int
    ) -> list[Entry]:
        """Items by code, after the code `after`."""
        fitting = [e for e in self.entries if _fits(e.item, stage, department)]
        fitting.sort(key=lambda e: e.item.code)
        return [e for e in fitting if after is None or e.item.code > after][:limit]

    def find(
        self,
        query: str,
        *,
        stage: Stage | None,
        department: str | None,
        after: tuple[int, str] | None,
        limit: int,
    ) -> list[tuple[int, Entry]]:
        """Items by how well they answer a query, best first; `after` is a score and a code."""
        hits = [
            (search.score(e.words, query), e)
            for e in self.entries
            if _fits(e.item, stage, department)
        ]
        found = sorted((-score, e.item.code, e) for score, e in hits if score)
        if after is not None:
            found = [hit for hit in found if hit[:2] > (-after[0], after[1])]
        return [(-negative, e) for negative, _, e in found[:limit]]

    def _entry(self, item: Item, order: int, valid_from: datetime) -> Entry:
        self._check_names(item)
        when = self._compiler.rule(item.when, "when") if item.when else None
        card = item.card
        shown = self._compiler.rule(card.when, "card.when") if card and card.when else None
        home = None
        if card is not None:
            parts = tuple(rule for rule in (when, shown) if rule is not None)
            if not parts:
                raise WrongRule("card", "needs a condition: its own or the item's")
            home = parts[0] if len(parts) == 1 else All(parts)
        window = period(item.window, self._compiler, self.law) if item.window else None
        cites = cited(atom for rule in (when, shown) if rule is not None for atom in atoms(rule))
        names = [*item.basis, item.time, item.fee, item.materials_law, *cites,
                 *(window.laws if window else ())]  # fmt: skip
        laws = tuple(dict.fromkeys(name.partition(".")[0] for name in names if name))
        if card is not None and card.bearing in CLAIMS and not laws:
            raise WrongRule("basis", f"a card that is a {card.bearing} names a law")
        return Entry(item, order, valid_from, search.index(item), when, home, window, laws)

    def _check_names(self, item: Item) -> None:
        if item.department not in self.departments:
            raise WrongRule("department", f"departments.yaml has no {item.department}")
        if item.kind is not None and item.kind not in self.kinds:
            raise WrongRule("kind", f"words.yaml has no kind {item.kind}")
        for i, event in enumerate(item.events):
            if event not in self.events:
                raise WrongRule(f"events[{i}]", f"words.yaml has no event {event}")
        for i, name in enumerate(item.basis):
            self.law.figure(name, f"basis[{i}]")
        self._check_figure(item.time, "time", ("days", "working_days"))
        self._check_figure(item.fee, "fee", ("fen",))
        if (item.materials is None) != (item.materials_law is None):
            raise WrongRule("materials", "materials and materials_law come together")
        if item.materials_law is not None:
            self.law.figure(item.materials_law, "materials_law")

    def _check_figure(self, name: str | None, path: str, units: tuple[str, ...]) -> None:
        if name is None:
            return
        self.law.number(name, path)
        if self.law.figure(name).unit not in units:
            raise WrongRule(path, f"{name} in law.yaml is not in {' or '.join(units)}")

    def _check_vocabulary(self) -> None:
        for name, attribute in self.vocabulary.items():
            _at("attributes.yaml", name, lambda n=name, a=attribute: self._check_attribute(n, a))
        if lacking := self._derivations.keys() - self.vocabulary.keys():
            raise BadContent("attributes.yaml", min(lacking), "$", "is computed but not described")

    def _check_attribute(self, name: str, attribute: Attribute) -> None:
        if bool(attribute.derived) != (name in self._derivations):
            raise WrongRule("from", "an attribute is computed exactly if derive.py does so")
        for i, source in enumerate(attribute.derived):
            if source not in self.vocabulary:
                raise WrongRule(f"from[{i}]", f"attributes.yaml has no {source}")
        if attribute.declared and (attribute.derived or attribute.type in LISTS):
            raise WrongRule("declared", "what is computed or a list can't be declared")
        if attribute.type == "flag" and set(attribute.values) != {"true", "false"}:
            raise WrongRule("values", 'a flag has words for "true" and "false"')
        if attribute.type == "choice" and not attribute.values:
            raise WrongRule("values", "a choice has values")


def _fits(item: Item, stage: Stage | None, department: str | None) -> bool:
    return (stage is None or stage in item.stages) and (
        department is None or item.department == department
    )


def _at(file: str, entry: str, work: Callable[[], T]) -> T:
    """Do `work`; whatever rule is wrong in it is named by file and entry. Raises BadContent."""
    try:
        return work()
    except WrongRule as error:
        raise BadContent(file, entry, error.path, error.problem) from error
