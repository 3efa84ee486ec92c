"""Three-valued logic: its laws, that knowing more never turns an answer around, and that the
index answers as the plain evaluator does.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from civicmall.catalogue import NO, YES, Answer, Catalogue, Known, answer, evidence
from civicmall.catalogue.evaluate import All, AnyOf, Atom, Node, Not, atoms
from civicmall.catalogue.index import CONJUNCTIONS_MAX, Index, conjunctions
from civicmall.catalogue.known import Axis

TODAY = date(2026, 11, 24)
DAYS = st.integers(-400, 25_000).map(lambda ago: (TODAY - timedelta(days=ago)).isoformat())
RECENT = st.integers(-400, 1_500).map(lambda ago: (TODAY - timedelta(days=ago)).isoformat())

FACTS: dict[str, st.SearchStrategy[Any]] = {
    "birth_date": DAYS,
    "sex": st.sampled_from(["male", "female"]),
    "children": st.lists(st.fixed_dictionaries({"birth_date": DAYS | RECENT}), max_size=3),
    "marital_status": st.sampled_from(["single", "married", "divorced", "widowed"]),
    "married_on": RECENT,
    "employment": st.sampled_from(
        ["employed", "self_employed", "unemployed", "student", "retired"]
    ),
    "graduated_on": RECENT,
    "pregnant": st.booleans(),
    "moved_on": RECENT,
    "housing": st.sampled_from(["owner", "tenant", "family"]),
    "has_disability": st.booleans(),
    "low_income": st.booleans(),
    "insured_pension_years": st.integers(0, 45),
    "has_housing_fund": st.booleans(),
    "post": st.sampled_from(["management", "worker"]),
    "id_card_until": RECENT,
}
COMPLETE = st.fixed_dictionaries(FACTS)
PARTIAL = st.fixed_dictionaries({}, optional=FACTS)

ATOMS: list[Atom] = [
    Atom(Axis("sex"), choices=frozenset({"female"})),
    Atom(Axis("employment"), choices=frozenset({"employed", "retired"})),
    Atom(Axis("employment"), choices=frozenset({"unemployed"})),
    Atom(Axis("expecting"), choices=frozenset({True})),
    Atom(Axis("has_children"), choices=frozenset({False})),
    Atom(Axis("pension_reached"), choices=frozenset({True})),
    Atom(Axis("age"), low=16, high=59),
    Atom(Axis("age"), low=60),
    Atom(Axis("children_ages"), low=0, high=15),
    Atom(Axis("children_ages"), low=3, high=5),
    Atom(Axis("youngest_child_on", "since", "days"), low=0, high=30),
    Atom(Axis("youngest_child_on", "since", "months"), low=0, high=35),
    Atom(Axis("wedding_on", "since", "years"), low=0, high=1),
    Atom(Axis("retirement_on", "until", "months"), low=0, high=24),
    Atom(Axis("id_card_until", "until", "months"), low=0, high=2),
    Atom(Axis("primary_school_by", "until", "days"), low=0),
]
NODES: st.SearchStrategy[Node] = st.recursive(
    st.sampled_from(ATOMS),
    lambda parts: st.one_of(
        parts.map(Not),
        st.lists(parts, min_size=1, max_size=4).map(lambda found: All(tuple(found))),
        st.lists(parts, min_size=1, max_size=4).map(lambda found: AnyOf(tuple(found))),
    ),
    max_leaves=12,
)


def known(catalogue: Catalogue, facts: dict[str, Any]) -> Known:
    return catalogue.known(facts, TODAY)


@given(NODES, NODES, PARTIAL)
def test_de_morgan(catalogue: Catalogue, one: Node, two: Node, facts: dict[str, Any]) -> None:
    seen = known(catalogue, facts)
    assert answer(Not(All((one, two))), seen) == answer(AnyOf((Not(one), Not(two))), seen)
    assert answer(Not(AnyOf((one, two))), seen) == answer(All((Not(one), Not(two))), seen)


@given(NODES, NODES, PARTIAL)
def test_order_and_doubling_change_nothing(
    catalogue: Catalogue, one: Node, two: Node, facts: dict[str, Any]
) -> None:
    seen = known(catalogue, facts)
    assert answer(All((one, two)), seen) == answer(All((two, one)), seen)
    assert answer(AnyOf((one, two)), seen) == answer(AnyOf((two, one)), seen)
    assert answer(Not(Not(one)), seen) == answer(All((one, one)), seen) == answer(one, seen)


@given(NODES, COMPLETE, st.sets(st.sampled_from(sorted(FACTS))))
def test_learning_never_turns_an_answer_around(
    catalogue: Catalogue, node: Node, facts: dict[str, Any], hidden: set[str]
) -> None:
    before = answer(node, known(catalogue, {k: v for k, v in facts.items() if k not in hidden}))
    after = answer(node, known(catalogue, facts))
    assert after is YES or after is NO
    assert before.verdict in {"unknown", after.verdict}
    assert before.missing <= hidden


@given(NODES, PARTIAL)
def test_unknown_says_what_is_missing_and_nothing_else_does(
    catalogue: Catalogue, node: Node, facts: dict[str, Any]
) -> None:
    found = answer(node, known(catalogue, facts))
    assert (found.verdict == "unknown") == bool(found.missing)
    assert found.missing.isdisjoint(facts)


@given(NODES, PARTIAL)
def test_evidence_is_known_and_speaks_of_the_rule(
    catalogue: Catalogue, node: Node, facts: dict[str, Any]
) -> None:
    seen = known(catalogue, facts)
    found = evidence(node, seen)
    assert bool(found) == (answer(node, seen) is YES)
    assert set(found) <= set(atoms(node))
    assert all(not answer(atom, seen).missing for atom in found)


@settings(max_examples=300)
@given(st.lists(NODES, max_size=6), PARTIAL)
def test_the_index_agrees_with_the_evaluator(
    catalogue: Catalogue, rules: list[Node], facts: dict[str, Any]
) -> None:
    seen = known(catalogue, facts)
    found = Index(rules).run(seen)
    answers = [answer(rule, seen) for rule in rules]
    assert found.yes == [i for i, one in enumerate(answers) if one is YES]
    assert found.unknown == [i for i, one in enumerate(answers) if one.missing]


@settings(max_examples=200)
@given(PARTIAL)
def test_the_index_agrees_on_the_whole_content(catalogue: Catalogue, facts: dict[str, Any]) -> None:
    seen = known(catalogue, facts)
    yes, unknown = catalogue.for_home(seen)
    answers = {e.item.code: answer(e.home, seen) for e in catalogue.entries if e.home}
    assert [one.entry.item.code for one in yes] == [
        code for code, one in answers.items() if one is YES
    ]
    assert [one.entry.item.code for one in unknown] == [
        code for code, one in answers.items() if one.missing
    ]


PAIRS: list[Node] = [AnyOf((ATOMS[i], Not(ATOMS[i + 1]))) for i in range(0, 14, 2)]
WIDE = All(tuple(PAIRS))
MANY = AnyOf(tuple(Atom(Axis("age"), low=n, high=n) for n in range(CONJUNCTIONS_MAX + 1)))


def test_some_rules_are_too_wide_for_the_index() -> None:
    denied = AnyOf(tuple(Not(pair) for pair in PAIRS))
    for rule in (WIDE, Not(denied), AnyOf((WIDE, ATOMS[0])), MANY):
        assert conjunctions(rule) is None
    assert len(conjunctions(denied) or ()) == len(PAIRS)


@given(PARTIAL)
def test_rules_too_wide_are_answered_all_the_same(
    catalogue: Catalogue, facts: dict[str, Any]
) -> None:
    seen = known(catalogue, facts)
    rules: list[Node] = [WIDE, ATOMS[0], MANY]
    found = Index(rules).run(seen)
    answers = [answer(rule, seen) for rule in rules]
    assert found.yes == [i for i, one in enumerate(answers) if one is YES]
    assert found.unknown == [i for i, one in enumerate(answers) if one.missing]


def test_the_index_forgets_rather_than_grow(catalogue: Catalogue) -> None:
    index = Index([Atom(Axis("graduated_on", "since", "days"), low=0, high=100)])
    for ago in range(1_200):
        day = (TODAY - timedelta(days=ago)).isoformat()
        found = index.run(known(catalogue, {"graduated_on": day}))
        assert found.yes == ([0] if ago <= 100 else [])


def test_answers_are_three() -> None:
    assert {YES.verdict, NO.verdict, Answer("unknown", frozenset({"sex"})).verdict} == {
        "yes", "no", "unknown",
    }  # fmt: skip
