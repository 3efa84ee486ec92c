"""How far a right to act goes: never further than it was given, and never longer."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicmall.identity import acting
from civicmall.identity.delegation import rules
from civicmall.identity.delegation.models import Invitation, Row
from civicmall.identity.errors import ActingNotAllowed, TokenExpired
from civicmall.identity.models import Actor, Caller, May
from civicmall.identity.rules import ACCESS_S
from civicmall.identity.tokens import Tokens
from civicmall.kernel import ids
from civicmall.kernel.clock import CITY, FixedClock
from civicmall.kernel.crypto import Keys, generate

NOW = datetime(2026, 12, 1, 4, tzinfo=UTC)
CHILD, AGENT = ids.new(3), ids.new(9)
RIGHTS: tuple[May, ...] = ("view", "apply", "pay")
SHOPS = ("public_security", "utility_bills", "housing_fund")
PHONE = b"p" * 32


def row(**given: Any) -> Row:
    """A delegation in force, with what is given otherwise."""
    base = Row(
        id=ids.new(3), kind="relative", principal=CHILD, agent=AGENT, invited=None, principal_name=b"",
        agent_name=b"", may=["view"], shops=None, valid_until=None, granted_by=CHILD, state="active",
        reason="", created_at=NOW, answer_by=None, began_at=NOW, ended_at=None,
    )  # fmt: skip
    return msgspec.structs.replace(base, **given)


rights = st.lists(st.sampled_from(RIGHTS), min_size=1, unique=True)
shops = st.none() | st.lists(st.sampled_from(SHOPS), min_size=1, unique=True)
left = st.none() | st.integers(1, 3 * ACCESS_S)


@given(
    may=rights, limited=shops, left_s=left, method=st.sampled_from(["GET", "POST", "DELETE", "PUT"]),
    said=st.none() | st.sampled_from(["no", "view", "apply", "pay"]),
    shop=st.none() | st.sampled_from([*SHOPS, "cm"]), scoped=st.booleans(), later_s=st.integers(0, 2 * ACCESS_S),
)  # fmt: skip
def test_nobody_gets_more_than_was_given(
    may: list[May], limited: list[str] | None, left_s: int | None, method: str, said: str | None,
    shop: str | None, scoped: bool, later_s: int,  # noqa: FBT001 (hypothesis gives it)
) -> None:  # fmt: skip
    """From what was given, through a token and back, to a door: what passes lies within what was given."""
    clock = FixedClock(NOW)
    tokens = Tokens(Keys(generate()), "https://city.example", clock)
    until = None if left_s is None else NOW + timedelta(seconds=left_s)
    given_row = row(may=may, shops=limited, valid_until=until)
    who = Caller(CHILD, ids.new(9), 2, actor=rules.actor(given_row, AGENT))
    token = tokens.access(who)
    clock.move(timedelta(seconds=later_s))
    opt: dict[str, Any] = ({acting.ACTING: said} if said else {}) | (
        {acting.SCOPED: True} if scoped else {}
    )
    try:
        found = tokens.check(token)
    except TokenExpired:
        assert later_s >= min(ACCESS_S, left_s or ACCESS_S)
        return
    assert isinstance(found, Caller)
    assert found == who
    assert later_s < (left_s or ACCESS_S), "no token outlives its delegation"
    assert found.actor is not None
    right = said or ("view" if method == "GET" else "apply")
    may_pass = (
        right in may
        and (limited is None or (shop in limited if shop else scoped))
    )  # fmt: skip
    if may_pass:
        acting.check(found.actor, method, opt, shop)
    else:
        with pytest.raises(ActingNotAllowed) as refused:
            acting.check(found.actor, method, opt, shop)
        missing = refused.value.extra["missing"]
        assert missing == ("self" if right == "no" else right if right not in may else "shop")


def test_a_citizen_themselves_passes_every_door() -> None:
    acting.check(None, "POST", acting.SELF, None)
    acting.at(None, "public_security")


@pytest.mark.parametrize(
    ("born", "at"),
    [
        (date(2008, 12, 1), datetime(2026, 12, 1, tzinfo=CITY)),
        (date(2008, 2, 29), datetime(2026, 2, 28, tzinfo=CITY)),
    ],
)
def test_eighteen_begins_with_the_day_in_the_city(born: date, at: datetime) -> None:
    assert rules.of_age_at(born) == at


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_nobody_is_of_age_before_eighteen_years(born: date) -> None:
    at = rules.of_age_at(born)
    assert at.tzinfo is CITY
    assert at.year == born.year + 18
    assert abs((at.date() - born).days - 18 * 365.25) < 2


def test_a_child_stops_at_the_second_of_its_eighteenth_birthday() -> None:
    until = datetime(2026, 12, 2, tzinfo=CITY)
    child = row(kind="child", valid_until=until)
    assert rules.standing(child, until - timedelta(microseconds=1)).state == "active"
    after = rules.standing(child, until)
    assert (after.state, after.reason) == ("ended", "of_age")


@pytest.mark.parametrize(
    ("given_row", "reason"),
    [
        (row(valid_until=NOW), "expired"),
        (row(state="invited", invited=PHONE, agent=None, answer_by=NOW), "lapsed"),
        (row(state="invited", invited=PHONE, agent=None, answer_by=NOW + timedelta(1), valid_until=NOW), "lapsed"),
    ],
)  # fmt: skip
def test_what_time_has_ended_is_over_before_anybody_noted_it(given_row: Row, reason: str) -> None:
    found = rules.standing(given_row, NOW)
    assert (found.state, found.reason) == ("ended", reason)
    assert rules.reason(found, "agent") is None


def test_only_who_has_the_phone_takes_the_free_place() -> None:
    asked = row(state="invited", principal=None, invited=PHONE, answer_by=NOW + timedelta(1))
    stranger = ids.new(5)
    assert rules.side(asked, stranger, PHONE) == "principal"
    assert rules.side(asked, stranger, b"q" * 32) is None
    assert rules.side(asked, stranger, None) is None
    assert rules.side(asked, AGENT, b"q" * 32) == "agent"
    assert rules.can_accept(asked, "principal")
    assert not rules.can_accept(asked, "agent")
    assert not rules.can_accept(row(), "agent")
    begun = msgspec.structs.replace(asked, state="active", principal=CHILD)
    assert rules.side(begun, stranger, PHONE) is None, "who gets the number later is a stranger"


def test_who_may_end_what_and_how_it_is_called() -> None:
    asked = row(state="invited", agent=None, invited=PHONE, answer_by=NOW + timedelta(1))
    assert rules.reason(asked, "agent") == "declined"
    assert rules.reason(asked, "principal") == "principal"
    assert rules.reason(row(), "agent") == "agent"
    assert rules.reason(row(kind="child", valid_until=NOW), "principal") is None
    assert rules.reason(row(kind="child", valid_until=NOW), "agent") == "agent"


def ask(**given: Any) -> Invitation:
    base = Invitation(phone="13800000000", whom="agent", may=["view"])
    return msgspec.structs.replace(base, **given)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (ask(may=["pay"]), "may"),
        (ask(shops=["nobody"]), "shops"),
        (ask(valid_until=NOW), "valid_until"),
        (ask(valid_until=NOW + timedelta(days=366 * 6)), "valid_until"),
        (ask(of=UUID(int=1)), "valid_until"),
        (ask(of=UUID(int=1), whom="principal", valid_until=NOW + timedelta(days=1)), "whom"),
    ],
)
def test_what_an_invitation_can_not_be(said: Invitation, field: str) -> None:
    assert [one["field"] for one in rules.wrong(said, NOW, frozenset(SHOPS))] == [field]


def test_a_plain_invitation_is_fine() -> None:
    fine = ask(may=["view", "pay"], shops=["public_security"], valid_until=NOW + timedelta(days=9))
    assert rules.wrong(fine, NOW, frozenset(SHOPS)) == []


@pytest.mark.parametrize(
    ("code", "good"),
    [
        ("91110000600037341L", True),
        ("91110000600037341M", False),
        ("9111000060003734", False),
        (" 91110000600037341L", False),
        ("91110000600037341l", False),
        ("I1110000600037341L", False),
    ],
)
def test_a_credit_code_has_its_form_and_check_character(code: str, good: bool) -> None:  # noqa: FBT001
    assert rules.valid_uscc(code) is good


def test_the_actor_ends_with_the_delegation() -> None:
    until = NOW + timedelta(seconds=90)
    found = rules.actor(row(may=["view", "pay"], shops=["housing_fund"], valid_until=until), AGENT)
    assert found == Actor(
        AGENT, found.delegation, frozenset({"view", "pay"}), frozenset({"housing_fund"}),
        int(until.timestamp()),
    )  # fmt: skip
