"""Doors of the ledger, for operators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from civicmall.identity import overseer_only
from civicmall.kernel.db import Pool
from civicmall.kernel.errors import BadRequest
from civicmall.kernel.house import House
from civicmall.kernel.http import After, Limit, Page, decode_cursor, encode_cursor, problems

from . import service
from .errors import NoSuchAccount, NotYet
from .models import Entry, Ledger

At = Annotated[
    datetime | None,
    QueryParameter(required=False, description="An instant with its zone (ISO 8601); now."),
]
Account = Annotated[
    str, QueryParameter(min_length=1, max_length=200, description="As the ledger lists it.")
]


@get("/ledger", responses=problems(NotYet), summary="Balances of all accounts, now or then")
async def ledger(house: NamedDependency[House], at: At = None) -> Ledger:
    if at is not None and at.tzinfo is None:
        raise BadRequest("an instant needs its zone, as in 2026-11-30T00:00:00+08:00", field="at")
    return await service.ledger(house, at)


@get(
    "/ledger/entries",
    responses=problems(NoSuchAccount),
    summary="Entries of one account, newest first",
)
async def entries(
    account: Account, db: NamedDependency[Pool], limit: Limit = 50, after: After = None
) -> Page[Entry]:
    """A page reads the open days and at most 31 closed ones, so that one of a rare account may be
    short, or empty, and yet have a `next`.
    """
    before: Any = decode_cursor(after, datetime, UUID, int)
    found, rest = await service.entries(db, account, before, limit)
    return Page(found, encode_cursor(*rest) if rest else None)


routers = [
    Router("/v1/desk", route_handlers=[ledger, entries], guards=[overseer_only], tags=["desk"])
]
