"""What departments and operators see of cases: a table keyed by shop, fed by events."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from civicmall.identity import Staff
from civicmall.kernel.db import Db
from civicmall.kernel.http import Page, decode_cursor, page

from .models import CaseRow, DeskCase
from .queries import q
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
        await q.put_desk(db, **{name: known[name] for name in SHOWN})
    return row


async def cases(
    db: Db, staff: Staff, *, overdue: bool = False, limit: int = 50, after: str | None = None
) -> Page[DeskCase]:
    """Cases of a department's own shop, or of all for an operator, newest first.

    `overdue`: only those whose department broke its word. Raises BadRequest.
    """
    last = decode_cursor(after, UUID) or (None,)
    rows: list[DeskCase] = await q.desk_cases(
        db, shop=staff.shop, overdue=overdue, before=last[0], most=limit + 1
    )
    return page(rows, limit, lambda one: (one.id,))
