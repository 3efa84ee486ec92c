"""The operators' list, fed by events."""

from __future__ import annotations

from civicmall.identity.events import ReadingAnswered, ReadingDisputed
from civicmall.kernel.db import Pool
from civicmall.kernel.models import Delivery
from civicmall.kernel.outbox import Handlers

from .queries import q


def listen(handlers: Handlers) -> None:
    """Everything that is heard here."""

    async def on_disputed(db: Pool, event: ReadingDisputed, delivery: Delivery) -> None:
        del delivery
        await q.feed(db, id=event.objection, made_at=event.at, due_on=event.due_on)

    async def on_answered(db: Pool, event: ReadingAnswered, delivery: Delivery) -> None:
        del delivery
        await q.feed_answer(
            db, id=event.objection, made_at=event.made_at, due_on=event.due_on, answered_at=event.at
        )

    handlers.on(ReadingDisputed, on_disputed)
    handlers.on(ReadingAnswered, on_answered)
