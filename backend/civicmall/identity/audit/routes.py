"""Doors of the audit: one's own, and the auditor's export."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import Stream

from civicmall.identity import acting
from civicmall.identity.guards import citizen_only, overseer_only
from civicmall.identity.models import Caller, Staff
from civicmall.kernel import logs
from civicmall.kernel.db import Pool
from civicmall.kernel.errors import BadRequest
from civicmall.kernel.http import After, Limit, Page, decode_cursor, page, problems

from . import service
from .models import AccessRow, AuditLine
from .reading import export

log = logs.get("audit")
JSONL: Final = "application/x-ndjson"
DAYS_MAX: Final = 31
"""Business days in one export; more is for `civicmall audit export`."""
Reader = Annotated[
    str | None,
    QueryParameter(
        required=False, min_length=1, max_length=200, pattern=r"^[^\x00]*$",
        description="Only this one: `shop/app`, `client:<client_id>` or `staff:<id>`.",
    ),
]  # fmt: skip
Since = Annotated[
    datetime | None,
    QueryParameter(required=False, description="From this instant on, with its zone (ISO 8601)."),
]
Until = Annotated[
    datetime | None,
    QueryParameter(required=False, description="Before this instant, with its zone (ISO 8601)."),
]
First = Annotated[date, QueryParameter(description="The first business day (ISO 8601).")]
Last = Annotated[date, QueryParameter(description="The last one, at most 30 days later.")]


@get("/me/accesses", responses=problems(), summary="Who read my data, and what for")
async def accesses(
    caller: NamedDependency[Caller],
    db: NamedDependency[Pool],
    limit: Limit = 50,
    after: After = None,
    reader: Reader = None,
    since: Since = None,
    until: Until = None,
) -> Page[AccessRow]:
    before: Any = decode_cursor(after, service.Seq)
    for name, at in (("since", since), ("until", until)):
        if at is not None and at.tzinfo is None:
            raise BadRequest("an instant needs its zone, as in 2026-11-30T00:00:00Z", field=name)
    rows = await service.accesses(
        db, caller.citizen_id, before[0] if before else None, limit, reader=reader, since=since,
        until=until,
    )  # fmt: skip
    return page(rows, limit, lambda r: (r.seq,))


@get(
    "/me/audit",
    responses=problems(),
    opt=acting.SELF,
    summary="Everything that happened to my account and data",
)
async def lines(
    caller: NamedDependency[Caller],
    db: NamedDependency[Pool],
    limit: Limit = 50,
    after: After = None,
) -> Page[AuditLine]:
    before: Any = decode_cursor(after, service.Seq)
    rows = await service.lines(db, caller.citizen_id, before[0] if before else None, limit)
    return page(rows, limit, lambda r: (r.seq,))


@get(
    "/audit/export",
    responses=problems(),
    summary="The audit's lines of some days, as they are hashed (ids, no names)",
    media_type=JSONL,
)
async def export_days(
    first: First, last: Last, staff: NamedDependency[Staff], db: NamedDependency[Pool]
) -> Stream:
    if not timedelta() <= last - first < timedelta(days=DAYS_MAX):
        raise BadRequest(f"from 1 to {DAYS_MAX} days at a time", field="last")
    log.info("audit.exported", staff=str(staff.staff_id), first=str(first), last=str(last))
    name = f"audit-{first}-{last}.jsonl"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Stream(export(db, first, last), media_type=JSONL, headers=headers)


routers = [
    Router(
        "/v1",
        route_handlers=[accesses, lines],
        guards=[citizen_only],
        tags=["me"],
    ),
    Router("/v1/desk", route_handlers=[export_days], guards=[overseer_only], tags=["desk"]),
]
