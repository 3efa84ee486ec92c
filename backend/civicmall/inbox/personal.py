"""What this room keeps about a citizen: their messages, given out whole and forgotten."""

from __future__ import annotations

from uuid import UUID

from civicmall.kernel import ids
from civicmall.kernel.house import House
from civicmall.kernel.personal import Personal, Table

from .service import q


async def erase(house: House, citizen_id: UUID) -> None:
    """All messages."""
    await q.erase(house.db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id)


def personal() -> Personal:
    """What the room offers."""
    return Personal("inbox", (Table("inbox.message", q.export_messages),), erase=erase)
