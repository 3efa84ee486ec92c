"""News of the platform that goes on to shops: told through the outbox, so at least once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from civicmall import identity
from civicmall.kernel.db import Pool
from civicmall.kernel.models import Delivery
from civicmall.kernel.outbox import Handlers
from shopkit import Event

if TYPE_CHECKING:
    from .service import Gateway


def listen(handlers: Handlers, gateway: Gateway) -> None:
    """Everything this room does when it hears of events."""

    async def on_withdrawn(_: Pool, event: identity.ConsentWithdrawn, delivery: Delivery) -> None:
        gateway.forget(event.citizen_id, event.shop, event.app)
        sub = gateway.gates.keys_of(event.shop).sub(event.citizen_id)
        news = Event(
            str(delivery.id),
            "consent.withdrawn",
            event.app,
            event.at,
            {"app": event.app, "sub": sub},
        )
        await gateway.tell(event.shop, news)

    handlers.on(identity.ConsentWithdrawn, on_withdrawn)
