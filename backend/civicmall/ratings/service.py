"""Verbs of citizens: rate what was done for them, and follow up on what a bad rating opened."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from civicmall.cases import finished_case
from civicmall.gateway import finished_call
from civicmall.identity import Caller
from civicmall.kernel import idempotency, ids, outbox
from civicmall.kernel.db import Db
from civicmall.kernel.house import House
from civicmall.kernel.http import Page, decode_cursor, page
from civicmall.kernel.i18n import Text, both
from civicmall.payments import finished_order
from civicmall.shops import NoSuchShop, Registry

from . import rules, tickets, views
from .asks import Confirmation, NewRating, Reopening
from .errors import AlreadyRated, NoSuchRectification, NotFinished, NotRateable
from .events import RatingGiven
from .levels import CURRENT, VERSIONS
from .models import MineRow, Rating, RatingRow, Rectification, RectificationItem, Subject
from .queries import q
from .tickets import Clock
from .words import NO_CONTACT

PSEUDONYMS: Final = "ratings.pseudonym"
"""What the key that makes citizens' pseudonyms is derived for."""


async def rate(
    house: House, registry: Registry, caller: Caller, ask: NewRating, key: str | None, lang: str
) -> Rating:
    """Rate a finished order, call or case, once; one or two stars open a ticket in the same write.

    Raises WrongTags, NotRateable, NotFinished, AlreadyRated, and what `idempotency.once` raises.
    """
    tickets.check_tags(CURRENT, ask.stars, ask.tags, "tags")

    async def work(rating_id: UUID) -> Rating:
        row = await _give(house, registry, caller, ask, rating_id)
        return views.rating(row, lang)

    given = await idempotency.once(
        house.db, caller.citizen_id, "ratings.rate", key, ask, Rating, work
    )
    house.hint()
    return given


async def _give(
    house: House, registry: Registry, caller: Caller, ask: NewRating, rating_id: UUID
) -> RatingRow:
    bucket = ids.bucket_of(caller.citizen_id)
    shop, app = await _finished(house.db, caller, ask.subject)
    responsible, phone = _contact(registry, shop)
    bad, today = rules.is_bad(ask.stars), house.clock.today()
    due = rules.due(today)
    kind, body = outbox.row(RatingGiven(rating_id, shop, app, ask.stars, bad))
    row: RatingRow | None = await q.give(
        house.db,
        bucket=bucket,
        kind=ask.subject.kind,
        subject_id=ask.subject.id,
        id=rating_id,
        citizen_id=caller.citizen_id,
        shop=shop,
        app=app,
        pseudonym=rules.pseudonym(house.keys.derive(PSEUDONYMS), caller.citizen_id, shop),
        levels=CURRENT.version,
        stars=ask.stars,
        tags=ask.tags,
        comment=ask.comment,
        now=house.clock.now(),
        bad=bad,
        responsible=dict(responsible),
        phone=phone,
        today=today,
        due_on=due.on,
        provisional=due.provisional,
        event_id=ids.new(bucket),
        type=kind,
        body=body,
    )
    if row is not None:
        return row
    known = await _known(house.db, caller, ask.subject)
    if known is None or known.id != rating_id:
        raise AlreadyRated(rating=known and str(known.id))
    return known  # ours, from a try that was cut off before it could answer


async def _finished(db: Db, caller: Caller, subject: Subject) -> tuple[str, str]:
    """Shop and app of what is to be rated. Raises NotRateable, NotFinished."""
    if subject.kind == "call":
        call = await finished_call(db, caller.citizen_id, subject.id)
        if call is None:
            raise NotRateable
        return call.shop, call.app
    finished = finished_order if subject.kind == "order" else finished_case
    found = await finished(db, caller.citizen_id, subject.id)
    if found is None:
        raise NotRateable
    if not found.finished:
        raise NotFinished
    return found.shop, found.app


