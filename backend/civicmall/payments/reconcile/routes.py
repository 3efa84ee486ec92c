"""Doors of reconciliation: what came of each channel's days. A day is reconciled by the daily run, or
by `civicmall reconcile`.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from civicmall.identity import overseer_only
from civicmall.kernel.db import Pool
from civicmall.kernel.http import After, Limit, Page, decode_cursor, page, problems

from . import service
from .errors import NoSuchStatement
from .models import DayResult


@get("/statements", responses=problems(), summary="Reconciled days, newest first")
async def statements(
    db: NamedDependency[Pool], limit: Limit = 50, after: After = None
) -> Page[DayResult]:
    key: Any = decode_cursor(after, date, str)
    rows = await service.days(db, key, limit)
    return page(rows, limit, lambda r: (r.day, r.channel))


@get(
    "/statements/{channel:str}/{day:date}",
    responses=problems(NoSuchStatement),
    summary="What came of one channel's day",
)
async def statement(
    channel: FromPath[str], day: FromPath[date], db: NamedDependency[Pool]
) -> DayResult:
    return await service.of_day(db, channel, day)


routers = [
    Router(
        "/v1/desk", route_handlers=[statements, statement], guards=[overseer_only], tags=["desk"]
    ),
]
