"""What this room keeps about a citizen: cases and papers, given out whole; closed ones stay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final
from uuid import UUID

from civicmall.kernel import ids
from civicmall.kernel.house import House
from civicmall.kernel.personal import File, Open, Personal, Table, rows

from .materials import BODY
from .queries import q
from .views import FORM, PROGRESS, RESULT, SAID, SUPPLEMENT

OPEN_SHOWN: Final = 20
ENDINGS: Final = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}
MATERIALS: Final = Table("cases.material", q.export_materials)
TABLES: Final = (
    Table("cases.case", q.export_cases, {"form": FORM, "progress": PROGRESS, "result": RESULT}),
    Table("cases.event", q.export_events, {"said": SAID}),
    Table("cases.supplement", q.export_supplements, {"form": SUPPLEMENT}),
    MATERIALS,
)


async def files(house: House, citizen_id: UUID) -> AsyncGenerator[File]:
    """The papers, one after the other."""
    async for one in rows(house, MATERIALS, citizen_id):
        found = await q.own_material(
            house.db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id, id=one["id"]
        )
        if found is not None:  # else it was forgotten in this instant
            media, sealed = found
            body = await asyncio.to_thread(house.keys.open_bytes, sealed, BODY)
            folder = one["case_id"] or "unused"
            yield File(f"papers/{folder}/{one['id']}.{ENDINGS[media]}", body)


async def unfinished(house: House, citizen_id: UUID) -> list[Open]:
    """Cases that are with a department, or wait for the citizen."""
    found = await q.open_cases(
        house.db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id, most=OPEN_SHOWN
    )
    return [Open("case", str(case), f"/cases/{case}") for (case,) in found]


async def erase(house: House, citizen_id: UUID) -> None:
    """Papers without a case; the rest is the department's record."""
    await q.erase(house.db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id)


def personal() -> Personal:
    """What the room offers."""
    return Personal("cases", TABLES, files=files, open=unfinished, erase=erase)
