"""What this room keeps about a citizen: what they said of cards, given out whole and forgotten."""

from __future__ import annotations

from uuid import UUID

from civicmall.kernel import ids
from civicmall.kernel.house import House
from civicmall.kernel.personal import Personal, Table

from .service import q


async def erase(house: House, citizen_id: UUID) -> None:
    """All of it."""
    await q.erase(house.db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id)


def personal() -> Personal:
    """What the room offers."""
    return Personal(
        "recommend",
        (
            Table("recommend.feedback", q.export_feedback),
            Table("recommend.settings", q.export_settings),
        ),
        erase=erase,
    )
