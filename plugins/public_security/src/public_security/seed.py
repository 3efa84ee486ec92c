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
from shopkit.sandbox import Person, people

from .data import OFFICES, SQL
from .models import Kind, What
from .progress import CITY, local

REMOTE: Final = "yunling"
EVERY: Final = 3
"""Every third household has an application, every fifteenth an older one besides."""
OLDER: Final = 15


class Plan(Struct, frozen=True):
    """What happened, each with how many days ago and, after a colon, what it was about."""

    kind: Kind
    events: tuple[tuple[str, int], ...]
    remote: bool = False


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

PERSONAS: Final[dict[str, Plan]] = {
    "newborn_mother": RUNNING_CHILD,
    "newborn_father": IN_PRODUCTION,
    "school_mother": FINISHED,
    "graduate": PHOTO_MISSING,
    "newlywed_wife": BACK_ON_TRACK,
    "newlywed_husband": REFUSED,
    "near_retirement_man": READY,
    "near_retirement_woman": REMOTE_RUNNING,
}
ROUND: Final = (
    JUST_ACCEPTED, IN_PRODUCTION, READY, PHOTO_MISSING, FINISHED, ON_ITS_WAY, BACK_ON_TRACK,
    REMOTE_RUNNING, REFUSED,
)  # fmt: skip
"""The households' plans, one after the other."""


async def fill(db: ShopDb, secret: bytes, today: date) -> None:
    """Put in what is missing; a person who has an application keeps it as it is."""
    holders = [
        (keyed_hash(secret, person.id_number), person, number, plans)
        for number, person in enumerate(people(today))
        if (plans := _plans(person, number))
    ]
    known = {row[0] for row in await db.fetch(SQL["known"], [holder for holder, *_ in holders])}
    applications: list[tuple[Any, ...]] = []
    events: list[tuple[Any, ...]] = []
    for holder, person, number, plans in holders:
        if holder in known:
            continue
        for nth, (plan, days_ago) in enumerate(plans):
            start = today - timedelta(days=days_ago)
            rows = list(_events(plan, start))
            applied_on = local(rows[0][2])
            new = f"SF{applied_on:%Y%m%d}-{number:04d}{nth}"
            office = REMOTE if plan.remote else _office(person)
            applications.append((new, holder, plan.kind, office, office, applied_on))
            events.extend((new, *row) for row in rows)
    if applications:
        await db.execute(
            SQL["add"], *map(list, zip(*applications, strict=True)),
            *map(list, zip(*events, strict=True)),
        )  # fmt: skip


def _plans(person: Person, number: int) -> list[tuple[Plan, int]]:
    """A person's plans, each with how many days ago it is to be imagined."""
    if person.persona != "household":
        return [(PERSONAS[person.persona], 0)]
    if number % EVERY:
        return []
    newest = (ROUND[number // EVERY % len(ROUND)], 0)
    return [newest, (FINISHED, 900)] if number % OLDER == 0 else [newest]


def _office(person: Person) -> str:
    return next(o.id for o in OFFICES.values() if o.street and person.address.startswith(o.street))


def _events(plan: Plan, today: date) -> Iterator[tuple[int, What, datetime, str]]:
    """Number, kind, instant and codes of each event, in office hours, in order."""
    for seq, (what, days_ago) in enumerate(plan.events):
        kind, _, about = what.partition(":")
        day = today - timedelta(days=days_ago)
        at = datetime.combine(day, time(9), CITY) + timedelta(minutes=25 * seq)
        yield seq, kind, at, about  # pyright: ignore[reportReturnType] (the table's check knows the kinds)
