"""Doors of the tickets' desk; money that fits no order goes back by `POST /v1/desk/mismatches/return`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from civicmall.identity import Staff, operator_only, overseer_only
from civicmall.kernel.db import Pool
from civicmall.kernel.house import House
from civicmall.kernel.http import After, Limit, Page, decode_cursor, page, problems
from civicmall.payments.models import ChannelName

from . import service
from .errors import NoSuchTicket, ReturnWaits, TicketResolved
from .models import Resolve, Ticket, TicketKind, TicketState, Wanted

Standing = Annotated[
    TicketState | None, QueryParameter(name="state", required=False, description="Only these.")
]
Kind = Annotated[TicketKind | None, QueryParameter(required=False, description="Only these.")]
Channel = Annotated[ChannelName | None, QueryParameter(required=False, description="Only its own.")]
Day = Annotated[date | None, QueryParameter(required=False, description="The statement's day.")]
Overdue = Annotated[bool, QueryParameter(description="Only open ones past their day.")]


@get("/tickets", responses=problems(), summary="What needs an operator, newest first")
async def tickets(
    house: NamedDependency[House],
    limit: Limit = 50,
    after: After = None,
    standing: Standing = None,
    kind: Kind = None,
    channel: Channel = None,
    day: Day = None,
    *,
    overdue: Overdue = False,
) -> Page[Ticket]:
    key: Any = decode_cursor(after, datetime, UUID)
    rows = await service.some(house, Wanted(standing, kind, channel, day, overdue), key, limit)
    return page(rows, limit, lambda r: (r.opened_at, r.id))


@get("/tickets/{ticket_id:uuid}", responses=problems(NoSuchTicket), summary="One ticket")
async def ticket(ticket_id: FromPath[UUID], db: NamedDependency[Pool]) -> Ticket:
    return await service.one(db, ticket_id)


@post(
    "/tickets/{ticket_id:uuid}/resolve",
    status_code=HTTP_200_OK,
    responses=problems(NoSuchTicket, TicketResolved, ReturnWaits),
    summary="Say that a ticket is settled, and how",
)
async def resolve(
    ticket_id: FromPath[UUID],
    data: JSONBody[Resolve],
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
) -> Ticket:
    return await service.resolve(house, staff, ticket_id, data)


routers = [
    Router("/v1/desk", route_handlers=[tickets, ticket], guards=[overseer_only], tags=["desk"]),
    Router("/v1/desk", route_handlers=[resolve], guards=[operator_only], tags=["desk"]),
]
