"""Every word of the console has its Chinese, and every code that a page can show has its word."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any, get_args

import msgspec
from babel.messages.pofile import read_po

from civicmall import console
from civicmall.console import words
from civicmall.console.models import Doing
from civicmall.gateway import Health
from civicmall.payments.models import Outcome
from civicmall.payments.refunds.models import Reason
from civicmall.payments.rules import LineState, RefundState
from civicmall.payments.tickets.models import TicketKind
from civicmall.ratings import rules as ratings
from civicmall.releases import diff
from civicmall.releases import rules as releases
from shopkit.manifest import Capability, ClaimName, Stage

ROOM = Path(console.__file__).parent
SAID = re.compile(r'\bt\(\s*"([^"]+)"')
COUNTED = re.compile(r'count\([^,"]+, "([^"]+)", "([^"]+)"')


def _catalogue(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file, locale="zh_CN") if m.id}


OURS = _catalogue(ROOM / "locale" / "zh.po")


def _of_words() -> set[str]:
    found: set[str] = set()
    for name in ("STATES", "TURNS", "ACTORS", "DONE", "DOINGS", "BREAKERS", "LINES", "MONEY_TICKETS",
                 "CLAIMS", "CAPABILITIES", "STAGES", "ROLES", "RELEASES", "KINDS", "TAKEN", "CHANGES",
                 "WEIGHTS", "RESULTS", "MONEY_ADVICE", "MONEY_NOTES", "REFUND_REASONS", "ASKERS",
                 "REFUNDED"):  # fmt: skip
        table: dict[Any, str] = getattr(words, name)
        found |= set(table.values())
    for _, name, meaning in words.ANSWERS.values():
        found |= {name, meaning}
    found |= {name for name, _ in words.REFUNDS.values()}
    for button, meaning in words.MOVES.values():
        found |= {button, meaning}
    return found


def _of_templates() -> set[str]:
    found: set[str] = set()
    for path in (ROOM / "templates").glob("*.html"):
        text = path.read_text()
        found |= set(SAID.findall(text))
        for pair in COUNTED.findall(text):
            found |= set(pair)
    layout = (ROOM / "templates" / "layout.html").read_text()
    return found | set(re.findall(r'\("/console/[^"]*", "([^"]+)"', layout))


def _of_code() -> set[str]:
    """Every text in the room's own modules; some pages keep their words beside them."""
    found: set[str] = set()
    for path in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_every_word_is_translated_and_no_translation_is_left_over() -> None:
    """What another room calls something, its own catalogue says in Chinese too."""
    elsewhere = {
        text
        for path in ROOM.parent.glob("*/locale/zh.po")
        if path.parent.parent != ROOM
        for text in _catalogue(path)
    }
    said = _of_templates() | _of_words()
    assert said - OURS.keys() - elsewhere == set()
    assert OURS.keys() - said - _of_code() == set()
    assert all(OURS.values())


def test_placeholders_are_the_same_in_both_languages() -> None:
    for english, chinese in OURS.items():
        wanted = set(re.findall(r"\{\w+\}", english))
        assert set(re.findall(r"\{\w+\}", chinese)) == wanted, english


def test_no_other_room_says_the_same_otherwise() -> None:
    for path in ROOM.parent.glob("*/locale/zh.po"):
        other = _catalogue(path)
        for shared in other.keys() & OURS.keys():
            assert other[shared] == OURS[shared], f"{path.parent.parent.name}: {shared}"


def test_every_code_has_a_word() -> None:
    fields = {f.name: f.type for f in msgspec.structs.fields(Health)}
    assert set(words.BREAKERS) == set(get_args(fields["breaker"]))
    assert set(words.STATES) == set(get_args(ratings.State)) == set(get_args(words.State))
    assert set(words.TURNS) == set(get_args(ratings.Turn))
    assert set(words.ACTORS) == set(get_args(ratings.Actor))
    assert {kind for kind, _, _ in words.ANSWERS.values()} == {"fixed", "registered", "explained"}
    assert {ratings.WHO[move] for move in get_args(ratings.Move) if move in words.ANSWERS} == {
        "department"
    }
    assert ["draft", *words.RELEASES] == list(releases.STATES)
    assert set(words.TAKEN) == set(releases.WHO)
    assert set(words.MOVES) == {m for m, who in releases.WHO.items() if who == "operator"}
    assert set(words.CHANGES) == set(diff.KINDS)
    assert set(words.WEIGHTS) == set(get_args(diff.Weight))
    assert set(words.DOINGS) == set(get_args(Doing))
    assert set(words.LINES) == set(get_args(LineState))
    assert set(words.MONEY_TICKETS) == set(words.MONEY_ADVICE) == set(get_args(TicketKind))
    assert set(get_args(Outcome)) - {"posted", "repeated"} <= set(words.MONEY_TICKETS)
    assert set(words.REFUNDS) == set(get_args(RefundState))
    assert set(get_args(Reason)) == set(words.REFUND_REASONS) - {"refused"}
    assert set(words.CLAIMS) == set(get_args(ClaimName))
    assert set(words.CAPABILITIES) == set(get_args(Capability))
    assert set(words.STAGES) == set(get_args(Stage))
