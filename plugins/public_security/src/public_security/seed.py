"""Sandbox data: applications of the sandbox's people, each in another phase.

Reckoned from the day it is first put in, so that it looks current; afterwards it stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from msgspec import Struct

from shopkit import ShopDb
from shopkit.call import keyed_hash
from shopkit.local import CITY, local
from shopkit.sandbox import Person, people

from . import id_card, residence_permit
from .data import OFFICES, SQL
from .models import Kind

REMOTE: Final = "yunling"


class Plan(Struct, frozen=True):
    """What happened, each with how many days ago and, after a colon, what it was about."""

    kind: Kind
    events: tuple[tuple[str, int], ...]
    remote: bool = False
    full_in_days: int | None = None
    """Of a residence permit: in how many days the year of residence is full."""


RUNNING_CHILD: Final = Plan("under_16", (("accepted", 1), ("fee_exempt", 1)))
IN_PRODUCTION: Final = Plan(
    "replacement",
    (("accepted", 18), ("fee_settled", 18), ("checked", 17), ("reviewed", 12), ("sent", 9)),
)
FINISHED: Final = Plan(
    "renewal",
    (("accepted", 64), ("fee_settled", 64), ("checked", 63), ("reviewed", 57), ("sent", 54),
     ("produced", 40), ("arrived", 36), ("collected", 31)),
)  # fmt: skip
PHOTO_MISSING: Final = Plan("renewal", (("accepted", 9), ("fee_settled", 9), ("returned:photo", 6)))
BACK_ON_TRACK: Final = Plan(
    "renewal",
    (("accepted", 25), ("returned:household_book,old_card", 24), ("supplied", 17),
     ("fee_settled", 17), ("checked", 16), ("reviewed", 10)),
)  # fmt: skip
REFUSED: Final = Plan(
    "replacement", (("accepted", 22), ("fee_settled", 22), ("refused:not_matching", 19))
)
READY: Final = Plan(
    "renewal",
    (("accepted", 33), ("fee_settled", 33), ("checked", 32), ("reviewed", 26), ("sent", 24),
     ("produced", 8), ("arrived", 3)),
)  # fmt: skip
REMOTE_RUNNING: Final = Plan(
    "renewal",
    (("accepted", 66), ("fee_exempt", 66), ("checked", 60), ("reviewed", 44), ("sent", 30)),
    remote=True,
)
JUST_ACCEPTED: Final = Plan("first", (("accepted", 2),))
ON_ITS_WAY: Final = Plan(
    "under_16",
    (("accepted", 28), ("fee_exempt", 28), ("checked", 28), ("reviewed", 21), ("sent", 18),
     ("produced", 2)),
)  # fmt: skip

PERMIT_RUNNING: Final = Plan("permit_new", (("accepted", 6), ("verified", 3)), full_in_days=170)
PERMIT_PROOF_MISSING: Final = Plan(
    "permit_new", (("accepted", 8), ("returned:residence_proof", 5)), full_in_days=150
)
PERMIT_HELD: Final = Plan(
    "permit_new",
    (("accepted", 150), ("verified", 147), ("issued", 144), ("produced", 140), ("arrived", 138),
     ("collected", 136)),
    full_in_days=20,
)  # fmt: skip
PERMIT_READY: Final = Plan(
    "permit_replacement",
    (("accepted", 13), ("verified", 11), ("issued", 9), ("produced", 4), ("arrived", 2)),
    full_in_days=210,
)
PERMIT_REFUSED: Final = Plan(
    "permit_new", (("accepted", 30), ("refused:under_half_year", 27)), full_in_days=250
)
ENDORSED: Final = Plan(
    "permit_endorsement", (("accepted", 12), ("verified", 11), ("endorsed", 10)), full_in_days=5
)
ENDORSED_LATE: Final = Plan(
    "permit_endorsement", (("accepted", 45), ("verified", 44), ("endorsed", 43)), full_in_days=-70
)
REMOTE_PERMIT: Final = Plan(
    "permit_new", (("accepted", 19), ("verified", 12)), remote=True, full_in_days=100
)

PERSONAS: Final[dict[str, tuple[Plan, ...]]] = {
    "newborn_mother": (RUNNING_CHILD,),
    "newborn_father": (IN_PRODUCTION, PERMIT_READY),
    "school_mother": (FINISHED, ENDORSED_LATE),
    "graduate": (PHOTO_MISSING, PERMIT_RUNNING),
    "newlywed_wife": (BACK_ON_TRACK, ENDORSED),
    "newlywed_husband": (REFUSED, PERMIT_PROOF_MISSING),
    "near_retirement_man": (READY,),
    "near_retirement_woman": (REMOTE_RUNNING,),
}
CARD_ROUND: Final = (
    JUST_ACCEPTED, IN_PRODUCTION, READY, PHOTO_MISSING, FINISHED, ON_ITS_WAY, BACK_ON_TRACK,
    REMOTE_RUNNING, REFUSED,
)  # fmt: skip
"""The households' plans, one after the other."""
PERMIT_ROUND: Final = (
    PERMIT_HELD, PERMIT_RUNNING, ENDORSED, PERMIT_PROOF_MISSING, PERMIT_READY, REMOTE_PERMIT,
    PERMIT_REFUSED, ENDORSED_LATE,
)  # fmt: skip