def _contact(registry: Registry, shop: str) -> tuple[Text, str]:
    """Who answers for a shop (谁办理、谁负责); a shop that broke since still gets its ticket."""
    try:
        contacts = registry.manifest(shop).contacts
    except NoSuchShop:
        return both(NO_CONTACT), "12345"  # the cities' government service hotline
    return contacts.responsible, contacts.phone


async def _known(db: Db, caller: Caller, subject: Subject) -> RatingRow | None:
    """The citizen's own rating of something, if there is one."""
    row: RatingRow | None = await q.rating_of(
        db, bucket=ids.bucket_of(caller.citizen_id), kind=subject.kind, subject_id=subject.id
    )
    return row if row is not None and row.citizen_id == caller.citizen_id else None


async def rating_of(db: Db, caller: Caller, subject: Subject, lang: str) -> Rating | None:
    """The citizen's rating of an order, call or case; None while it is unrated."""
    row = await _known(db, caller, subject)
    return views.rating(row, lang) if row is not None else None


async def my_ratings(
    db: Db, caller: Caller, lang: str, *, limit: int = 20, after: str | None = None
) -> Page[Rating]:
    """The citizen's ratings, newest first. Raises BadRequest for a cursor of another list."""
    last: Any = decode_cursor(after, UUID) or (None,)
    rows: list[RatingRow] = await q.my_ratings(
        db,
        bucket=ids.bucket_of(caller.citizen_id),
        citizen_id=caller.citizen_id,
        before=last[0],
        most=limit + 1,
    )
    return page([views.rating(row, lang) for row in rows], limit, lambda r: (r.id,))


async def my_rectifications(
    house: House, caller: Caller, lang: str, *, limit: int = 20, after: str | None = None
) -> Page[RectificationItem]:
    """The citizen's tickets, newest first. Raises BadRequest for a cursor of another list."""
    last: Any = decode_cursor(after, UUID) or (None,)
    rows: list[MineRow] = await q.my_tickets(
        house.db,
        bucket=ids.bucket_of(caller.citizen_id),
        citizen_id=caller.citizen_id,
        before=last[0],
        most=limit + 1,
    )
    today = house.clock.today()
    return page([views.mine(row, today, lang) for row in rows], limit, lambda r: (r.id,))


async def my_rectification(
    house: House, caller: Caller, ticket_id: UUID, lang: str
) -> Rectification:
    """One of the citizen's tickets. Raises NoSuchRectification."""
    return await tickets.shown(house, ticket_id, tickets.citizen(caller), lang)


async def confirm(
    house: House, caller: Caller, ticket_id: UUID, ask: Confirmation, lang: str
) -> Rectification:
    """Accept the answer, with or without rating again; a second bad rating opens no new ticket.

    Raises NoSuchRectification, WrongTags, MovedOn.
    """
    by = tickets.citizen(caller)
    ticket = await tickets.seen(house.db, ticket_id, by)
    if ask.rating is not None:
        given = await tickets.rating(house.db, ticket_id)
        if given is None:
            raise NoSuchRectification
        names = VERSIONS.get(given.levels, CURRENT)
        tickets.check_tags(names, ask.rating.stars, ask.rating.tags, "rating.tags")
    await tickets.move(house, ticket, by, "confirm", again=ask.rating)
    return await tickets.shown(house, ticket_id, by, lang)


async def reopen(
    house: House, caller: Caller, ticket_id: UUID, ask: Reopening, lang: str
) -> Rectification:
    """Send the answer back with a reason; the department gets a new due date.

    Raises NoSuchRectification, MovedOn, ReopenedTooOften.
    """
    by = tickets.citizen(caller)
    ticket = await tickets.seen(house.db, ticket_id, by)
    clock = Clock(house.clock.today(), 0)
    await tickets.move(house, ticket, by, "reopen", said=ask.reason, clock=clock)
    return await tickets.shown(house, ticket_id, by, lang)
