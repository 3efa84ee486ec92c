"""What departments and operators see of cases: a table keyed by shop, fed by events."""

from __future__ import annotations

import asyncio
from typing import Any, Final
from uuid import UUID

import msgspec

from civicmall import identity
from civicmall.identity import Staff
from civicmall.kernel import i18n, ids
from civicmall.kernel.db import Db
from civicmall.kernel.house import House
from civicmall.kernel.http import Page, decode_cursor, page
from shopkit.contract import Media, Result

from . import materials, views
from .errors import NoSuchCase
from .models import (
    CaseRow,
    DeskCase,
    DeskMaterial,
    DeskSupplement,
    EventRow,
    Labels,
    MaterialRow,
    OpenCase,
    SupplementRow,
)
from .queries import q
from .rules import STEPS_MAX, State
from .steps import case

SHOWN: Final = (
    "shop", "id", "app", "state", "reference", "submitted_at", "due_on", "callback_by",
    "overdue_on", "closed_at", "version",
)  # fmt: skip


async def feed(db: Db, case_id: UUID) -> CaseRow | None:
    """Bring the desks' view of one case up to date; the same again changes nothing."""
    row = await case(db, case_id)
    if row is not None:
        known = msgspec.structs.asdict(row)
        acted = row.acted_by is not None
        await q.put_desk(db, **{name: known[name] for name in SHOWN}, acted=acted)
    return row


async def cases(
    db: Db, staff: Staff, *, state: State | None = None, overdue: bool = False, limit: int = 50,
    after: str | None = None,
) -> Page[DeskCase]:  # fmt: skip
    """Cases of a department's own shop, or of all for an operator, newest first; of one `state`, if
    that is given.

    `overdue`: only those whose department broke its word. Raises BadRequest.
    """
    last = decode_cursor(after, UUID) or (None,)
    rows: list[DeskCase] = await q.desk_cases(
        db, shop=staff.shop, wanted=state, overdue=overdue, before=last[0], most=limit + 1
    )
    return page(rows, limit, lambda one: (one.id,))


async def open_case(
    house: House, staff: Staff, case_id: UUID, ask: identity.reading.OpenAsk
) -> identity.reading.Opened:
    """Open a case of the department's own with a reason that the citizen reads, for this member of
    staff and a quarter of an hour. Raises NoSuchCase, also for another department's.
    """
    row = await _own(house.db, staff, case_id)
    claims = ["form", "material"]
    return identity.reading.Opened(
        await identity.reading.open_record(
            house, staff, row.citizen_id, f"case:{row.id}", claims, ask
        )
    )


async def one(house: House, staff: Staff, case_id: UUID, lang: str) -> OpenCase:
    """What was handed in with a case that was opened. Raises NoSuchCase, ReasonNeeded."""
    row = await _own(house.db, staff, case_id)
    until = await identity.reading.need(house, staff, row.citizen_id, f"case:{row.id}")
    papers = await materials.of_case(house.db, row)
    known = await _labels(house.db, row)
    form = views.values(house.keys, row.form)
    brought: list[SupplementRow] = await q.supplements(house.db, bucket=row.bucket, case_id=row.id)
    events: list[EventRow] = await q.events(
        house.db, bucket=row.bucket, case_id=row.id, most=STEPS_MAX
    )
    acted = {event.acted_by for event in events if event.acted_by}
    names = await identity.delegation.names(house, acted)
    return OpenCase(
        case=views.item(row, lang),
        variant=row.variant,
        form=form,
        answers=views.answers(known, form, lang),
        supplements=[
            DeskSupplement(
                one.brought_at,
                views.answers(known, views.values(house.keys, one.form, views.SUPPLEMENT), lang),
            )
            for one in brought
        ],
        materials=[_paper(known, paper, lang) for paper in papers],
        timeline=[views.desk_entry(house.keys, event, names, lang) for event in reversed(events)],
        result=views.unseal(house.keys, row.result, views.RESULT, Result),
        until=until,
    )


async def _labels(db: Db, row: CaseRow) -> Labels:
    """What its form called things; nothing of cases from before that was kept."""
    found: Any = await q.labels(db, bucket=row.bucket, id=row.id)
    return Labels() if found is None else msgspec.convert(found, Labels)


def _paper(known: Labels, paper: MaterialRow, lang: str) -> DeskMaterial:
    code = paper.code or ""
    name = i18n.pick(known.materials[code], lang) if code in known.materials else code
    return DeskMaterial(paper.id, code, name, paper.media, paper.size, paper.handed_at)


async def material(
    house: House, staff: Staff, case_id: UUID, material_id: UUID
) -> tuple[Media, bytes]:
    """A paper of a case that was opened. Raises NoSuchCase, ReasonNeeded."""
    row = await _own(house.db, staff, case_id)
    await identity.reading.need(house, staff, row.citizen_id, f"case:{row.id}")
    found = await q.material_body(
        house.db, bucket=ids.bucket_of(case_id), case_id=case_id, id=material_id
    )
    if found is None:
        raise NoSuchCase
    media, sealed = found
    return media, await asyncio.to_thread(house.keys.open_bytes, sealed, materials.BODY)


async def _own(db: Db, staff: Staff, case_id: UUID) -> CaseRow:
    """A case of the staff's own department that its citizen has not taken back. Raises NoSuchCase."""
    row = await case(db, case_id)
    if row is None or staff.shop != row.shop or row.state in {"withdrawn", "void"}:
        raise NoSuchCase
    return row
