"""Rows as people read them: in one language, with what the reader can do next."""

from __future__ import annotations

from datetime import date

from civicmall.kernel import i18n

from .levels import CURRENT, VERSIONS
from .models import (
    DeskRating,
    DeskRatingRow,
    DeskTicket,
    DeskTicketRow,
    Due,
    Judged,
    MineRow,
    Rating,
    RatingRow,
    Rectification,
    RectificationItem,
    StepRow,
    Subject,
    TicketRef,
    TicketRow,
    TicketStep,
)
from .rules import DUE_DAYS, TURN, Actor, may
from .words import STATES, STEPS


def judged(row: RatingRow | DeskRatingRow, lang: str) -> Judged:
    """The first rating of a row."""
    names = VERSIONS.get(row.levels, CURRENT)
    return Judged(
        row.stars,
        names.level(row.stars, lang),
        names.tag_names(row.tags, lang),
        row.comment,
        row.given_at,
    )


def again(row: RatingRow | DeskRatingRow, lang: str) -> Judged | None:
    """The rating given after rectification, if there is one."""
    if row.again_stars is None or row.again_at is None:
        return None
    names = VERSIONS.get(row.levels, CURRENT)
    return Judged(
        row.again_stars,
        names.level(row.again_stars, lang),
        names.tag_names(row.again_tags or [], lang),
        row.again_comment or "",
        row.again_at,
    )


def rating(row: RatingRow, lang: str) -> Rating:
    """A rating as its citizen sees it."""
    ref = None
    if row.state is not None and row.due_on is not None:
        ref = TicketRef(row.id, row.state, row.due_on)
    return Rating(
        id=row.id,
        subject=Subject(row.kind, row.subject_id),
        shop=row.shop,
        app=row.app,
        first=judged(row, lang),
        again=again(row, lang),
        counts=row.excluded_at is None,
        rectification=ref,
    )


def step(row: StepRow, lang: str) -> TicketStep:
    """One line of the history."""
    return TicketStep(
        at=row.at,
        actor=row.actor,
        who=row.who,
        move=row.move,
        title=i18n.translate(lang, STEPS[row.move]),
        said=row.said,
        state=row.state,
        due_on=row.due_on,
    )


def rectification(
    ticket: TicketRow, given: RatingRow, steps: list[StepRow], reader: Actor, today: date, lang: str
) -> Rectification:
    """A ticket with its history, as `reader` sees it; everybody sees the same but for `may`."""
    return Rectification(
        id=ticket.id,
        shop=ticket.shop,
        app=ticket.app,
        state=ticket.state,
        title=i18n.translate(lang, STATES[ticket.state]),
        turn=ticket.turn,
        may=may(ticket.state, reader, reopened=ticket.reopened, appeals=ticket.appeals),
        citizen=given.pseudonym,
        responsible=i18n.pick(ticket.responsible, lang),
        phone=ticket.phone,
        due=Due(
            on=ticket.due_on,
            counted_from=ticket.counted_from,
            working_days=DUE_DAYS + ticket.paused_days,
            paused_days=ticket.paused_days,
            provisional=ticket.provisional,
            overdue=TURN[ticket.state] == "department" and ticket.due_on < today,
        ),
        opened_at=ticket.opened_at,
        closed_at=ticket.closed_at,
        reopened=ticket.reopened,
        rating=judged(given, lang),
        again=again(given, lang),
        counts=given.excluded_at is None,
        steps=[step(row, lang) for row in reversed(steps)],
    )


def mine(row: MineRow, today: date, lang: str) -> RectificationItem:
    """A ticket in its citizen's list."""
    return RectificationItem(
        id=row.id,
        shop=row.shop,
        app=row.app,
        stars=row.stars,
        state=row.state,
        title=i18n.translate(lang, STATES[row.state]),
        turn=row.turn,
        due_on=row.due_on,
        overdue=row.turn == "department" and row.due_on < today,
        opened_at=row.opened_at,
    )


def desk_rating(row: DeskRatingRow, lang: str) -> DeskRating:
    """A rating at the desk."""
    return DeskRating(
        id=row.id,
        shop=row.shop,
        app=row.app,
        kind=row.kind,
        citizen=row.pseudonym,
        first=judged(row, lang),
        again=again(row, lang),
        counts=row.counts is not None,
    )


def desk_ticket(row: DeskTicketRow, today: date, lang: str) -> DeskTicket:
    """A ticket in the desk's list."""
    return DeskTicket(
        id=row.id,
        shop=row.shop,
        app=row.app,
        citizen=row.pseudonym,
        stars=row.stars,
        state=row.state,
        title=i18n.translate(lang, STATES[row.state]),
        turn=row.turn,
        opened_at=row.opened_at,
        due_on=row.due_on,
        provisional=row.provisional,
        overdue=row.turn == "department" and row.due_on < today,
        late=row.late,
        reopened=row.reopened,
        reminded_on=row.reminded_on,
        responsible=i18n.pick(row.responsible, lang),
    )
