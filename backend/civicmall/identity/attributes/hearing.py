"""What departments see of objections, fed by events."""

from __future__ import annotations

from civicmall.identity.events import AttributeDisputed, DisputeOver
from civicmall.kernel.db import Pool
from civicmall.kernel.models import Delivery
from civicmall.kernel.outbox import Handlers

from .queries import q


def listen(handlers: Handlers) -> None:
    """Everything that is heard here."""

    async def on_disputed(db: Pool, event: AttributeDisputed, delivery: Delivery) -> None:
        await q.feed_dispute(
            db,
            shop=event.source,
            id=event.dispute_id or delivery.id,
            name=event.name,
            disputed_at=event.at,
        )

    async def on_over(db: Pool, event: DisputeOver, _: Delivery) -> None:
        await q.close_desk_dispute(
            db,
            shop=event.source,
            id=event.dispute_id,
            name=event.name,
            outcome=event.outcome,
            at=event.at,
        )

    handlers.on(AttributeDisputed, on_disputed)
    handlers.on(DisputeOver, on_over)
