"""Leaving lines, and reading one's own."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Final, cast
from uuid import UUID

from msgspec import Meta

from civicmall.kernel import ids
from civicmall.kernel.db import Db
from civicmall.kernel.house import House

from .models import AccessRead, AccessRow, AuditLine, Kind, Line, StaffMark, StaffReader
from .queries import q
from .rules import READER_MAX, claims_of, clean

Seq = Annotated[int, Meta(ge=1, le=2**63 - 1)]
"""A line's number in a citizen's chain."""
STAFF: Final = "staff:"
READERS_MAX: Final = 300
"""Readers that one citizen may choose from: all apps of a city."""


async def begin(db: Db, citizen_id: UUID) -> None:
    """Have a chain for this citizen; no harm if there is one."""
    await q.begin(db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id)


async def note(
    house: House, citizen_id: UUID, kind: Kind, *, what: Collection[str] = (), reader: str = "",
    purpose: str = "", reason: str = "", by: UUID | None = None, fold: bool = False,
) -> None:  # fmt: skip
    """Leave a line in the citizen's audit: what happened to the account. `what` are words of ours
    (claims, methods, a level); nothing that says who somebody is. With `fold` the same of the same
    reader and purpose within the hour is only counted.
    """
    await _note(house, citizen_id, kind, reader, what, purpose, reason, by, fold=fold)


async def note_access(
    house: House, citizen_id: UUID, reader: str, claims: Collection[str], purpose: str, *,
    reason: str = "", by: UUID | None = None,
) -> None:  # fmt: skip
    """Leave a line that the citizen sees: who was told what, and what for. `reader` is `shop/app`,
    `client:<client_id>` or `staff:<id>`; `purpose` the operation; `by` the person who acts.

    The same again within the hour is only counted; not so where somebody gives a reason.
    """
    fold = not reason
    await _note(house, citizen_id, "read", reader, claims, purpose, reason, by, fold=fold)


async def _note(
    house: House, citizen_id: UUID, kind: Kind, reader: str, claims: Collection[str], purpose: str,
    reason: str, by: UUID | None, *, fold: bool,
) -> None:  # fmt: skip
    ask: dict[str, Any] = {
        "bucket": ids.bucket_of(citizen_id),
        "citizen_id": citizen_id,
        "kind": kind,
        "reader": clean(reader, READER_MAX) if not reader.startswith(STAFF) else reader,
        "claims": claims_of(claims),
        "purpose": clean(purpose),
        "reason": clean(reason),
        "by": by,
        "fold": fold,
    }
    if not await q.note(house.db, **ask):
        await begin(house.db, citizen_id)
        await q.note(house.db, **ask)


async def accesses(
    db: Db, citizen_id: UUID, before: int | None, limit: int, *, reader: str | None = None,
    since: datetime | None = None, until: datetime | None = None,
) -> list[AccessRow]:  # fmt: skip
    """Who read this citizen's data, newest first, before that line; one more than `limit` where
    there is more. Only by `reader`, and from `since` until before `until`, where they are named.
    """
    rows: list[AccessRead] = await q.accesses(
        db,
        bucket=ids.bucket_of(citizen_id),
        citizen_id=citizen_id,
        before=before,
        reader=reader,
        since_at=since,
        until_at=until,
        most=limit + 1,
    )
    marks = await _staff(db, rows)
    return [
        AccessRow(
            r.seq, r.at, r.reader, marks.get(r.reader), r.claims, r.purpose, r.reason, r.by, r.times
        )
        for r in rows
    ]


async def _staff(db: Db, rows: list[AccessRead]) -> dict[str, StaffReader]:
    """The members of staff among the readers."""
    found: dict[str, UUID] = {}
    for row in rows:
        if row.reader.startswith(STAFF):
            with suppress(ValueError):
                found[row.reader] = UUID(row.reader.removeprefix(STAFF))
    if not found:
        return {}
    marks: list[StaffMark] = await q.staff_marks(db, ids=list(found.values()))
    by_id = {mark.id: StaffReader(mark.role, mark.shop) for mark in marks}
    return {reader: by_id[id_] for reader, id_ in found.items() if id_ in by_id}


async def lines(db: Db, citizen_id: UUID, before: int | None, limit: int) -> list[AuditLine]:
    """The citizen's whole audit, newest first; one more than `limit` where there is more."""
    rows: list[Line] = await q.lines(
        db,
        bucket=ids.bucket_of(citizen_id),
        citizen_id=citizen_id,
        before=before,
        most=limit + 1,
    )
    return [
        AuditLine(
            r.seq, r.at, cast("Kind", r.kind), r.reader, r.claims, r.purpose, r.reason, r.by, r.again,
            r.prev.hex(), r.hash.hex(),
        )
        for r in rows
    ]  # fmt: skip


async def readers(db: Db, citizen_id: UUID) -> list[str]:
    """Who read this citizen's data, each once."""
    rows = await q.readers(
        db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id, most=READERS_MAX
    )
    return [row["reader"] for row in rows]
