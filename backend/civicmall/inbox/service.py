"""Verbs of the inbox."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from civicmall.identity import DisputeOver, LevelRaised, ReadingAnswered, SafetyNews, UpstreamLinked
from civicmall.kernel import ids, sql
from civicmall.kernel.db import Db, Pool
from civicmall.kernel.house import House
from civicmall.kernel.http import Page, decode_cursor, page
from civicmall.kernel.i18n import Text
from civicmall.kernel.models import Delivery
from civicmall.kernel.outbox import Handlers

from .errors import NoSuchMessage
from .models import Message, MessageRow, ReadAll, Unread
from .rules import FORGET_AT_ONCE, KEEP_DAYS, UNREAD_SHOWN_MAX, fault, shown
from .words import safety_news

q = sql.load(__file__, MessageRow)


def listen(handlers: Handlers) -> None:
    """Tell citizens what happens to their own sign-in. Rooms above the inbox send for themselves;
    the identity centre lies below it.
    """

    async def on_safety(db: Pool, event: SafetyNews, delivery: Delivery) -> None:
        title, body, link = safety_news(event.what, event.device)
        await send(
            db,
            citizen_id=event.citizen_id,
            id=delivery.id,
            kind=f"identity.{event.what}",
            title=title,
            body=body,
            link=link,
        )

    async def on_level(db: Pool, event: LevelRaised, delivery: Delivery) -> None:
        await _safety(db, event.citizen_id, delivery, "level_raised", f"level_{event.level}")

    async def on_link(db: Pool, event: UpstreamLinked, delivery: Delivery) -> None:
        await _safety(
            db, event.citizen_id, delivery, "upstream_linked", "upstream_linked", event.host
        )

    async def on_answer(db: Pool, event: ReadingAnswered, delivery: Delivery) -> None:
        await _safety(db, event.citizen_id, delivery, "reading_answered", "reading_answered")

    async def on_dispute(db: Pool, event: DisputeOver, delivery: Delivery) -> None:
        if event.outcome != "taken_back":  # that was the citizen's own doing
            await _safety(db, event.citizen_id, delivery, "dispute_over", f"fact_{event.outcome}")

    handlers.on(SafetyNews, on_safety)
    handlers.on(DisputeOver, on_dispute)
    handlers.on(LevelRaised, on_level)
    handlers.on(UpstreamLinked, on_link)
    handlers.on(ReadingAnswered, on_answer)


async def _safety(
    db: Pool, citizen_id: UUID, delivery: Delivery, kind: str, what: str, device: str = ""
) -> None:
    title, body, link = safety_news(what, device)
    await send(
        db, citizen_id=citizen_id, id=delivery.id, kind=f"identity.{kind}", title=title,
        body=body, link=link,
    )  # fmt: skip


async def send(
    db: Db,
    *,
    citizen_id: UUID,
    id: UUID,  # noqa: A002 (the field's word)
    kind: str,
    title: Text,
    body: Text,
    link: str,
) -> None:
    """Put a message into a citizen's inbox; the same `id` again changes nothing.

    `id` is one of `ids.new`, best that of the event which the message tells of: the inbox is in
    the order of ids, so news that comes late stands where it belongs. Raises ValueError where a
    language is missing or `link` leads out of the app: a fault of the room that sends.
    """
    if wrong := fault(title, body, link):
        raise ValueError(f"{kind}: {wrong}")
    await q.send(
        db,
        bucket=ids.bucket_of(citizen_id),
        citizen_id=citizen_id,
        id=id,
        kind=kind,
        title=dict(title),
        body=dict(body),
        link=link,
    )


async def messages(
    db: Db,
    citizen_id: UUID,
    lang: str,
    *,
    unread_only: bool = False,
    limit: int = 20,
    after: str | None = None,
) -> Page[Message]:
    """A citizen's messages, newest first. Raises BadRequest for a cursor of another list."""
    last = decode_cursor(after, UUID) or (None,)
    rows: list[MessageRow] = await q.messages(
        db,
        bucket=ids.bucket_of(citizen_id),
        citizen_id=citizen_id,
        unread_only=unread_only,
        before=last[0],
        most=limit + 1,
    )
    return page([shown(row, lang) for row in rows], limit, lambda m: (m.id,))


async def unread(db: Db, citizen_id: UUID) -> Unread:
    """How many messages wait, at most UNREAD_SHOWN_MAX."""
    count: int = await q.unread(
        db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id, most=UNREAD_SHOWN_MAX
    )
    return Unread(count)


async def read(house: House, citizen_id: UUID, message_id: UUID, lang: str) -> Message:
    """Mark one message as read; the first time stays. Raises NoSuchMessage."""
    row: MessageRow | None = await q.read(
        house.db,
        bucket=ids.bucket_of(citizen_id),
        citizen_id=citizen_id,
        id=message_id,
        now=house.clock.now(),
    )
    if row is None:
        raise NoSuchMessage
    return shown(row, lang)


async def read_all(house: House, citizen_id: UUID) -> ReadAll:
    """Mark everything that is in the inbox now as read."""
    count: int = await q.read_all(
        house.db,
        bucket=ids.bucket_of(citizen_id),
        citizen_id=citizen_id,
        now=house.clock.now(),
    )
    return ReadAll(count)


async def forget(house: House) -> int:
    """Delete messages older than KEEP_DAYS, bucket by bucket; answers how many went."""
    before = house.clock.now() - timedelta(days=KEEP_DAYS)
    gone = 0
    for bucket in range(ids.BUCKETS):
        gone += await q.forget(house.db, bucket=bucket, before=before, most=FORGET_AT_ONCE)
    return gone
