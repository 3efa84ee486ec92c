"""Who looked at a citizen's data, and what for."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from civicmall.kernel import ids
from civicmall.kernel.db import Db
from civicmall.kernel.house import House

from .models import AccessRow
from .queries import q


async def note_access(
    house: House, citizen_id: UUID, reader: str, claims: list[str], purpose: str
) -> None:
    """Leave a row that the citizen can see; one per day, reader and purpose, with a count."""
    await q.note_access(
        house.db,
        bucket=ids.bucket_of(citizen_id),
        citizen_id=citizen_id,
        day=house.clock.today(),
        reader=reader,
        claims=claims,
        purpose=purpose,
    )


async def accesses(
    db: Db, citizen_id: UUID, after: tuple[date, str, str] | None, limit: int
) -> list[AccessRow]:
    """Who read this citizen's data; newest days first."""
    day, reader, purpose = after or (None, None, None)
    found: list[AccessRow] = await q.accesses(
        db,
        bucket=ids.bucket_of(citizen_id),
        citizen_id=citizen_id,
        before_day=day,
        before_reader=reader,
        before_purpose=purpose,
        most=limit + 1,
    )
    return found
