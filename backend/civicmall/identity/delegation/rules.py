"""Decisions about acting for others: pure, tested without a database."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

import msgspec
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError

from civicmall.identity.models import Actor, May
from civicmall.kernel.clock import CITY

from .models import Invitation, Reason, Row, Side

ADULT: Final = 18
"""Years (Civil Code, article 17)."""
ACTOR_LEVEL: Final = 2
"""Who acts for others is known by name and number."""
EVERYTHING: Final[tuple[May, ...]] = ("view", "apply", "pay")
"""What a guardian and a legal representative may (Civil Code, articles 23 and 61)."""
ANSWER_DAYS: Final = 14
"""An invitation that nobody accepts lapses; whoever gets the phone's number next never sees it."""
INVITED_A_DAY: Final = 10
"""Invitations of one citizen in 24 hours."""
TOLD_A_DAY: Final = 20
"""Text messages about invitations to one phone in 24 hours, whoever asks: nobody's phone is flooded."""
YEARS_MAX: Final = 5
"""A delegation for longer is given anew: people and enterprises forget whom they trusted."""
ASKED_DAYS: Final = 1
"""How often the register is asked again about what it proved."""


def of_age_at(born: date) -> datetime:
    """When somebody becomes an adult: the first moment of the day in the city. Who was born on
    29 February does so on the 28th, the month's last day (Civil Code, article 202).
    """
    year = born.year + ADULT
    try:
        day = born.replace(year=year)
    except ValueError:
        day = date(year, 2, 28)
    return datetime.combine(day, time(), CITY)


def valid_uscc(code: str) -> bool:
    """Form and check character hold (GB 32100-2015)."""
    try:
        return uscc.validate(code) == code
    except ValidationError:
        return False


def born(id_number: str) -> date:
    """The birth date in an identification number whose form was checked (GB 11643)."""
    return date(int(id_number[6:10]), int(id_number[10:12]), int(id_number[12:14]))


def wrong(ask: Invitation, now: datetime, shops: frozenset[str]) -> list[dict[str, str]]:
    """What can't be so in an invitation; `shops` are those that there are."""
    found: list[dict[str, str]] = []

    def add(field: str, problem: str) -> None:
        found.append({"field": field, "problem": problem})

    if "view" not in ask.may:
        add("may", "who may apply or pay must see: add view")
    if strange := sorted(set(ask.shops or ()) - shops):
        add("shops", f"no such shop: {strange[0]}")
    if ask.of is not None and ask.whom != "agent":
        add("whom", "an enterprise names agents")
    if ask.of is not None and ask.valid_until is None:
        add("valid_until", "an enterprise's agent needs an end")
    if ask.valid_until is not None:
        if ask.valid_until <= now:
            add("valid_until", "lies in the past")
        elif ask.valid_until > now + timedelta(days=366 * YEARS_MAX):
            add("valid_until", f"at most {YEARS_MAX} years ahead")
    return found


def standing(row: Row, now: datetime) -> Row:
    """A delegation as it is at `now`: what time has ended is ended, whether that is noted yet or not."""
    over: Reason = ""
    if row.state == "active" and row.valid_until is not None and row.valid_until <= now:
        over = "of_age" if row.kind == "child" else "expired"
    if row.state == "invited" and row.answer_by is not None and row.answer_by <= now:
        over = "lapsed"
    if row.state == "invited" and row.valid_until is not None and row.valid_until <= now:
        over = "lapsed"
    return msgspec.structs.replace(row, state="ended", reason=over) if over else row


def side(row: Row, citizen: UUID, phone: bytes | None) -> Side | None:
    """Which of the two a citizen is; `phone` is the keyed hash of theirs. None: a stranger."""
    if citizen == row.principal:
        return "principal"
    if citizen == row.agent:
        return "agent"
    if row.state == "invited" and phone is not None and phone == row.invited:
        return "principal" if row.principal is None else "agent"
    return None


def can_accept(row: Row, mine: Side) -> bool:
    """Whether an invitation waits for this side."""
    missing: Side = "principal" if row.principal is None else "agent"
    return row.state == "invited" and mine == missing


def reason(row: Row, mine: Side) -> Reason | None:
    """How it ends if this side ends it now; None where it can't."""
    if row.state == "ended" or (row.kind == "child" and mine == "principal"):
        return None
    return "declined" if can_accept(row, mine) else mine


def actor(row: Row, agent: UUID) -> Actor:
    """Who acts by an active delegation, and how far: exactly what was given, and not a second longer."""
    return Actor(
        id=agent,
        delegation=row.id,
        may=frozenset(row.may),
        shops=None if row.shops is None else frozenset(row.shops),
        until=None if row.valid_until is None else int(row.valid_until.timestamp()),
    )
