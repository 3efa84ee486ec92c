"""News of the platform that goes on to shops: told through the outbox, so at least once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from civicmall import identity
from civicmall.kernel.db import Pool
from civicmall.kernel.models import Delivery
from civicmall.kernel.outbox import Handlers
from shopkit import Event

from .events import CitizenLeft

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
            {"app": event.app, "sub": sub, "claims": event.claims},
        )
        await gateway.tell(event.shop, news)

    async def on_disputed(_: Pool, event: identity.AttributeDisputed, delivery: Delivery) -> None:
        if event.source == identity.REGISTER:
            return  # it has no shop; its desk sees it
        words = await gateway.objection(event)
        if words is None:
            return  # taken back in the meantime
        sub = gateway.gates.keys_of(event.source).sub(event.citizen_id)
        news = Event(
            str(delivery.id),
            "attribute.disputed",
            event.name,
            event.at,
            {"attribute": event.name, "sub": sub, "words": words},
        )
        await gateway.tell(event.source, news)

    async def on_left(_: Pool, event: CitizenLeft, delivery: Delivery) -> None:
        sub = gateway.gates.keys_of(event.shop).sub(event.citizen_id)
        news = Event(str(delivery.id), "citizen.deleted", sub, event.at, {"sub": sub})
        await gateway.tell(event.shop, news)

    handlers.on(identity.ConsentWithdrawn, on_withdrawn)
    handlers.on(identity.AttributeDisputed, on_disputed)
    handlers.on(CitizenLeft, on_left)
