"""What happens to cases by itself: news told to citizen and desks, shops asked, drafts forgotten."""

from __future__ import annotations

from civicmall import inbox
from civicmall.gateway import Gateway
from civicmall.kernel.db import Pool
from civicmall.kernel.house import House
from civicmall.kernel.i18n import Text
from civicmall.kernel.jobs import Job
from civicmall.kernel.models import Delivery
from civicmall.kernel.outbox import Handlers
from civicmall.shops import Registry

from . import dealings, desk, materials
from .events import Moved
from .words import message


def jobs(house: House, gateway: Gateway) -> list[Job]:
    """Ask shops about open cases; forget papers without a case."""
    slow: set[str] = set()
    return [
        Job("cases.look_after", 5.0, lambda: dealings.look_after(house, gateway, slow)),
        Job("cases.forget", 3600.0, lambda: materials.forget(house)),
    ]


def listen(handlers: Handlers, registry: Registry) -> None:
    """What this room does when it hears of its own moves."""

    async def on_moved(db: Pool, event: Moved, delivery: Delivery) -> None:
        row = await desk.feed(db, event.case_id)
        if row is None:
            return
        values: dict[str, Text | str] = {
            "shop": registry.name(event.shop),
            "title": row.title,
            "reference": row.reference or "—",
        }
        words = message(event.move, values)
        if words is not None:
            await inbox.send(
                db,
                citizen_id=row.citizen_id,
                id=delivery.id,
                kind=f"cases.{event.move}",
                title=words[0],
                body=words[1],
                link=f"/cases/{event.case_id}",
            )

    handlers.on(Moved, on_moved)