class Round(Struct, frozen=True):
    """One app's sandbox: what its numbers begin with, its kinds, and the households' plans."""

    letters: str
    kinds: tuple[Kind, ...]
    plans: tuple[Plan, ...]
    every: int
    """Every so many-th household has an application."""
    older_every: int
    """Every so many-th has an older, finished one besides."""
    older: Plan


ROUNDS: Final = (
    Round("SF", id_card.KINDS, CARD_ROUND, 3, 15, FINISHED),
    Round("JZ", residence_permit.KINDS, PERMIT_ROUND, 5, 15, PERMIT_HELD),
)


async def fill(db: ShopDb, secret: bytes, today: date) -> None:
    """Put in what is missing; a person who has an application keeps it as it is."""
    for one in ROUNDS:
        await _fill(db, secret, today, one)


async def _fill(db: ShopDb, secret: bytes, today: date, one: Round) -> None:
    holders = [
        (keyed_hash(secret, person.id_number), person, number, plans)
        for number, person in enumerate(people(today))
        if (plans := _plans(one, person, number))
    ]
    rows = await db.fetch(SQL["known"], [holder for holder, *_ in holders], one.kinds)
    known = {row[0] for row in rows}
    applications: list[tuple[Any, ...]] = []
    events: list[tuple[Any, ...]] = []
    for holder, person, number, plans in holders:
        if holder in known:
            continue
        for nth, (plan, days_ago) in enumerate(plans):
            start = today - timedelta(days=days_ago)
            happened = list(_events(plan, start))
            applied_on = local(happened[0][2])
            new = f"{one.letters}{applied_on:%Y%m%d}-{number:04d}{nth}"
            office = REMOTE if plan.remote else _office(person)
            ahead = plan.full_in_days
            full_on = None if ahead is None else start + timedelta(days=ahead)
            applications.append((new, holder, plan.kind, office, office, applied_on, full_on))
            events.extend((new, *event) for event in happened)
    if applications:
        await db.execute(
            SQL["add"], *map(list, zip(*applications, strict=True)),
            *map(list, zip(*events, strict=True)),
        )  # fmt: skip


def _plans(one: Round, person: Person, number: int) -> list[tuple[Plan, int]]:
    """A person's plans for one app, each with how many days ago it is to be imagined."""
    if person.persona != "household":
        return [(plan, 0) for plan in PERSONAS[person.persona] if plan.kind in one.kinds]
    if number % one.every:
        return []
    newest = (one.plans[number // one.every % len(one.plans)], 0)
    return [newest, (one.older, 900)] if number % one.older_every == 0 else [newest]


def _office(person: Person) -> str:
    return next(o.id for o in OFFICES.values() if o.street and person.address.startswith(o.street))


def _events(plan: Plan, today: date) -> Iterator[tuple[int, str, datetime, str]]:
    """Number, kind, instant and codes of each event, in office hours, in order."""
    for seq, (what, days_ago) in enumerate(plan.events):
        kind, _, about = what.partition(":")
        day = today - timedelta(days=days_ago)
        at = datetime.combine(day, time(9), CITY) + timedelta(minutes=25 * seq)
        yield seq, kind, at, about
